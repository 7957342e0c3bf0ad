"""Encryption of keys at rest: what is stored, what is refused, and how a secret is introduced and changed."""

from __future__ import annotations

import sqlite3
from base64 import b64decode
from contextlib import closing
from typing import Any

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.keys.key_cipher import (
    ENCRYPTED_PREFIX,
    MARK,
    AtRest,
    _old_cipher,
    is_strong,
    renewed_mark,
)
from supertokens_py.engine.embedded.keys.key_material import new_key_text
from supertokens_py.engine.embedded.session_state.refresh_tokens import (
    MasterKey,
    hash2,
    open_token,
    successor,
)
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import new_secret
from tests.engine.conftest import Opener
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import Sqlite, TestDatabase

SECRET, OTHER = new_secret(), new_secret()
PHRASE = "correct horse battery staple"
ALL_KEYS = (
    "SELECT value FROM key_value WHERE name = 'refresh_token_key' UNION ALL "
    "SELECT value FROM session_access_token_signing_keys UNION ALL "
    "SELECT key_string FROM jwt_signing_keys"
)


def at_rest(own: str | None, other: str | None = None, *, marked_by: str | None = None) -> AtRest:
    settings = EngineConfig(encryption_key=own, previous_encryption_key=other).resolve({})
    marker = EngineConfig(encryption_key=marked_by).resolve({})
    return AtRest(settings, None if marked_by is None else renewed_mark(marker, None))


def stored_keys(database: TestDatabase) -> list[str]:
    return [text for (text,) in database.query(ALL_KEYS)]


def in_clear(database: TestDatabase) -> list[str]:
    return [text for text in stored_keys(database) if not text.startswith(ENCRYPTED_PREFIX)]


def test_encryption_is_off_without_a_secret():
    """An official core can read what we write."""
    assert at_rest(None).protect("text", label="a") == "text"
    assert at_rest(None).reveal("text", label="a") == "text"


@pytest.mark.parametrize("secret", [SECRET, PHRASE], ids=["key", "passphrase"])
def test_encrypted_texts_can_be_read_back_in_their_place_only(secret: str):
    """With the same secret, under the same label; no two ciphertexts are alike."""
    settings = EngineConfig(encryption_key=secret).resolve({})
    mark = renewed_mark(settings, None)
    own = AtRest(settings, mark)
    stored = own.protect("text", label="d-1")
    assert stored.startswith(ENCRYPTED_PREFIX + "2:")
    assert "text" not in stored
    assert stored != own.protect("text", label="d-1")
    assert AtRest(settings, mark).reveal(stored, label="d-1") == "text"
    for broken in (stored[:-4], ENCRYPTED_PREFIX, ENCRYPTED_PREFIX + "é"):
        with pytest.raises(ConfigError, match="another encryption_key"):
            own.reveal(broken, label="d-1")
    with pytest.raises(ConfigError, match="another encryption_key"):
        own.reveal(stored, label="d-2")
    with pytest.raises(ConfigError, match=f"row '{MARK}' of key_value, which belongs to it, is missing"):
        at_rest(secret).reveal(stored, label="d-1")
    with pytest.raises(ConfigError, match="d-1 in the database is not encrypted"):
        own.reveal("plain", label="d-1")
    for other, message in ((OTHER, "another encryption_key"), (None, "set encryption_key")):
        with pytest.raises(ConfigError, match=message):
            AtRest(EngineConfig(encryption_key=other).resolve({}), mark)


def test_the_same_secret_makes_other_keys_in_another_database():
    """The salt is the database's: guesses at a passphrase have to be made anew for each."""
    stored = at_rest(PHRASE, marked_by=PHRASE).protect("text", label="d-1")
    with pytest.raises(ConfigError, match="another encryption_key"):
        at_rest(PHRASE, marked_by=PHRASE).reveal(stored, label="d-1")


@pytest.mark.parametrize("mark", ["", "{}", "[]", '{"salt": "zz", "check": "x"}', '{"salt": "00"}'])
def test_a_damaged_mark_is_named(mark: str):
    """It is not taken for a missing one, which would let plain keys in."""
    with pytest.raises(ConfigError, match=f"row '{MARK}' of key_value is damaged"):
        AtRest(EngineConfig(encryption_key=SECRET).resolve({}), mark)


def test_keys_and_passphrases():
    """What has 32 bytes in base64 or hex is a key; anything else is derived slowly."""
    assert len(b64decode(new_secret())) == 32
    assert new_secret() != new_secret()
    for secret in (new_secret(), "0f" * 32, "AB" * 32, "-_" + new_secret()[2:]):
        assert is_strong(secret), secret
    for secret in (PHRASE, "a" * 43, "0f" * 16, "iloveyousupertok"):
        assert not is_strong(secret), secret


