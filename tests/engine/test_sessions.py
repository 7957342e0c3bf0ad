"""Create, verify, regenerate, revoke, list and change sessions, on every database."""

from __future__ import annotations

import re
from dataclasses import astuple
from typing import Any

import pytest

from supertokens_py.constants import PROTECTED_CLAIMS
from supertokens_py.engine.embedded.session_state.refresh_tokens import hash1, hash2
from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS
from supertokens_py.engine.records import Regenerated, TryRefresh, Unauthorised, UnknownTenantError, Verified
from supertokens_py.exceptions import BadInputError, ProtectedClaimError
from supertokens_py.tokens.access_token import parse_access_token
from supertokens_py.tokens.signatures import sign_jwt, signature_matches
from tests.engine.conftest import Opener
from tests.engine.driver import Driver, claims, header
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

UUID4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
MONTHS_MS = 144_000 * 60_000
RICH = {
    "n": None,
    "deep": {"n": None, "l": [1, None, {"x": []}]},
    "ünï": "☃ \ud800 \0",
    "big": 2**53,
    "f": 0.5,
}


# Create


def test_a_session_token_has_four_header_members(core: Driver):
    """CS-1: exactly alg, typ, version and kid."""
    found = header(core.create().access_token.text)
    assert found.keys() == {"alg", "typ", "version", "kid"}
    assert (found["alg"], found["typ"], found["version"]) == ("RS256", "JWT", "5")


def test_the_key_family_is_chosen_at_creation(core: Driver):
    """CS-2: `d-` and the time, or `s-` and a UUID."""
    assert re.fullmatch(r"d-\d+", header(core.create().access_token.text)["kid"])
    assert re.fullmatch(f"s-{UUID4}", header(core.create(dynamic_key=False).access_token.text)["kid"])


@pytest.mark.parametrize("dynamic", [True, False])
def test_tokens_verify_with_the_key_set_at_once(core: Driver, dynamic: bool):
    """CS-3: the snapshot in memory and the published set hold the key of every issued token."""
    text = core.create(dynamic_key=dynamic).access_token.text
    kid = header(text)["kid"]
    assert signature_matches(text, core.engine.keys.key_set().keys[kid].public_key)
    assert kid in [key["kid"] for key in core.keys.jwks().keys]


@pytest.mark.parametrize("dynamic", [True, False])
def test_tokens_verify_with_the_key_set_once_it_is_loaded(core: Driver, dynamic: bool):
    """CS-3: whoever does not know a key asks for it once, and has it."""
    text = core.create(dynamic_key=dynamic).access_token.text
    key = core.keys.reload().keys[header(text)["kid"]]
    assert signature_matches(text, key.public_key)
    assert core.engine.keys.key_set().keys[header(text)["kid"]] is key


def test_a_session_token_has_flat_claims_in_order(core: Driver, clock: Clock):
    """CS-4, CS-5, CS-6: the flat claim set in its order, with the custom claims after it."""
    session = core.create("me", payload={"role": "x"}, anti_csrf=True)
    found = claims(session)
    assert list(found) == [
        "iat", "exp", "sub", "tId", "rsub", "sessionHandle",
        "refreshTokenHash1", "parentRefreshTokenHash1", "antiCsrfToken", "role",
    ]  # fmt: skip
    assert found == {
        "iat": clock() // 1000,
        "exp": (clock() + 3_600_000) // 1000,
        "sub": "me",
        "tId": "public",
        "rsub": "me",
        "sessionHandle": session.handle,
        "refreshTokenHash1": hash1(session.refresh_token.text),
        "parentRefreshTokenHash1": None,
        "antiCsrfToken": session.anti_csrf_token,
        "role": "x",
    }
    assert session.access_token.expires_ms == found["exp"] * 1000
    assert session.access_token.created_ms == found["iat"] * 1000
    assert (session.refresh_token.created_ms, session.refresh_token.expires_ms) == (
        clock(), clock() + MONTHS_MS,
    )  # fmt: skip


def test_an_anti_csrf_token_is_made_on_request_only(core: Driver):
    """CS-14: present exactly if asked for; the claim is null otherwise."""
    assert re.fullmatch(UUID4, core.create(anti_csrf=True).anti_csrf_token or "")
    plain = core.create()
    assert plain.anti_csrf_token is None
    assert claims(plain)["antiCsrfToken"] is None


