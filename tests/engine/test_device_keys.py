"""Sessions that are bound to keys of devices, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from supertokens_py.engine.device_keys import (
    CHALLENGE_LIFE_MS,
    BoundKey,
    ProofRefused,
    ProofWanted,
    Proved,
    thumbprint_in,
)
from supertokens_py.engine.embedded.session_state.device_rows import DEVICE_KEYS
from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.engine.session_records import Replaces, SessionFeatures
from supertokens_py.events import DeviceBound, DeviceProofMissing, Event, subscribe
from supertokens_py.exceptions import PayloadTooLargeError
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.device_proofs import new_key, proof
from tests.support.statements import logged_statements
from tests.support.units import before_each_statement

WITH_KEYS = SessionFeatures(device_keys=True, events=True)
KEY, OTHER = new_key(), new_key()
BOUND = ProofRefused(reason="the session is bound already")
STRANGE = ProofRefused(reason="the challenge is not of this application, or too old")
REFRESHED = ProofRefused(reason="the session has been refreshed since it was offered to be bound")
WRONG = ProofRefused(reason="the signature is not that of the session's key")


@pytest.fixture
def core(database: TestDatabase, start: Opener, clock: Clock) -> Driver:
    clock.advance(ms=-clock() % 1000)  # access tokens count in whole seconds
    return start(database.uri, now_ms=clock, features=WITH_KEYS)


def fits(_: Any) -> None:
    """Let every payload pass."""


def register(core: Driver, session: IssuedSession | str, key: Any = KEY) -> Any:
    handle = session if isinstance(session, str) else session.handle
    offer = core.device_keys.offer(handle)
    return core.device_keys.register(proof(key, offer, with_key=True), check=fits)


def bind(core: Driver, user_id: str = "user", **changes: Any) -> tuple[IssuedSession, Proved]:
    session = core.create(user_id, offer_binding=True, **changes)
    proved = register(core, session)
    assert isinstance(proved, Proved)
    return session, proved


def payload_of(issued: IssuedSession) -> dict[str, Any]:
    token = parse_access_token(issued.access_token.text)
    assert token is not None
    return token.payload


def kinds(core: Driver, handle: str) -> list[str]:
    return [one.type for one in core.events.of_session(handle)]


def test_a_session_is_bound_by_the_first_proof(core: Driver) -> None:
    """The access token says so from the next refresh on, and events tell of it once."""
    session = core.create(payload={"plan": "free"}, offer_binding=True)
    assert core.device_keys.of_session(session.handle) is None
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    proved = register(core, session)
    unsubscribe()
    key = core.device_keys.of_session(session.handle)
    assert isinstance(proved, Proved)
    assert proved.key == key
    assert core.device_keys.of_refresh_token(session.refresh_token.text) == key
    assert thumbprint_in(payload_of(session)) is None
    renewed = core.refresh(session)
    assert payload_of(renewed)["cnf"] == {"jkt": key.thumbprint}
    assert payload_of(renewed)["plan"] == "free"
    assert core.device_keys.of_refresh_token(renewed.refresh_token.text) == key
    assert seen == [DeviceBound(handle=session.handle, user_id="user", tenant_id="public")]
    assert kinds(core, session.handle) == ["session.created", "device.bound"]


def test_the_first_access_token_lives_five_minutes_at_most(core: Driver, clock: Clock) -> None:
    for offered, life_s in ((True, 300), (False, 3600)):
        session = core.create(offer_binding=offered)
        assert session.access_token.expires_ms - clock() == life_s * 1000
    shorter = core.create(offer_binding=True, access_token_validity_ms=60_000)
    assert shorter.access_token.expires_ms - clock() == 60_000


def test_a_session_is_bound_once(core: Driver) -> None:
    """Neither another key nor the same proof again, which somebody may have overheard, gets anything."""
    session = core.create()
    offer = core.device_keys.offer(session.handle)
    mine = proof(KEY, offer, with_key=True)
    assert isinstance(core.device_keys.register(mine, check=fits), Proved)
    for again in (mine, proof(OTHER, offer, with_key=True)):
        assert core.device_keys.register(again, check=fits) == BOUND
    assert kinds(core, session.handle) == ["session.created", "device.bound"]


def test_of_many_keys_at_once_one_is_bound(core: Driver) -> None:
    """And of many requests with one proof, one gets a cookie."""
    session = core.create()
    offer = core.device_keys.offer(session.handle)
    keys = [new_key() for _ in range(6)]

    def bring(key: Any) -> Any:
        return core.device_keys.register(proof(key, offer, with_key=True), check=fits)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(bring, keys))
    [(proved, key)] = [pair for pair in zip(answers, keys, strict=True) if isinstance(pair[0], Proved)]
    assert answers.count(BOUND) == 5
    answer = proof(key, proved.challenge)
    with ThreadPoolExecutor(6) as pool:
        proofs = list(pool.map(lambda _: core.device_keys.prove(proved.key.bound_id, answer), range(6)))
    assert sorted(type(one).__name__ for one in proofs) == ["ProofWanted"] * 5 + ["Proved"]
    assert len({one.challenge for one in proofs}) == 1


def test_a_session_that_was_refreshed_is_not_bound_any_more(core: Driver) -> None:
    """Its access token says nothing of a device and lives for an hour: a thief may have it."""
    session = core.create()
    offer = core.device_keys.offer(session.handle)
    core.refresh(session)
    assert core.device_keys.register(proof(KEY, offer, with_key=True), check=fits) == REFRESHED
    assert core.device_keys.of_session(session.handle) is None


def test_registrations_that_bind_nothing(core: Driver, clock: Clock) -> None:
    session = core.create()
    offer = core.device_keys.offer(session.handle)
    clock.advance(ms=CHALLENGE_LIFE_MS + 1)
    assert core.device_keys.register(proof(KEY, offer, with_key=True), check=fits) == STRANGE
    assert core.device_keys.register(proof(KEY, "challenge", with_key=True), check=fits) == STRANGE
    assert register(core, "none_such") == ProofRefused(reason="the session has ended")
    offer = core.device_keys.offer(session.handle)
    no_key = ProofRefused(reason="the key is not accepted, or did not make the signature")
    assert core.device_keys.register(proof(KEY, offer), check=fits) == no_key
    assert core.device_keys.register("nonsense", check=fits) == ProofRefused(reason="not a proof")
    core.sessions.revoke([session.handle])
    assert register(core, session) == ProofRefused(reason="the session has ended")
    assert core.count(DEVICE_KEYS.name) == 0


def test_a_payload_without_room_is_left_as_it_is(core: Driver) -> None:
    session = core.create()
    offer = core.device_keys.offer(session.handle)

    def too_large(payload: dict[str, Any]) -> None:
        assert set(payload) == {"cnf"}
        raise PayloadTooLargeError(5000, 4096)

    with pytest.raises(PayloadTooLargeError):
        core.device_keys.register(proof(KEY, offer, with_key=True), check=too_large)
    assert core.device_keys.of_session(session.handle) is None
    assert "cnf" not in payload_of(core.refresh(session))


def test_each_challenge_counts_once(core: Driver) -> None:
    """CP-32: a right signature over another one is asked for again, and never ends anything."""
    _, proved = bind(core)
    id_ = str(proved.key.bound_id)
    first = proof(KEY, proved.challenge)
    following = core.device_keys.prove(id_, first)
    assert isinstance(following, Proved)
    assert following.key == proved.key
    assert following.challenge != proved.challenge
    wanted = ProofWanted(key=proved.key, challenge=following.challenge)
    for old in (first, proof(KEY, "of another session"), None):
        assert core.device_keys.prove(id_, old) == wanted
    assert isinstance(core.device_keys.prove(id_, proof(KEY, following.challenge)), Proved)


def test_an_old_challenge_is_replaced(core: Driver, clock: Clock) -> None:
    """One that is handed out lives for five minutes more; one of over fifteen minutes is not accepted."""
    _, proved = bind(core)
    id_ = str(proved.key.bound_id)
    clock.advance(ms=CHALLENGE_LIFE_MS - 5 * 60_000)
    assert core.device_keys.prove(id_, None) == ProofWanted(key=proved.key, challenge=proved.challenge)
    clock.advance(ms=1)
    renewed = core.device_keys.prove(id_, None)
    assert isinstance(renewed, ProofWanted)
    assert renewed.challenge != proved.challenge
    assert core.device_keys.prove(id_, proof(KEY, proved.challenge)) == renewed
    clock.advance(ms=CHALLENGE_LIFE_MS + 1)
    late = core.device_keys.prove(id_, proof(KEY, renewed.challenge))
    assert isinstance(late, ProofWanted)
    assert late.challenge != renewed.challenge
    assert isinstance(core.device_keys.prove(id_, proof(KEY, late.challenge)), Proved)


def test_of_two_that_replace_an_old_challenge_one_does(
    core: Driver, database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Both hand out the same: a device that signs either proves itself."""
    _, proved = bind(core)
    id_ = str(proved.key.bound_id)
    other = start(database.uri, now_ms=clock, features=WITH_KEYS)
    clock.advance(ms=CHALLENGE_LIFE_MS)
    first: list[Any] = []
    with before_each_statement(
        core.database, "UPDATE", lambda: first.append(other.device_keys.prove(id_, None))
    ):
        second = core.device_keys.prove(id_, None)
    assert first == [second]
    assert isinstance(core.device_keys.prove(id_, proof(KEY, second.challenge)), Proved)