@pytest.mark.parametrize("secret", [SECRET, PHRASE], ids=["key", "passphrase"])
def test_keys_at_rest(empty_database: TestDatabase, start: Opener, secret: str):
    """With a secret every key is encrypted; without it, or with another, nothing starts."""
    session = start(empty_database.uri, encryption_key=secret).create(anti_csrf=True)
    assert len(stored_keys(empty_database)) == 3
    assert in_clear(empty_database) == []
    again = start(empty_database.uri, encryption_key=secret)
    assert again.refresh(session).handle == session.handle
    for other, message in ((None, "set encryption_key"), (OTHER, "another encryption_key")):
        core = start(empty_database.uri, encryption_key=other)
        for call in (core.create, core.keys.jwks, core.keys.reload, core.keys.reload):
            with pytest.raises(ConfigError, match=message):
                call()


@pytest.mark.parametrize("first_use", ["create", "jwks", "reload"])
def test_keys_from_before_the_secret_are_encrypted(fresh_shared: TestDatabase, start: Opener, first_use: str):
    """Whatever the first use is; sessions and tokens from before go on."""
    session = start(fresh_shared.uri).create()
    assert len(in_clear(fresh_shared)) == 3
    core = start(fresh_shared.uri, encryption_key=SECRET)
    getattr(core if first_use == "create" else core.keys, first_use)()
    assert in_clear(fresh_shared) == []
    assert core.refresh(session).handle == session.handle
    assert core.sessions.regenerate(session.access_token.text, merge={"a": 1}).payload == {"a": 1}
    core.rotate_signing_key()
    core.create(dynamic_key=False)
    assert in_clear(fresh_shared) == []


def test_keys_of_the_form_of_before_are_read_and_replaced(fresh_shared: TestDatabase, start: Opener):
    """Where an earlier release was given a secret, some keys are encrypted in its form, others in clear."""
    session = start(fresh_shared.uri).create()
    cipher = _old_cipher(PHRASE)
    ((created_ms, text),) = fresh_shared.query("SELECT * FROM (SELECT created_at_time, value FROM "
                                               "session_access_token_signing_keys) keys")  # fmt: skip
    stored = cipher.encrypt(text, label=f"d-{created_ms}")
    fresh_shared.query(f"UPDATE session_access_token_signing_keys SET value = '{stored}'")
    with pytest.raises(ConfigError, match=f"d-{created_ms} in the database is encrypted: set"):
        start(fresh_shared.uri).create()
    core = start(fresh_shared.uri, encryption_key=PHRASE)
    assert core.refresh(session).handle == session.handle
    assert in_clear(fresh_shared) == []
    assert all(text.startswith(ENCRYPTED_PREFIX + "2:") for text in stored_keys(fresh_shared))


@pytest.mark.parametrize("family", ["dynamic", "static", "master"])
def test_a_plain_key_planted_later_is_no_key(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, family: str
):
    """Who can write to the database, but does not have the secret, cannot add a key of his own."""
    running = start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock)
    session = running.create()
    planted = {
        "dynamic": "INSERT INTO session_access_token_signing_keys (app_id, created_at_time, value) "
        f"VALUES ('public', {clock() - 1}, '{new_key_text()}')",
        "static": "INSERT INTO jwt_signing_keys (app_id, key_id, key_string, algorithm, created_at) "
        f"VALUES ('public', 's-x', '{new_key_text()}', 'RS256', 1)",
        "master": "UPDATE key_value SET value = '1000:aa:bb' WHERE name = 'refresh_token_key'",
    }[family]
    fresh_shared.query(planted)
    fresh = start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock)
    for call in (fresh.create, fresh.keys.jwks, fresh.keys.reload):
        with pytest.raises(ConfigError, match="is not encrypted, and every other key is"):
            call()
    assert running.refresh(session).handle == session.handle  # goes on with the keys that it knows
    assert f"d-{clock() - 1}" not in running.keys.reload().keys


def test_a_plain_key_is_refused_where_the_mark_was_deleted(fresh_shared: TestDatabase, start: Opener):
    """The keys that are encrypted still say that plain ones do not belong here."""
    start(fresh_shared.uri, encryption_key=SECRET).create()
    fresh_shared.query(f"DELETE FROM key_value WHERE name = '{MARK}'")
    fresh_shared.query("UPDATE key_value SET value = '1000:aa:bb' WHERE name = 'refresh_token_key'")
    with pytest.raises(ConfigError, match="is missing: restore it from a backup"):
        start(fresh_shared.uri, encryption_key=SECRET).create()