@pytest.mark.parametrize("jitter", [0.05, 0.25])
def test_jitter_makes_lives_shorter_and_never_longer(
    database: TestDatabase, start: Opener, clock: Clock, jitter: float
):
    """CS-7, CS-8: at creation and at refresh, never above the configured life."""
    core = start(database.uri, access_token_validity=1000, access_token_validity_jitter=jitter, now_ms=clock)
    lives: list[int] = []
    for _ in range(15):
        session = core.create()
        issued = (claims(session), claims(core.refresh(session)))
        lives += [found["exp"] - found["iat"] for found in issued]
    assert all(1000 * (1 - jitter) - 1 <= life <= 1000 for life in lives)
    assert len(set(lives)) > 5


@pytest.mark.parametrize("name", PROTECTED_CLAIMS)
def test_protected_claims_are_refused_and_nothing_is_written(core: Driver, name: str):
    """CS-9: with the names of the claims in the error."""
    before = core.count("session_info")
    with pytest.raises(ProtectedClaimError) as caught:
        core.create(payload={"fine": 1, name: None})
    assert caught.value.names == (name,)
    assert core.count("session_info") == before


def test_other_registered_claims_are_allowed(core: Driver):
    """CS-10: `iss` is what SDKs add."""
    assert claims(core.create(payload={"iss": "https://a"}))["iss"] == "https://a"


def test_json_values_survive_the_whole_round(core: Driver):
    """CS-11: nulls, nested nulls, unicode, large integers through create, refresh and reading."""
    session = core.create(payload=RICH, data=RICH)
    refreshed = core.refresh(session)
    stored = core.sessions.information(session.handle)
    assert session.payload == refreshed.payload == stored.payload == stored.data == RICH
    for issued in (session, refreshed):
        token = parse_access_token(issued.access_token.text)
        assert token is not None
        assert {key: token.payload[key] for key in RICH} == RICH
        assert core.verify(refreshed) == Verified()


def test_handles_name_their_tenant(core: Driver):
    """CS-13: a UUID on the public tenant, with a suffix on another."""
    core.tenants.put("t1", {})
    public, other = core.create(), core.create(tenant_id="t1")
    assert re.fullmatch(UUID4, public.handle)
    assert re.fullmatch(f"{UUID4}_t1", other.handle)
    assert (claims(public)["tId"], claims(other)["tId"]) == ("public", "t1")
    assert core.sessions.information(other.handle).tenant_id == "t1"
    assert core.refresh(other).tenant_id == "t1"
    assert core.create(tenant_id=" T1 ").tenant_id == "t1"


def test_a_new_row_has_the_official_columns(core: Driver, clock: Clock):
    """CS-15: hashes, times and flags, in the official columns."""
    session = core.create("me", payload={"a": 1}, data={"b": 2}, dynamic_key=False)
    assert core.row(session.handle) == {
        "app_id": "public",
        "tenant_id": "public",
        "session_handle": session.handle,
        "user_id": "me",
        "refresh_token_hash_2": hash2(session.refresh_token.text),
        "session_data": '{"b":2}',
        "expires_at": clock() + MONTHS_MS,
        "created_at_time": clock(),
        "jwt_user_payload": '{"a":1}',
        "use_static_key": True,
        "prev_refresh_token_hash_2": None,
        "refresh_token_rotated_at": None,
    }


def test_any_user_may_have_a_session(core: Driver):
    """CS-16: the engine knows no list of users; ids go up to 128 characters of any script."""
    for user_id in ("nobody", "ü" * 128, "a b@c"):
        session = core.create(user_id)
        assert (session.user_id, session.recipe_user_id) == (user_id, user_id)
        assert core.sessions.user_handles(user_id, tenant_id=None) == [session.handle]


def test_an_unknown_tenant_is_refused(core: Driver):
    """CS-17: creating, listing and revoking by user name the tenant."""
    for call in (
        lambda: core.create(tenant_id="none"),
        lambda: core.sessions.user_handles("u", tenant_id="none"),
        lambda: core.sessions.revoke_user("u", tenant_id="none"),
    ):
        with pytest.raises(UnknownTenantError, match="AppId or tenantId not found") as caught:
            call()
        assert caught.value.tenant_id == "none"