def test_other_proofs_are_refused(core: Driver) -> None:
    _, proved = bind(core)
    id_ = str(proved.key.bound_id)
    assert core.device_keys.prove(id_, proof(OTHER, proved.challenge)) == WRONG
    brings_a_key = ProofRefused(reason="not a proof, or one that brings a key along")
    for text in (proof(KEY, proved.challenge, with_key=True), "nonsense", ""):
        assert core.device_keys.prove(id_, text) == brings_a_key
    assert core.device_keys.prove("A" * 22, proof(KEY, proved.challenge)) is None
    assert core.device_keys.prove("\0", None) is None
    assert isinstance(core.device_keys.prove(id_, proof(KEY, proved.challenge)), Proved)


def test_ended_sessions_have_no_key(core: Driver, clock: Clock) -> None:
    session, proved = bind(core)
    id_ = str(proved.key.bound_id)
    core.sessions.revoke([session.handle])
    assert core.device_keys.prove(id_, None) is None
    assert core.device_keys.of_session(session.handle) is None
    assert core.count(DEVICE_KEYS.name) == 0
    session, proved = bind(core)
    clock.advance(ms=session.refresh_token.expires_ms - clock())
    assert core.device_keys.prove(str(proved.key.bound_id), None) is None


def test_a_session_in_the_place_of_a_bound_one_is_not_bound(core: Driver) -> None:
    """Unless that is asked for: it may be of another device."""
    former, _ = bind(core, payload={"plan": "pro"})
    replaces = Replaces(handle=former.handle, must_exist=True, copies=True)
    session = core.create(replaces=replaces)
    assert payload_of(session)["plan"] == "pro"
    assert "cnf" not in payload_of(session)
    assert core.device_keys.of_session(session.handle) is None