def forge_every_key(database: TestDatabase, now_ms: int) -> None:
    """Put keys of somebody without the secret in the place of every key, and delete the mark."""
    planted = new_key_text()
    for statement in (
        f"DELETE FROM key_value WHERE name = '{MARK}'",
        f"UPDATE session_access_token_signing_keys SET value = '{planted}', created_at_time = {now_ms}",
        f"UPDATE jwt_signing_keys SET key_string = '{planted}'",
        "UPDATE key_value SET value = '1000:aa:bb' WHERE name = 'refresh_token_key'",
    ):
        database.query(statement)


@pytest.mark.parametrize("writes", [True, False], ids=["wrote the mark", "saw the mark"])
def test_a_running_process_accepts_no_keys_without_the_mark(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, writes: bool
):
    """The keys in memory stay in use, and sessions go on; until the mark is back, no key is read."""
    later = Stopwatch()
    one = start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock, monotonic_s=later)
    session = one.create()
    running = one
    if not writes:
        running = start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock, monotonic_s=later)
        running.create()
    known = set(running.keys.reload().keys)
    ((mark,),) = fresh_shared.query(f"SELECT value FROM key_value WHERE name = '{MARK}'")
    clock.advance(s=1)
    forge_every_key(fresh_shared, clock())
    later.advance(6)
    assert set(running.keys.reload().keys) == known
    assert running.refresh(session).handle == session.handle
    with pytest.raises(ConfigError, match=f"row '{MARK}' of key_value, which was there before, is missing"):
        running.rotate_signing_key()
    with pytest.raises(ConfigError, match="which was there before"):
        running.keys.encrypt()
    fresh_shared.query(
        "INSERT INTO key_value (app_id, tenant_id, name, value, created_at_time) "
        f"VALUES ('public', 'public', '{MARK}', '{mark}', 1)"
    )
    later.advance(6)
    assert set(running.keys.reload().keys) == known  # plain keys under the mark are refused as ever


def test_plain_keys_of_a_used_database_are_reported_at_the_start(
    fresh_shared: TestDatabase, start: Opener, clock: Clock, caplog: pytest.LogCaptureFixture
):
    """A process that starts cannot tell a first start with the secret from keys that were all replaced."""

    def alarms() -> list[str]:
        return [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]

    start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock).create()
    start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock).create()
    assert alarms() == []
    forge_every_key(fresh_shared, clock())
    start(fresh_shared.uri, encryption_key=SECRET, now_ms=clock).create()
    (alarm,) = alarms()
    assert "no key in it was encrypted" in alarm
    assert "supertokens keys renew --all" in alarm


def test_a_dropped_key_of_a_backup_is_refused_once_the_secret_changed(
    fresh_shared: TestDatabase, start: Opener
):
    """Its encrypted row is as genuine as ever; a new secret makes backups worthless."""
    core = start(fresh_shared.uri, encryption_key=SECRET)
    core.create()
    ((created_ms, stored),) = fresh_shared.query(
        "SELECT created_at_time, value FROM session_access_token_signing_keys"
    )
    core.rotate_signing_key(drop_old=True)
    put_back = (
        "INSERT INTO session_access_token_signing_keys (app_id, created_at_time, value) "
        f"VALUES ('public', {created_ms}, '{stored}')"
    )
    start(fresh_shared.uri, encryption_key=OTHER, previous_encryption_key=SECRET).create()
    fresh_shared.query(put_back)
    with pytest.raises(ConfigError, match="another encryption_key"):
        start(fresh_shared.uri, encryption_key=OTHER).create()


def test_no_plain_key_is_left_in_a_file(sqlite_files: Sqlite, start: Opener):
    """Neither in free pages nor in the write-ahead log, while processes have the database open."""
    database = sqlite_files.create(template=False)
    plain = start(database.uri)
    plain.create()
    texts = stored_keys(database)
    files = sorted(database.path.parent.glob(f"{database.path.name}*"))

    def found() -> list[str]:
        return [file.name for file in files for text in texts if text[-100:].encode() in file.read_bytes()]

    assert found() != []
    start(database.uri, encryption_key=SECRET).create()
    assert found() == []