@pytest.mark.parametrize("life_ms", [0, -1, 3_600_001, 1.5, True, "5"])
def test_a_life_out_of_range_is_refused(core: Driver, life_ms: Any):
    """CS-19: the engine never clamps."""
    session = core.create()
    with pytest.raises(BadInputError, match="accessTokenValidity"):
        core.create(access_token_validity_ms=life_ms)
    with pytest.raises(BadInputError, match="accessTokenValidity"):
        core.refresh(session, access_token_validity_ms=life_ms)
    assert core.row(session.handle)["refresh_token_rotated_at"] is None


def test_a_shorter_life_is_exact(database: TestDatabase, start: Opener, clock: Clock):
    """CS-19: no jitter, and only for this token."""
    core = start(database.uri, access_token_validity_jitter=0.25, now_ms=clock)
    session = core.create(access_token_validity_ms=3_600_000)
    assert claims(session)["exp"] == (clock() + 3_600_000) // 1000
    assert claims(core.refresh(session, access_token_validity_ms=60_000))["exp"] == (clock() + 60_000) // 1000


class _Strange:
    pass


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user_id": ""}, "user_id must not be empty"),
        ({"user_id": "  "}, "user_id must not be empty"),
        ({"user_id": "admin "}, "user_id must not begin or end with white space: 'admin '"),
        ({"user_id": "\xa0admin"}, "white space"),
        ({"user_id": "x" * 129}, "128"),
        ({"user_id": "a\0b"}, "NUL"),
        ({"user_id": "a\ud800"}, "UTF-8"),
        ({"user_id": 5}, "user_id must be a string"),
        ({"payload": []}, "access_token_payload must be a JSON object"),
        ({"payload": [{}]}, "access_token_payload must be a JSON object"),
        ({"data": "x"}, "session_data_in_database must be a JSON object"),
        ({"payload": {1: 2}}, "key that is not a string"),
        ({"data": {"a": [{"b": {None: 1}}]}}, "key that is not a string"),
        ({"payload": {"a": float("nan")}}, "cannot be written as JSON"),
        ({"payload": {"a": _Strange()}}, "cannot be written as JSON"),
        ({"payload": {"a": "x" * 65_536}}, "65544 bytes"),
        ({"data": {"a": "☃" * 22_000}}, "66008 bytes"),
        ({"tenant_id": 5}, "tenant_id must be a string"),
    ],
)
def test_what_cannot_be_stored_is_refused(core: Driver, changes: dict[str, Any], message: str):
    """The error names the argument, and nothing is written (engine: Limits)."""
    before = core.count("session_info")
    with pytest.raises(BadInputError, match=re.escape(message)):
        core.create(**({"user_id": "user"} | changes))
    assert core.count("session_info") == before


def test_depth_is_limited(core: Driver):
    """64 levels are fine, 65 are not, and an endless value is refused like a deep one."""

    def nested(levels: int) -> dict[str, Any]:
        return {"a": nested(levels - 1)} if levels > 1 else {}

    endless: dict[str, Any] = {}
    endless["a"] = [endless]
    assert core.create(payload=nested(64)).payload == nested(64)
    for value in (nested(65), endless):
        with pytest.raises(BadInputError, match="64 levels"):
            core.create(payload=value)


def test_what_the_caller_changes_later_changes_nothing(core: Driver):
    """The returned payload is the engine's own copy."""
    payload = {"a": [1]}
    session = core.create(payload=payload)
    payload["a"].append(2)
    assert session.payload == {"a": [1]}


# Verify


def test_a_revoked_session_is_found_out_by_the_database_only(core: Driver):
    """CS-23: without `check_database` there is no I/O at all."""
    session = core.create()
    core.sessions.revoke([session.handle])
    token = parse_access_token(session.access_token.text)
    assert core.engine.sessions.verify(token, check_database=False) == Verified()
    assert core.verify(session) == Unauthorised("Session does not exist.", "session_gone")


def test_an_expired_session_does_not_verify(core: Driver, clock: Clock):
    """With `check_database` the row's expiry counts, whatever the token says of its own."""
    session = core.create()
    core.change_row(session.handle, expires_at=clock() + 1000)
    clock.advance(ms=999)
    assert core.verify(session) == Verified()
    clock.advance(ms=1)
    assert core.verify(session) == Unauthorised("Session does not exist.", "session_gone")