@pytest.mark.parametrize("copies", [True, False])
def test_a_session_takes_over_the_key_of_the_one_that_it_replaces(core: Driver, copies: bool) -> None:
    """In one transaction; the browser goes on with its name for the session, and with its challenge."""
    former, proved = bind(core, payload={"plan": "pro"})
    replaces = Replaces(handle=former.handle, must_exist=True, copies=copies)
    session = core.create(replaces=replaces, bind_like_handle=former.handle)
    claim = {"cnf": {"jkt": proved.key.thumbprint}}
    assert payload_of(session) | claim == payload_of(session)
    assert ("plan" in payload_of(session)) is copies
    key = replace(proved.key, handle=session.handle)
    assert core.device_keys.of_session(session.handle) == key
    assert core.device_keys.of_refresh_token(session.refresh_token.text) == key
    assert core.count(DEVICE_KEYS.name) == 1
    again = core.device_keys.prove(str(key.bound_id), proof(KEY, proved.challenge))
    assert isinstance(again, Proved)
    assert again.key == key
    assert register(core, session) == BOUND


def test_a_session_out_of_a_bound_one_has_its_claim(core: Driver) -> None:
    """The key stays with the other one; nobody registers another for this one after its first refresh."""
    other, proved = bind(core)
    session = core.create("user-2", bind_like_handle=other.handle)
    lost = replace(proved.key, handle=session.handle, user_id="user-2", bound_id=None)
    assert core.device_keys.of_session(session.handle) == lost
    assert core.device_keys.of_session(other.handle) == proved.key
    assert payload_of(core.refresh(session))["cnf"] == {"jkt": proved.key.thumbprint}


def test_what_is_to_be_bound_like_another_session(core: Driver) -> None:
    """It is created only while that lives, and not bound where that is not."""
    other = core.create()
    assert "cnf" not in payload_of(core.create(bind_like_handle=other.handle))
    core.sessions.revoke([other.handle])
    for handle in (other.handle, "none_such", "\0"):
        refused = core.create(bind_like_handle=handle)
        assert isinstance(refused, Unauthorised)
        assert refused.code == "session_gone"


def test_a_session_whose_key_is_lost_stays_bound(core: Driver) -> None:
    """Its access token demands a cookie: a refresh that did not would be asked for again and again."""
    session, proved = bind(core)
    core.database.write(lambda c: c.execute(core.database.tables[DEVICE_KEYS].delete()))
    key = proved.key
    lost = BoundKey(
        handle=key.handle, tenant_id="public", user_id="user", bound_id=None, thumbprint=key.thumbprint
    )
    assert core.device_keys.of_refresh_token(session.refresh_token.text) == lost