def test_a_reader_that_keeps_plain_keys_in_the_log_of_a_file_is_told(
    sqlite_files: Sqlite, start: Opener, caplog: pytest.LogCaptureFixture
):
    """SQLite empties its log only where nobody reads what is in it."""
    database = sqlite_files.create(template=False)
    start(database.uri).create()
    with closing(sqlite3.connect(database.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM key_value").fetchall()
        start(database.uri, encryption_key=SECRET, sqlite_busy_timeout=0.01).create()
    (said,) = (one for one in caplog.messages if "-wal" in one)
    assert said.startswith(f"another process was using {database.path}: its file -wal may hold the keys")


def test_a_secret_is_changed(fresh_shared: TestDatabase, start: Opener):
    """The new process encrypts with the new secret; both are accepted meanwhile, the old one not any more."""
    session = start(fresh_shared.uri, encryption_key=SECRET).create()
    both = start(fresh_shared.uri, encryption_key=OTHER, previous_encryption_key=SECRET)
    session = both.refresh(session)
    session = start(fresh_shared.uri, encryption_key=OTHER).refresh(session)
    for secret in (SECRET, None):
        with pytest.raises(ConfigError, match="encryption_key"):
            start(fresh_shared.uri, encryption_key=secret).create()


def test_a_core_that_shares_the_database_can_read_its_keys(fresh_shared: TestDatabase, start: Opener):
    """A secret is an error there, and nothing is encrypted, until the core is said to be gone."""
    start(fresh_shared.uri).create()
    with pytest.raises(ConfigError, match="could not read encrypted keys"):
        start(fresh_shared.uri, encryption_key=SECRET, shared_with_core="YES").create()
    assert len(in_clear(fresh_shared)) == 3
    start(fresh_shared.uri, encryption_key=SECRET, shared_with_core="NO").create()
    assert in_clear(fresh_shared) == []


def computed(texts: list[str], retired: str, rotated_ms: int) -> list[str]:
    """Return what can be computed from the master key, a retired token and the time of its rotation."""
    master_key = MasterKey.of(texts)
    token = open_token(master_key, retired)
    assert token is not None
    keys = (master_key, *master_key.also)
    return [
        successor(key, token, rotated_ms=rotated_ms, anti_csrf=asked).text
        for key in keys
        for asked in (False, True)
    ]


@pytest.mark.parametrize("secret", [None, SECRET], ids=["plain", "encrypted"])
def test_a_secret_takes_part_in_every_successor(
    fresh_shared: TestDatabase, start: Opener, secret: str | None, clock: Clock
):
    """All rows, the master key and every retired token make no current one; without a secret, they do."""
    core = start(fresh_shared.uri, encryption_key=secret, now_ms=clock)
    tokens = [core.create()]
    for _ in range(3):
        clock.advance(s=60)
        tokens.append(core.refresh(tokens[-1]))
        row = core.row(tokens[0].handle)
        assert row is not None
        texts: list[str] = [core.ring.master_key().text]
        made = computed(texts, tokens[-2].refresh_token.text, row["refresh_token_rotated_at"])
        assert (tokens[-1].refresh_token.text in made) is (secret is None)
        assert (row["refresh_token_hash_2"] in map(hash2, made)) is (secret is None)


SETTINGS: dict[str, dict[str, Any]] = {
    "none": {},
    "introduced": {"previous_encryption_key": SECRET},
    "set": {"encryption_key": SECRET},
    "announced": {"encryption_key": SECRET, "previous_encryption_key": OTHER},
    "changed": {"encryption_key": OTHER, "previous_encryption_key": SECRET},
}


@pytest.mark.parametrize(
    ("one", "two"),
    [("none", "introduced"), ("introduced", "set"), ("set", "announced"), ("announced", "changed")],
)
@pytest.mark.parametrize("turned", [False, True])
def test_processes_of_two_steps_of_a_change_work_together(
    fresh_shared: TestDatabase, start: Opener, one: str, two: str, turned: bool
):
    """During a deployment: each continues the other's sessions and recognises its successors."""
    steps = (two, one) if turned else (one, two)
    first, second = (start(fresh_shared.uri, **SETTINGS[name]) for name in steps)
    if one == "set":
        second.create()  # the database was encrypted before this step
    for core, other in ((first, second), (second, first)):
        session = core.create()
        rotated = core.refresh(session)
        again = other.refresh(session)
        assert again.refresh_token.text == rotated.refresh_token.text
        assert other.refresh(rotated).handle == session.handle
        core.rotate_signing_key()
        assert in_clear(fresh_shared) == [] or "set" not in steps


def test_a_secret_that_is_set_within_the_grace_period_logs_nobody_out(
    fresh_shared: TestDatabase, start: Opener, clock: Clock
):
    """Or changed, or removed: the successor of before is recognised as the current token."""
    before = start(fresh_shared.uri, now_ms=clock)
    session = before.create()
    for settings in (SETTINGS["set"], SETTINGS["changed"]):
        rotated = before.refresh(session)
        before = start(fresh_shared.uri, now_ms=clock, **settings)
        assert before.refresh(session).refresh_token.text == rotated.refresh_token.text
        clock.advance(s=31)
        session = rotated