def test_verifying_says_what_is_stored(core: Driver):
    """The payload in the database comes with the answer of the database, and only with that."""
    session = core.create(payload={"a": 1})
    core.sessions.replace_payload(session.handle, {"a": 2})
    assert core.verify(session).payload == {"a": 2}
    token = parse_access_token(session.access_token.text)
    assert core.engine.sessions.verify(token, check_database=False).payload is None


def test_verifying_may_be_the_first_that_a_process_does(shared_database: TestDatabase, start: Opener):
    """A worker that has just started opens its database for it."""
    session = start(shared_database.uri).create()
    assert start(shared_database.uri).verify(session) == Verified()


def test_verifying_writes_nothing(core: Driver):
    """CS-28: no column changes, no token comes back."""
    session = core.create()
    before = core.row(session.handle)
    assert core.verify(session) == Verified(access_token=None)
    assert core.row(session.handle) == before


def test_the_last_two_generations_verify(core: Driver, clock: Clock):
    """CS-30: the previous token passes; the one before that is told to refresh, not logged out."""
    first = core.create()
    second = core.refresh(first)
    assert core.verify(first) == core.verify(second) == Verified()
    clock.advance(s=31)
    third = core.refresh(second)
    assert isinstance(core.verify(first), TryRefresh)
    assert core.verify(second) == core.verify(third) == Verified()


def test_a_child_of_an_old_core_verifies(core: Driver):
    """CS-31: its own hash is unknown, its parent is the current token."""
    session = core.create()
    parent = hash1(session.refresh_token.text)
    core.change_row(session.handle, refresh_token_hash_2=hash1(parent))
    child = claims(session) | {"refreshTokenHash1": hash1("child"), "parentRefreshTokenHash1": parent}
    key = core.ring.signer(static=False)
    token = parse_access_token(sign_jwt(child, key=key.private_key, kid=key.kid, version=5))
    assert core.engine.sessions.verify(token, check_database=True) == Verified()


# Regenerate


def test_a_regenerated_token_keeps_its_end_and_its_line(core: Driver, clock: Clock):
    """CS-34: same `exp`, hashes and anti-CSRF token; new payload and `iat`; the row's tokens untouched."""
    session = core.create(payload={"a": 1}, anti_csrf=True)
    before = core.row(session.handle)
    clock.advance(s=10)
    answer = core.sessions.regenerate(session.access_token.text, payload={"b": 2})
    old, new = claims(session), claims(answer.access_token.text)
    assert new == {key: old[key] for key in old if key != "a"} | {"iat": old["iat"] + 10, "b": 2}
    assert answer == Regenerated(session.handle, "user", "user", "public", {"b": 2}, answer.access_token)
    assert answer.access_token.expires_ms == session.access_token.expires_ms
    assert core.row(session.handle) == before | {"jwt_user_payload": '{"b":2}'}
    assert core.verify(answer.access_token) == Verified()
    assert isinstance(core.verify(session), Verified)


def test_what_regenerate_stores(core: Driver):
    """CS-35: nothing given keeps the stored payload, `{}` empties it, `merge` lays over it."""
    session = core.create(payload={"a": 1, "n": {"x": 1}})
    text = session.access_token.text
    core.sessions.replace_payload(session.handle, {"a": 2, "n": {"x": 1}})
    assert core.sessions.regenerate(text).payload == {"a": 2, "n": {"x": 1}}
    assert core.sessions.regenerate(text, merge={"b": 3, "n": {"y": None}}).payload == {
        "a": 2, "b": 3, "n": {"y": None},
    }  # fmt: skip
    assert core.sessions.regenerate(text, merge={"a": None, "none": None}).payload == {
        "b": 3,
        "n": {"y": None},
    }
    assert core.sessions.regenerate(text, payload={}).payload == {}
    assert core.sessions.information(session.handle).payload == {}