def test_no_change_of_the_payload_loses_the_claim(core: Driver) -> None:
    """CP-29: neither by an access token that is older than the registration, nor by another claim."""
    session, proved = bind(core)
    claim = {"jkt": proved.key.thumbprint}
    for count, change in enumerate(
        (
            lambda new: core.sessions.regenerate(session.access_token.text, payload=new).payload,
            lambda new: core.sessions.regenerate(session.access_token.text, merge=new).payload,
            lambda new: core.sessions.replace_payload(session.handle, new),
            lambda new: core.sessions.merge_payload(session.handle, new),
        )
    ):
        for changed in ({"n": count}, {"n": count, "cnf": {"jkt": "another"}}):
            answer = change(changed)
            assert answer is True or answer["cnf"] == claim
            stored = core.sessions.information(session.handle)
            assert stored is not None
            assert (stored.payload["n"], stored.payload["cnf"]) == (count, claim)
    unbound = core.create()
    core.sessions.replace_payload(unbound.handle, {"cnf": claim})
    assert core.device_keys.of_session(unbound.handle) is None


def test_a_session_whose_claim_is_lost_stays_bound(
    core: Driver, database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Who replaces the payload without knowing of it does not free a session from its device.

    Be it a process without the setting or an official core; that a session has expired changes nothing of it.
    """
    session, proved = bind(core)
    expired, before = bind(core)
    other = start(database.uri, now_ms=clock)
    other.sessions.replace_payload(session.handle, {"plan": "free"})
    assert core.device_keys.of_refresh_token(session.refresh_token.text) == proved.key
    for one in (session, expired):
        core.change_row(one.handle, jwt_user_payload='{"plan": "pro"}')
    assert core.device_keys.of_refresh_token(session.refresh_token.text) == proved.key
    payload = payload_of(core.refresh(session))
    assert (payload["plan"], payload["cnf"]) == ("pro", {"jkt": proved.key.thumbprint})
    clock.advance(ms=expired.refresh_token.expires_ms - clock())
    assert core.device_keys.of_refresh_token(expired.refresh_token.text) == before.key
    row = core.row(expired.handle)
    assert row is not None
    assert row["jwt_user_payload"] == '{"plan": "pro"}'


def test_a_missing_proof_is_recorded_once_in_five_minutes(core: Driver, clock: Clock) -> None:
    session, proved = bind(core)
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    for wait_s, is_noted in ((0, True), (300, False), (1, True)):
        clock.advance(s=wait_s)
        assert core.device_keys.note_missing(proved.key) is is_noted
    unsubscribe()
    missing = DeviceProofMissing(handle=session.handle, user_id="user", tenant_id="public")
    assert seen == [missing, missing]
    assert kinds(core, session.handle)[2:] == ["device.proof_missing", "device.proof_missing"]


def test_processes_without_the_setting(
    core: Driver, database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """They refresh bound sessions as others, and leave the claim of the key behind where they replace one."""
    session, _ = bind(core)
    other = start(database.uri, now_ms=clock)
    assert other.device_keys is None
    renewed = other.refresh(session)
    assert set(payload_of(renewed)["cnf"]) == {"jkt"}
    replaced = other.create(replaces=Replaces(handle=session.handle, must_exist=True, copies=True))
    assert "cnf" not in payload_of(replaced)


def test_what_each_call_costs(core: Driver) -> None:
    """A proof is one look and one write, a refresh one look more."""
    session, proved = bind(core)
    answer = proof(KEY, proved.challenge)
    with logged_statements(core.database) as statements:
        assert isinstance(core.device_keys.prove(str(proved.key.bound_id), answer), Proved)
    assert [one.split()[0] for one in statements] == ["SELECT", "UPDATE"]
    with logged_statements(core.database) as statements:
        assert core.device_keys.of_refresh_token(session.refresh_token.text) is not None
    assert [one.split()[0] for one in statements] == ["SELECT"]


def test_keys_of_sessions_that_a_core_deleted_are_cleaned_up(
    postgres_database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """A migration of a core may have dropped the foreign key."""
    core = start(postgres_database.uri, now_ms=clock, features=WITH_KEYS)
    _, proved = bind(core)
    table, database = core.database.tables[DEVICE_KEYS], core.database
    row = database.read(lambda c: dict(c.execute(table.select()).mappings().one()))
    gone = {**row, "session_handle": "gone", "bound_id": "gone"}
    constraint = f"{table.name}_session_handle_fkey"
    database.write(lambda c: c.exec_driver_sql(f"ALTER TABLE {table.fullname} DROP CONSTRAINT {constraint}"))
    database.write(lambda c: c.execute(table.insert().values(gone)))
    core.engine.clean_up()
    left = database.read(lambda c: c.execute(table.select()).mappings().all())
    assert [one["bound_id"] for one in left] == [proved.key.bound_id]