def test_an_expired_token_is_not_reissued(core: Driver, clock: Clock):
    """CS-36: the payload is stored for the next refresh."""
    session = core.create()
    clock.now_ms = session.access_token.expires_ms
    assert core.sessions.regenerate(session.access_token.text).access_token is not None
    clock.advance(ms=1)
    answer = core.sessions.regenerate(session.access_token.text, merge={"b": 1})
    assert answer.access_token is None
    assert core.refresh(session).payload == {"b": 1}


def test_a_session_that_is_over_is_not_regenerated(core: Driver, clock: Clock):
    """CS-37: revoked or expired."""
    revoked, expired = core.create(), core.create()
    core.sessions.revoke([revoked.handle])
    assert core.sessions.regenerate(revoked.access_token.text) == Unauthorised(
        "Session does not exist.", "session_gone"
    )
    core.change_row(expired.handle, expires_at=clock())
    assert core.sessions.regenerate(expired.access_token.text) == Unauthorised(
        "Session does not exist.", "session_gone"
    )


@pytest.mark.parametrize(("argument", "value"), [("payload", 1), ("payload", None), ("merge", 1)])
def test_regenerate_refuses_protected_claims(core: Driver, argument: str, value: Any):
    """CS-37: nothing is written."""
    session = core.create(payload={"a": 1})
    with pytest.raises(ProtectedClaimError, match="'tId'"):
        core.sessions.regenerate(session.access_token.text, **{argument: {"b": 1, "tId": value}})
    assert core.sessions.information(session.handle).payload == {"a": 1}


def test_regenerate_removes_no_protected_claim(core: Driver):
    """CS-37: None for one of them in `merge` has no effect; every claim of a token may be removed at once."""
    session = core.create(payload={"a": 1})
    removal = dict.fromkeys(claims(session))
    assert core.sessions.regenerate(session.access_token.text, merge={**removal, "b": 2}).payload == {"b": 2}
    assert core.sessions.information(session.handle).payload == {"b": 2}


def test_regenerate_checks_the_signature(core: Driver):
    """A forged, foreign or malformed token changes nothing and is unauthorised."""
    session = core.create(payload={"a": 1})
    text = session.access_token.text
    head, body, signature = text.split(".")
    other = core.create("other").access_token.text.split(".")
    key = core.ring.signer(static=False)
    for bad in (
        "", "a.b.c", f"{head}.{body}.", f"{head}.{body}.{signature[::-1]}", f"{head}.{body}.{other[2]}",
        f"{head}.{other[1]}.{signature}", text.replace(head, head[:-3] + "AAA"),
        sign_jwt(claims(session), key=key.private_key, kid="d-1", version=5),
    ):  # fmt: skip
        answer = core.sessions.regenerate(bad, payload={"evil": 1})
        assert answer == Unauthorised("the access token is not a valid one", "access_token_invalid"), bad
    assert core.sessions.information(session.handle).payload == {"a": 1}


@pytest.mark.parametrize("version", [3, 4, 5])
def test_an_access_token_comes_as_it_would_be_parsed(core: Driver, version: int):
    """Of a new session and of a refreshed one; what was given for its payload may be changed later."""
    given: dict[str, Any] = {"é": ["\ud800", 1.5, None, {"a": (1, 2)}], "": 2**70}
    made = core.create(payload=given, token_version=version)
    refreshed = core.refresh(made, token_version=version)
    given["é"][3]["a"] = "changed"
    for token in (made.access_token, refreshed.access_token):
        assert token.parsed is not None
        assert astuple(token.parsed) == astuple(parse_access_token(token.text))
        assert token.parsed.payload["é"][3] == {"a": [1, 2]}


def test_an_access_token_that_is_too_long_to_be_read(core: Driver):
    """It is left to who reads it to say so."""
    token = core.create(payload={"a": "x" * 60_000}).access_token
    assert (token.parsed, parse_access_token(token.text)) == (None, None)


@pytest.mark.parametrize(("version", "absent"), [(3, {"tId", "rsub"}), (4, {"rsub"})])
def test_regenerate_keeps_the_version_of_an_older_token(core: Driver, version: int, absent: set[str]):
    """2.1: tokens that an older core issued are reissued in their own form."""
    session = core.create(payload={"a": 1})
    old = {name: value for name, value in claims(session).items() if name not in absent}
    key = core.ring.signer(static=False)
    text = sign_jwt(old, key=key.private_key, kid=key.kid, version=version)
    answer = core.sessions.regenerate(text)
    assert header(answer.access_token.text)["version"] == str(version)
    assert claims(answer.access_token.text) == old


def test_a_payload_that_grows_too_large_is_refused(core: Driver):
    """The merged result counts, and the stored payload stays."""
    session = core.create(payload={"a": "x" * 40_000})
    for merge in (
        lambda update: core.sessions.regenerate(session.access_token.text, merge=update),
        lambda update: core.sessions.merge_payload(session.handle, update),
    ):
        with pytest.raises(BadInputError, match="access_token_payload takes"):
            merge({"b": "x" * 40_000})
    assert core.sessions.information(session.handle).payload == {"a": "x" * 40_000}


# Revoke, list, read, change


def test_only_existing_handles_are_reported(core: Driver):
    """CS-58: in the order asked for, each once; handles of every tenant and nonsense mixed."""
    core.tenants.put("t1", {})
    one, two, three = core.create(), core.create(tenant_id="t1"), core.create()
    asked = [three.handle, "none", two.handle, "x_y_z", "a\0", "ü" * 300, three.handle, "x_none"]
    assert core.sessions.revoke(asked) == [three.handle, two.handle]
    assert core.sessions.revoke(asked) == core.sessions.revoke([]) == []
    assert core.verify(one) == Verified()


@pytest.mark.parametrize("handle", ["", "a\0", "a\ud800", "a_\ud800", "x" * 256])
def test_a_handle_that_cannot_exist_has_no_session(core: Driver, handle: str):
    """Text that no database takes is a handle like any other unknown one; no text at all is an error."""
    assert core.sessions.information(handle) is None
    assert core.sessions.revoke([handle]) == []
    assert core.sessions.replace_data(handle, {}) is False
    assert core.sessions.replace_payload(handle, {}) is False
    assert core.sessions.merge_payload(handle, {}) is False
    with pytest.raises(BadInputError, match="session_handle must be a string"):
        core.sessions.information(5)


@pytest.mark.parametrize("tenant_id", ["a\0", "\ud800"])
def test_a_tenant_that_cannot_exist_is_refused(core: Driver, tenant_id: str):
    """The error names the argument, whatever database there is."""
    for call in (core.sessions.user_handles, core.sessions.revoke_user, core.roles.of_user):
        with pytest.raises(BadInputError, match="tenant_id must"):
            call("user", tenant_id=tenant_id)
    for call in (core.tenants.find, core.tenants.delete):
        with pytest.raises(BadInputError, match="tenant_id must"):
            call(tenant_id)


def test_many_handles_are_revoked_at_once(core: Driver):
    """More than one batch, in one call."""
    core.database.write(lambda c: c.execute(
        core.database.tables[SESSIONS].insert(),
        [
            {"session_handle": f"h{n}", "user_id": "many", "refresh_token_hash_2": "x", "session_data": "{}",
             "jwt_user_payload": "{}", "expires_at": 2**52, "created_at_time": n, "use_static_key": False}
            for n in range(1201)
        ],
    ))  # fmt: skip
    wanted = [f"h{n}" for n in range(1200)]
    assert core.sessions.revoke(wanted) == wanted
    assert core.sessions.user_handles("many", tenant_id=None) == ["h1200"]


def test_revoking_by_user_ends_nobody_elses_session(core: Driver):
    """CS-59: everywhere, or in one tenant; nobody else's."""
    core.tenants.put("t1", {})
    here, there, other = core.create("u"), core.create("u", tenant_id="t1"), core.create("v")
    assert core.sessions.revoke_user("u", tenant_id="t1") == [there.handle]
    assert core.sessions.revoke_user("u", tenant_id="t1") == []
    again = core.create("u", tenant_id="t1")
    assert set(core.sessions.revoke_user("u", tenant_id=None)) == {here.handle, again.handle}
    assert core.sessions.user_handles("u", tenant_id=None) == []
    assert core.sessions.user_handles("v", tenant_id="public") == [other.handle]


@pytest.mark.parametrize("user_id", ["", "x" * 129, "a\0b", "a\ud800"])
def test_a_user_who_cannot_exist_has_nothing(core: Driver, user_id: str):
    """Asking is no error, as with any other unknown user; no text at all is one."""
    assert core.sessions.user_handles(user_id, tenant_id=None) == []
    assert core.sessions.revoke_user(user_id, tenant_id="public") == []
    assert core.roles.of_user(user_id, tenant_id="public") == []
    assert core.metadata.read(user_id) == {}
    assert core.metadata.clear(user_id) is None
    with pytest.raises(BadInputError, match="must be a string"):
        core.sessions.revoke_user(5, tenant_id=None)


def test_expired_sessions_are_not_listed(core: Driver, clock: Clock):
    """CS-61: even before any clean-up; revoking by user ignores them, too."""
    old = core.create("u")
    clock.advance(ms=MONTHS_MS)
    new = core.create("u")
    assert core.sessions.user_handles("u", tenant_id=None) == [old.handle, new.handle]
    clock.advance(ms=1)
    assert core.sessions.user_handles("u", tenant_id=None) == [new.handle]
    assert core.sessions.revoke_user("u", tenant_id=None) == [new.handle]
    assert core.row(old.handle) is not None


def test_information_ends_with_the_session(core: Driver, clock: Clock):
    """CS-62: all of it while it lives, nothing at its last millisecond."""
    session = core.create("me", payload={"a": 1}, data={"b": 2})
    found = core.sessions.information(session.handle)
    assert (found.handle, found.user_id, found.recipe_user_id, found.tenant_id) == (
        session.handle, "me", "me", "public",
    )  # fmt: skip
    assert (found.payload, found.data) == ({"a": 1}, {"b": 2})
    assert (found.created_ms, found.expires_ms) == (clock(), clock() + MONTHS_MS)
    clock.advance(ms=MONTHS_MS)
    assert core.sessions.information(session.handle) is None
    assert core.sessions.information("none") is None
    assert core.sessions.information("a\0") is None


def test_data_is_replaced_as_a_whole(core: Driver, clock: Clock):
    """CS-63: not merged; not for a session that is over."""
    session = core.create(data={"a": 1})
    assert core.sessions.replace_data(session.handle, {"b": 2}) is True
    assert core.sessions.replace_data(session.handle, {"b": 2}) is True
    assert core.sessions.information(session.handle).data == {"b": 2}
    assert core.sessions.replace_data("none", {}) is core.sessions.replace_data("a\0", {}) is False
    clock.advance(ms=MONTHS_MS)
    assert core.sessions.replace_data(session.handle, {}) is False


def test_a_replaced_payload_arrives_with_the_next_refresh(core: Driver):
    """CS-64: protected names are refused, the issued token stays as it is."""
    session = core.create(payload={"a": 1})
    with pytest.raises(ProtectedClaimError):
        core.sessions.replace_payload(session.handle, {"tId": "x"})
    assert core.sessions.replace_payload(session.handle, {"b": 2}) is True
    assert core.sessions.replace_payload("none", {"b": 2}) is False
    refreshed = core.refresh(session)
    assert refreshed.payload == {"b": 2}
    assert "a" not in claims(refreshed)


def test_payload_updates_are_merged(core: Driver):
    """Interface: at the root, None removes, and has no effect under a protected name."""
    session = core.create(payload={"a": 1, "n": {"x": 1}})
    assert core.sessions.merge_payload(session.handle, {"a": None, "n": {"y": 2}, "c": 3}) is True
    assert core.sessions.information(session.handle).payload == {"n": {"y": 2}, "c": 3}
    with pytest.raises(ProtectedClaimError):
        core.sessions.merge_payload(session.handle, {"d": 1, "sub": "x"})
    assert core.sessions.merge_payload(session.handle, dict.fromkeys(PROTECTED_CLAIMS)) is True
    assert core.sessions.merge_payload("none", {}) is core.sessions.merge_payload("a\0", {}) is False
    assert core.sessions.information(session.handle).payload == {"n": {"y": 2}, "c": 3}


def test_no_secret_is_in_a_repr(core: Driver):
    """STYLE 4.2: records and the engine itself can be logged."""
    session = core.create(anti_csrf=True)
    shown = (
        repr(session)
        + repr(core.engine)
        + repr(core.refresh(session, anti_csrf_token=session.anti_csrf_token))
    )
    for secret in (session.access_token.text, session.refresh_token.text, session.anti_csrf_token):
        assert str(secret) not in shown
