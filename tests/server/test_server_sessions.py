"""The session endpoints (engine: Sessions over CDI), in the newest version and the older shapes."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import jwt
import pytest
from starlette.testclient import TestClient

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.factory import open_engine
from supertokens_py.engine.records import TryRefresh, Unauthorised, Verified
from supertokens_py.server import create_app
from supertokens_py.tokens.access_token import AccessToken
from supertokens_py.tokens.signatures import sign_jwt
from tests.engine.driver import Driver
from tests.server.wire import LEGACY, Wire, access, claims, create_body, header, refresh_token
from tests.support.clock import Clock
from tests.support.databases import LINKED_USERS, TestDatabase

PROTECTED = (
    "sub", "exp", "iat", "tId", "rsub", "sessionHandle", "refreshTokenHash1", "parentRefreshTokenHash1",
    "antiCsrfToken",
)  # fmt: skip
PROTECTED_TEXT = (400, "The user payload contains protected field")
HOUR_S = 3600


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


# Access tokens


def test_an_access_token_has_the_header_of_version_5(either: Wire) -> None:
    """CS-1, CS-2: exactly alg, typ, version and kid; the kid tells the key family."""
    dynamic = header(access(either.create()))
    assert {"alg": "RS256", "typ": "JWT", "version": "5", "kid": dynamic["kid"]} == dynamic
    assert re.fullmatch(r"d-\d+", dynamic["kid"])
    body = create_body()
    del body["useDynamicSigningKey"]
    assert header(access(either.post("/recipe/session", body)))["kid"] == dynamic["kid"]
    static = header(access(either.create(useDynamicSigningKey=False)))
    assert re.fullmatch(
        r"s-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", static["kid"]
    )


@pytest.mark.parametrize("dynamic", [True, False])
def test_every_token_verifies_with_the_published_key(either: Wire, dynamic: bool) -> None:
    """CS-3: the kid is in the JWKS at once, and the signature verifies with that JWK."""
    token = access(either.create(useDynamicSigningKey=dynamic))
    jwks = either.raw("GET", "/.well-known/jwks.json").json()["keys"]
    key = next(key for key in jwks if key["kid"] == header(token)["kid"])
    options = {"verify_exp": False, "verify_iat": False}
    assert jwt.decode(token, jwt.PyJWK(key).key, algorithms=["RS256"], options=options)["sub"] == "u1"


def test_an_access_token_has_the_claims_of_version_5(either: Wire) -> None:
    """CS-4, CS-5, CS-6: all claims, the hash of the refresh token, times in whole seconds."""
    created = either.create(userDataInJWT={"x": 1})
    payload = claims(access(created))
    assert set(payload) == {*PROTECTED, "x"}
    assert payload["antiCsrfToken"] is None
    assert payload["parentRefreshTokenHash1"] is None
    assert payload["refreshTokenHash1"] == hash_of(refresh_token(created))
    assert created["accessToken"]["expiry"] == payload["exp"] * 1000
    assert created["accessToken"]["createdTime"] == payload["iat"] * 1000
    assert payload["exp"] - payload["iat"] == HOUR_S


@pytest.mark.parametrize("version", ["5.6", "5.4"])
def test_lifetimes_vary_by_the_jitter(start: Callable[..., Wire], version: str) -> None:
    """CS-7, CS-8: within [validity × (1 − j) − 1 s, validity], never above, at create and refresh."""
    wire = start(engine={"access_token_validity_jitter": 0.25}).at(version)
    lives: list[int] = []
    for _ in range(10):
        created = wire.create()
        refreshed = wire.refresh(refresh_token(created))
        lives += [
            claims(access(answer))["exp"] - claims(access(answer))["iat"] for answer in (created, refreshed)
        ]
    assert all(HOUR_S * 0.75 - 1 <= life <= HOUR_S for life in lives)
    assert len(set(lives)) > 1


@pytest.mark.parametrize("name", PROTECTED)
def test_protected_claims_are_refused(either: Wire, name: str) -> None:
    """CS-9, CS-37, CS-64: 400 at create, payload update and regenerate, and nothing is written."""
    payload = {"userDataInJWT": {name: "x", "mine": 1}}
    assert either.refusal("POST", "/recipe/session", create_body(**payload)) == PROTECTED_TEXT
    assert either.get("/recipe/session/user", {"userId": "u1"})["sessionHandles"] == []
    created = either.create()
    handle = created["session"]["handle"]
    body = {"sessionHandle": handle, **payload}
    assert either.refusal("PUT", "/recipe/jwt/data", body) == PROTECTED_TEXT
    body = {"accessToken": access(created), **payload}
    assert either.refusal("POST", "/recipe/session/regenerate", body) == PROTECTED_TEXT
    assert either.get("/recipe/session", {"sessionHandle": handle})["userDataInJWT"] == {}


def test_payloads_survive_unchanged(either: Wire) -> None:
    """CS-10, CS-11: `iss`, nulls, nested nulls, unicode and integers up to 2^53."""
    payload = {
        "iss": "me",
        "n": None,
        "o": {"n": None, "l": [None, 1.5]},
        "ü": "😀\ud800",
        "i": 2**53,
        "": True,
    }
    created = either.create(userDataInJWT=payload, userDataInDatabase=payload)
    assert created["session"]["userDataInJWT"] == payload
    assert either.verify(access(created))["session"]["userDataInJWT"] == payload
    refreshed = either.refresh(refresh_token(created))
    assert refreshed["session"]["userDataInJWT"] == payload
    stored = either.get("/recipe/session", {"sessionHandle": created["session"]["handle"]})
    assert stored["userDataInJWT"] == stored["userDataInDatabase"] == payload


# Create


def test_a_created_session_has_the_shape_of_the_interface(either: Wire, clock: Clock) -> None:
    """CS-13, CS-14, CS-16: uuid4 handle, no anti-CSRF member unless asked for; the user need not be known."""
    created = either.create("nobody knows me")
    handle = created["session"]["handle"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", handle)
    assert set(created) == {"status", "session", "accessToken", "refreshToken"}
    assert created["session"] == {
        "handle": handle,
        "userId": "nobody knows me",
        "recipeUserId": "nobody knows me",
        "userDataInJWT": {},
        "tenantId": "public",
    }
    assert set(created["refreshToken"]) == {"token", "expiry", "createdTime"}
    assert created["refreshToken"]["expiry"] - clock.now_ms == 144_000 * 60_000
    assert isinstance(either.create(enableAntiCsrf=True)["antiCsrfToken"], str)


@pytest.mark.parametrize("milliseconds", [0, -1, 3_600_001])
def test_a_validity_out_of_range_is_refused(wire: Wire, milliseconds: int) -> None:
    """CS-19: 0, negative, or above the configured one → 400, at create and refresh."""
    body = create_body(accessTokenValidity=milliseconds)
    assert wire.refusal("POST", "/recipe/session", body)[0] == 400
    assert wire.at(LEGACY).post("/recipe/session", body)["status"] == "OK"
    body = {
        "refreshToken": refresh_token(wire.create()),
        "enableAntiCsrf": False,
        "useDynamicSigningKey": True,
    }
    assert (
        wire.refusal("POST", "/recipe/session/refresh", {**body, "accessTokenValidity": milliseconds})[0]
        == 400
    )


def test_a_validity_is_taken_exactly(wire: Wire) -> None:
    """CS-19: equal to the configured one is accepted; not remembered by the next refresh."""
    assert wire.create(accessTokenValidity=3_600_000)["status"] == "OK"
    created = wire.create(accessTokenValidity=5_000)
    assert claims(access(created))["exp"] - claims(access(created))["iat"] == 5
    refreshed = wire.refresh(refresh_token(created))
    assert claims(access(refreshed))["exp"] - claims(access(refreshed))["iat"] == HOUR_S


# Verify


def test_untrustworthy_tokens_are_to_be_refreshed(either: Wire) -> None:
    """CS-20: garbage, two parts, other algorithms, unknown kid, altered signature → TRY_REFRESH_TOKEN."""
    token = access(either.create())
    head, body, signature = token.split(".")
    other = jwt.encode(claims(token), "x" * 32, algorithm="HS256", headers={**header(token), "alg": "HS256"})
    none = jwt.encode(claims(token), None, algorithm="none", headers={**header(token), "alg": "none"})
    altered = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    swapped = f"{head}.{access(either.create('u2')).split('.')[1]}.{signature}"
    foreign = jwt.encode(
        claims(token), _foreign_key(), algorithm="RS256", headers={"version": "5", "kid": "d-1"}
    )
    for text in ("", "garbage", f"{head}.{body}", other, none, altered, swapped, foreign, token + "."):
        answer = either.verify(text)
        assert (answer["status"], sorted(answer)) == ("TRY_REFRESH_TOKEN", ["message", "status"])


def test_a_token_that_was_signed_for_something_else_is_to_be_refreshed(
    wire: Wire, sqlite_database: TestDatabase, clock: Clock
) -> None:
    """The key is ours, and the payload no session's."""
    other = Driver(sqlite_database.uri, now_ms=clock)
    key = other.ring.signer(static=False)
    other.close()
    assert wire.verify(sign_jwt({"sub": "u1"}, key=key.private_key, kid=key.kid, version=5)) == {
        "status": "TRY_REFRESH_TOKEN",
        "message": "the access token does not have the form of one of ours",
    }


def _foreign_key() -> Any:
    from tests.engine.remote.cores import private_key

    return private_key("foreign")


def test_an_expired_token_is_to_be_refreshed(either: Wire, clock: Clock) -> None:
    """CS-21."""
    token = access(either.create())
    clock.advance(s=HOUR_S - 1)
    assert either.verify(token)["status"] == "OK"
    clock.advance(s=2)
    assert either.verify(token)["status"] == "TRY_REFRESH_TOKEN"


@pytest.mark.parametrize("has_token", [True, False])
@pytest.mark.parametrize("do_check", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
def test_anti_csrf_needs_both_flags(either: Wire, enabled: bool, do_check: bool, has_token: bool) -> None:
    """CS-22: a token without proof (header mode) is refused only where a check is asked for."""
    token = access(either.create(enableAntiCsrf=has_token))
    for check_database in (True, False):
        answer = either.verify(
            token, enableAntiCsrf=enabled, doAntiCsrfCheck=do_check, checkDatabase=check_database
        )
        assert answer["status"] == ("TRY_REFRESH_TOKEN" if enabled and do_check else "OK")


def test_the_anti_csrf_proof_is_checked_where_wanted(either: Wire) -> None:
    """CS-22: enabled and checked: missing or wrong → TRY_REFRESH_TOKEN; unchecked → OK."""
    created = either.create(enableAntiCsrf=True)
    token, proof = access(created), created["antiCsrfToken"]
    checked = {"enableAntiCsrf": True, "doAntiCsrfCheck": True}
    assert either.verify(token, **checked, antiCsrfToken=proof)["status"] == "OK"
    for sent in ({}, {"antiCsrfToken": "wrong"}, {"antiCsrfToken": "ü"}, {"antiCsrfToken": "\ud800"}):
        answer = either.verify(token, **checked, **sent)
        assert answer == {"status": "TRY_REFRESH_TOKEN", "message": "anti-csrf check failed"}
    refused = either.refresh(refresh_token(created), enableAntiCsrf=True, antiCsrfToken="\ud800")
    assert refused["status"] == "UNAUTHORISED"


def test_only_the_database_knows_of_a_revocation(either: Wire, clock: Clock) -> None:
    """CS-23: without it OK until expiry, with it UNAUTHORISED."""
    created = either.create()
    either.post("/recipe/session/remove", {"sessionHandles": [created["session"]["handle"]]})
    assert either.verify(access(created))["status"] == "OK"
    answer = either.verify(access(created), checkDatabase=True)
    assert (answer["status"], sorted(answer)) == ("UNAUTHORISED", ["message", "status"])
    clock.advance(s=HOUR_S + 1)
    assert either.verify(access(created))["status"] == "TRY_REFRESH_TOKEN"


@pytest.mark.parametrize("name", ["accessToken", "enableAntiCsrf", "doAntiCsrfCheck", "checkDatabase"])
def test_verify_needs_all_its_members(either: Wire, name: str) -> None:
    """CS-24."""
    body = {"accessToken": "x", "enableAntiCsrf": False, "doAntiCsrfCheck": False, "checkDatabase": False}
    del body[name]
    expected = (400, f"Field name '{name}' is invalid in JSON input")
    assert either.refusal("POST", "/recipe/session/verify", body) == expected


def test_older_clients_never_promote(wire: Wire) -> None:
    """CS-25, CS-27 in our rotation: a refreshed token has no parent, so its verification changes nothing."""
    legacy = wire.at(LEGACY)
    refreshed = legacy.refresh(refresh_token(legacy.create()))
    assert claims(access(refreshed))["parentRefreshTokenHash1"] is None
    for check_database in (False, True):
        assert sorted(legacy.verify(access(refreshed), checkDatabase=check_database)) == ["session", "status"]


def test_older_clients_get_a_token_with_a_changed_payload(wire: Wire, clock: Clock) -> None:
    """CS-26: changed stored payload and database check → new access token with the new payload."""
    legacy = wire.at(LEGACY)
    created = legacy.create(userDataInJWT={"a": 1})
    legacy.put("/recipe/jwt/data", {"sessionHandle": created["session"]["handle"], "userDataInJWT": {"a": 2}})
    assert "accessToken" not in legacy.verify(access(created))
    clock.advance(s=10)
    answer = legacy.verify(access(created), checkDatabase=True)
    assert answer["session"]["userDataInJWT"] == {"a": 2} == _custom(access(answer))
    assert claims(access(answer))["refreshTokenHash1"] == hash_of(refresh_token(created))
    assert sorted(legacy.verify(access(answer), checkDatabase=True)) == ["session", "status"]


def _custom(token: str) -> dict[str, Any]:
    return {name: value for name, value in claims(token).items() if name not in PROTECTED}


def test_newer_clients_are_told_of_a_changed_payload(wire: Wire) -> None:
    """CS-28, CS-29: never a token; the key is absent without database check; key order does not matter."""
    created = wire.create(userDataInJWT={"a": {"x": 1, "y": 2}, "b": True})
    assert sorted(wire.verify(access(created))) == ["session", "status"]
    handle = created["session"]["handle"]
    for payload, differs in (
        ({"b": True, "a": {"y": 2, "x": 1}}, False),
        ({"b": 1, "a": {"y": 2, "x": 1}}, True),
        ({}, True),
    ):
        wire.put("/recipe/jwt/data", {"sessionHandle": handle, "userDataInJWT": payload})
        answer = wire.verify(access(created), checkDatabase=True)
        assert answer["payloadUpdateAvailable"] is differs
        assert answer["session"]["userDataInJWT"] == {"a": {"x": 1, "y": 2}, "b": True}
        assert "accessToken" not in answer


def test_a_changed_payload_that_the_engine_did_not_see_is_read(clock: Clock) -> None:
    """CS-28 holds over every engine; a session that ends between the two reads is gone."""
    engine = EmbeddedEngine("sqlite://", EngineConfig(now_ms=clock, clean_up_interval=0).resolve({}))
    sessions, ending = engine.sessions, list[str]()
    look_up = sessions.verify

    def verify(token: AccessToken, *, check_database: bool) -> Verified | Unauthorised | TryRefresh:
        outcome = look_up(token, check_database=check_database)
        sessions.revoke(ending)
        return Verified() if isinstance(outcome, Verified) else outcome

    sessions.verify = verify
    with TestClient(
        create_app(engine, now_ms=clock, allow_no_api_key=True), base_url="http://core"
    ) as client:
        wire = Wire(client)
        created = wire.create(userDataInJWT={"a": 1})
        answer = wire.verify(access(created), checkDatabase=True)
        assert answer["payloadUpdateAvailable"] is False
        handle = created["session"]["handle"]
        wire.put("/recipe/jwt/data", {"sessionHandle": handle, "userDataInJWT": {"a": 2}})
        assert wire.verify(access(created), checkDatabase=True)["payloadUpdateAvailable"] is True
        ending.append(handle)
        assert wire.verify(access(created), checkDatabase=True)["status"] == "UNAUTHORISED"


def test_a_token_two_generations_old_is_rotated_out(wire: Wire, clock: Clock) -> None:
    """CS-30: the previous generation verifies with database, older ones not; without database all do."""
    first = wire.create()
    second = wire.refresh(refresh_token(first))
    assert wire.verify(access(first), checkDatabase=True)["status"] == "OK"
    clock.advance(s=31)
    wire.refresh(refresh_token(second))
    assert wire.verify(access(second), checkDatabase=True)["status"] == "OK"
    assert wire.verify(access(first), checkDatabase=True)["status"] == "UNAUTHORISED"
    assert wire.at(LEGACY).verify(access(first), checkDatabase=True)["status"] == "TRY_REFRESH_TOKEN"
    assert wire.verify(access(first))["status"] == "OK"


def test_verify_through_a_tenant(wire: Wire) -> None:
    """CS-32: 5.6 only through the public tenant; 5.4 through any that exists."""
    wire.put("/recipe/multitenancy/tenant/v2", {"tenantId": "t1"})
    body = {
        "accessToken": access(wire.create(tenant="t1")),
        "enableAntiCsrf": False,
        "doAntiCsrfCheck": False,
        "checkDatabase": True,
    }
    assert wire.refusal("POST", "/t1/recipe/session/verify", body)[0] == 403
    assert wire.post("/public/recipe/session/verify", body)["session"]["tenantId"] == "t1"
    assert wire.at(LEGACY).post("/t1/recipe/session/verify", body)["status"] == "OK"
    assert wire.at(LEGACY).refusal("POST", "/t2/recipe/session/verify", body)[0] == 400


# Regenerate


def test_regenerate_keeps_everything_but_payload_and_time(either: Wire, clock: Clock) -> None:
    """CS-34, CS-35: same exp, hashes and anti-CSRF token; stored payload unless given; `{}` empties it."""
    created = either.create(userDataInJWT={"a": 1}, enableAntiCsrf=True)
    before = claims(access(created))
    clock.advance(s=5)
    answer = either.post(
        "/recipe/session/regenerate", {"accessToken": access(created), "userDataInJWT": {"b": None}}
    )
    assert sorted(answer) == ["accessToken", "session", "status"]
    after = claims(access(answer))
    kept = (
        "exp",
        "refreshTokenHash1",
        "parentRefreshTokenHash1",
        "antiCsrfToken",
        "sessionHandle",
        "sub",
        "tId",
    )
    assert [before[name] for name in kept] == [after[name] for name in kept]
    assert after["iat"] == before["iat"] + 5
    assert _custom(access(answer)) == {"b": None} == answer["session"]["userDataInJWT"]
    again = either.post("/recipe/session/regenerate", {"accessToken": access(created)})
    assert again["session"]["userDataInJWT"] == {"b": None}
    emptied = either.post("/recipe/session/regenerate", {"accessToken": access(created), "userDataInJWT": {}})
    assert emptied["session"]["userDataInJWT"] == {}


def test_regenerate_of_an_expired_token_updates_the_store_only(either: Wire, clock: Clock) -> None:
    """CS-36: OK without accessToken."""
    created = either.create()
    clock.advance(s=HOUR_S + 1)
    answer = either.post(
        "/recipe/session/regenerate", {"accessToken": access(created), "userDataInJWT": {"a": 1}}
    )
    assert sorted(answer) == ["session", "status"]
    assert either.refresh(refresh_token(created))["session"]["userDataInJWT"] == {"a": 1}


def test_regenerate_refuses_what_is_no_session(either: Wire, clock: Clock) -> None:
    """CS-37: revoked, expired, garbage, forged → UNAUTHORISED; a null payload → 400."""
    created = either.create()
    head, body, _ = access(created).split(".")
    for text in ("garbage", f"{head}.{body}.{'A' * 342}"):
        assert either.post("/recipe/session/regenerate", {"accessToken": text})["status"] == "UNAUTHORISED"
    null = {"accessToken": access(created), "userDataInJWT": None}
    assert either.refusal("POST", "/recipe/session/regenerate", null)[0] == 400
    either.post("/recipe/session/remove", {"userId": "u1"})
    answer = either.post("/recipe/session/regenerate", {"accessToken": access(created)})
    assert answer["status"] == "UNAUTHORISED"


# Refresh


def test_refresh_needs_the_key_family(either: Wire) -> None:
    """CS-41: `useDynamicSigningKey` missing under CDI 5.0+ → 400; switching it changes the kid."""
    created = either.create()
    body = {"refreshToken": refresh_token(created), "enableAntiCsrf": False}
    expected = (400, "Field name 'useDynamicSigningKey' is invalid in JSON input")
    assert either.refusal("POST", "/recipe/session/refresh", body) == expected
    refreshed = either.refresh(refresh_token(created), useDynamicSigningKey=False)
    assert header(access(refreshed))["kid"].startswith("s-")


def test_refresh_checks_the_anti_csrf_proof(either: Wire) -> None:
    """CS-42: wrong or missing → UNAUTHORISED; not checked where the token was made without."""
    created = either.create(enableAntiCsrf=True)
    for sent in ({}, {"antiCsrfToken": "wrong"}):
        answer = either.refresh(refresh_token(created), enableAntiCsrf=True, **sent)
        assert (answer["status"], sorted(answer)) == ("UNAUTHORISED", ["message", "status"])
    proof = created["antiCsrfToken"]
    refreshed = either.refresh(refresh_token(created), enableAntiCsrf=True, antiCsrfToken=proof)
    assert refreshed["status"] == "OK"
    assert refreshed["antiCsrfToken"] != proof
    without = either.refresh(refresh_token(either.create()), enableAntiCsrf=True)
    assert without["antiCsrfToken"]


def test_refresh_refuses_what_is_no_session(either: Wire, clock: Clock) -> None:
    """CS-43: expired session, malformed, foreign or tampered token → UNAUTHORISED."""
    token = refresh_token(either.create())
    sealed, nonce, kind = token.split(".")
    tampered = ("A" if sealed[0] != "A" else "B") + sealed[1:]
    forms = (
        "",
        "x",
        "a.b.V2",
        f"{sealed}.{nonce}.V1",
        f"{sealed}.{'0' * 64}.{kind}",
        f"{tampered}.{nonce}.{kind}",
    )
    for text in (*forms, "\0", "\ud800"):
        assert either.refresh(text)["status"] == "UNAUTHORISED"
    clock.advance(s=144_000 * 60 + 1)
    assert either.refresh(token)["status"] == "UNAUTHORISED"


@pytest.mark.postgres
def test_linked_login_methods_are_one_user(empty_postgres_database: TestDatabase, clock: Clock) -> None:
    """Listing and removing reach the sessions of linked login methods, unless the flag says otherwise."""
    for statement in LINKED_USERS:
        empty_postgres_database.query(statement)
    settings = EngineConfig(now_ms=clock, clean_up_interval=0).resolve({})
    with TestClient(
        create_app(open_engine(empty_postgres_database.uri, settings), allow_no_api_key=True),
        base_url="http://core",
    ) as client:
        wire = Wire(client)
        a, b = (wire.create(user)["session"]["handle"] for user in ("a", "b"))
        one = {"userId": "a", "fetchSessionsForAllLinkedAccounts": "false"}
        assert wire.get("/recipe/session/user", {"userId": "a"})["sessionHandles"] == [a, b]
        assert wire.get("/recipe/session/user", one)["sessionHandles"] == [a]
        only = {"userId": "b", "revokeSessionsForLinkedAccounts": False}
        assert wire.post("/recipe/session/remove", only)["sessionHandlesRevoked"] == [b]
        assert wire.post("/recipe/session/remove", {"userId": "b"})["sessionHandlesRevoked"] == [a]


def test_a_lost_answer_can_be_asked_for_again(either: Wire, clock: Clock) -> None:
    """CS-38, CS-45: inside the window the old token yields the same successor, in every version."""
    created = either.create()
    first = either.refresh(refresh_token(created))
    assert claims(access(first))["parentRefreshTokenHash1"] is None
    assert first["session"]["handle"] == created["session"]["handle"]
    clock.advance(s=30)
    again = either.refresh(refresh_token(created))
    assert refresh_token(again) == refresh_token(first)
    assert claims(access(again))["refreshTokenHash1"] == claims(access(first))["refreshTokenHash1"]


@pytest.mark.parametrize("version", ["5.6", "5.4"])
def test_reuse_after_the_window_is_theft(wire: Wire, clock: Clock, version: str) -> None:
    """CS-47, CS-56: the session ends; older clients are told no subtype."""
    wire = wire.at(version)
    created = wire.create()
    second = wire.refresh(refresh_token(created))
    clock.advance(s=31)
    theft = wire.refresh(refresh_token(created))
    handle = created["session"]["handle"]
    subtype = {"recentTokenReuseSubtype": "RECENT_PREV"} if version == "5.6" else {}
    session = {"handle": handle, "userId": "u1", "recipeUserId": "u1"}
    assert theft == {"status": "TOKEN_THEFT_DETECTED", "session": session, **subtype}
    later = wire.refresh(refresh_token(second))
    assert (later["status"], "recentTokenReuseSubtype" in later) == ("UNAUTHORISED", False)
    assert wire.get("/recipe/session", {"sessionHandle": handle})["status"] == "UNAUTHORISED"


@pytest.mark.parametrize("version", ["5.6", "5.4"])
def test_reuse_of_an_old_generation_is_theft(wire: Wire, clock: Clock, version: str) -> None:
    """CS-48: two or more generations old → always theft."""
    wire = wire.at(version)
    first = wire.create()
    second = wire.refresh(refresh_token(first))
    clock.advance(s=31)
    wire.refresh(refresh_token(second))
    theft = wire.refresh(refresh_token(first))
    assert theft["status"] == "TOKEN_THEFT_DETECTED"
    assert theft.get("recentTokenReuseSubtype") == ("STALE_LINEAGE" if version == "5.6" else None)


def test_reuse_may_be_reported_mildly(start: Callable[..., Wire], clock: Clock) -> None:
    """CS-49: UNAUTHORISED with the subtype, and the session ends all the same."""
    wire = start(engine={"recent_token_reuse_behaviour": "UNAUTHORISED"})
    created = wire.create()
    second = wire.refresh(refresh_token(created))
    clock.advance(s=31)
    answer = wire.refresh(refresh_token(created))
    assert (answer["status"], answer["recentTokenReuseSubtype"]) == ("UNAUTHORISED", "RECENT_PREV")
    assert wire.refresh(refresh_token(second))["status"] == "UNAUTHORISED"


def test_without_a_window_the_second_use_is_theft(start: Callable[..., Wire], clock: Clock) -> None:
    """CS-50."""
    wire = start(engine={"refresh_token_rotation_grace_period": 0})
    created = wire.create()
    wire.refresh(refresh_token(created))
    clock.advance(ms=1)
    assert wire.refresh(refresh_token(created))["recentTokenReuseSubtype"] == "RECENT_PREV"


def test_clients_of_both_versions_share_a_session(wire: Wire, clock: Clock) -> None:
    """CS-52 in our rotation: whichever rotates, the other goes on."""
    legacy = wire.at(LEGACY)
    tokens = refresh_token(legacy.create())
    for client in (wire, legacy, wire, legacy):
        answer = client.refresh(tokens)
        assert answer["status"] == "OK"
        assert wire.verify(access(answer), checkDatabase=True)["status"] == "OK"
        assert legacy.verify(access(answer), checkDatabase=True)["status"] == "OK"
        clock.advance(s=60)
        tokens = refresh_token(answer)


def test_parallel_refreshes_all_get_the_same_successor(either: Wire) -> None:
    """CS-53: N times OK, and one live token."""
    token = refresh_token(either.create())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: either.refresh(token), range(16)))
    assert {answer["status"] for answer in answers} == {"OK"}
    assert len({refresh_token(answer) for answer in answers}) == 1


# Remove, get, list, data


def test_remove_wants_one_kind_of_target(either: Wire) -> None:
    """CS-57: both or neither → 400; tenant flags with handles → 400."""
    for body in (
        {},
        {"userId": "u", "sessionHandles": []},
        {"sessionHandles": [], "revokeAcrossAllTenants": True},
        {"sessionHandles": [], "revokeSessionsForLinkedAccounts": False},
        {"sessionHandles": [1]},
        {"userId": 1},
    ):
        assert either.refusal("POST", "/recipe/session/remove", body)[0] == 400


def test_remove_answers_with_the_handles_that_existed(either: Wire) -> None:
    """CS-58."""
    handle = either.create()["session"]["handle"]
    body = {"sessionHandles": [handle, "00000000-0000-4000-8000-000000000000"]}
    assert either.post("/recipe/session/remove", body) == {"status": "OK", "sessionHandlesRevoked": [handle]}
    assert either.post("/recipe/session/remove", body)["sessionHandlesRevoked"] == []


def test_sessions_of_a_user_across_tenants(either: Wire) -> None:
    """CS-59, CS-60: all tenants by default, only from the public one; else the URL's."""
    either.put("/recipe/multitenancy/tenant/v2", {"tenantId": "t1"})
    public = either.create()["session"]["handle"]
    other = either.create(tenant="t1")["session"]["handle"]
    assert other.endswith("_t1")

    def listed(path: str, **query: str) -> list[str]:
        return sorted(either.get(path, {"userId": "u1", **query})["sessionHandles"])

    assert listed("/recipe/session/user") == sorted([public, other])
    assert listed("/recipe/session/user", fetchAcrossAllTenants="TRUE") == sorted([public, other])
    assert listed("/recipe/session/user", fetchAcrossAllTenants="no") == [public]
    assert listed("/t1/recipe/session/user", fetchAcrossAllTenants="false") == [other]
    assert either.refusal("GET", "/t1/recipe/session/user?userId=u1")[0] == 403
    assert either.refusal("POST", "/t1/recipe/session/remove", {"userId": "u1"})[0] == 403
    one = {"userId": "u1", "revokeAcrossAllTenants": False}
    assert either.post("/t1/recipe/session/remove", one)["sessionHandlesRevoked"] == [other]
    either.create(tenant="t1")
    assert len(either.post("/recipe/session/remove", {"userId": "u1"})["sessionHandlesRevoked"]) == 2
    assert listed("/recipe/session/user") == []


def test_expired_sessions_are_gone_before_any_clean_up(either: Wire, clock: Clock) -> None:
    """CS-61, CS-62: not listed, and UNAUTHORISED when asked for."""
    handle = either.create()["session"]["handle"]
    clock.advance(s=144_000 * 60 + 1)
    assert either.get("/recipe/session/user", {"userId": "u1"})["sessionHandles"] == []
    expected = {"status": "UNAUTHORISED", "message": "Session does not exist."}
    assert either.get("/recipe/session", {"sessionHandle": handle}) == expected
    for path in ("/recipe/session/data", "/recipe/jwt/data"):
        assert either.get(path, {"sessionHandle": handle}) == expected
    body = {"sessionHandle": handle, "userDataInDatabase": {}, "userDataInJWT": {}}
    assert either.put("/recipe/session/data", body) == expected
    assert either.put("/recipe/jwt/data", body) == expected


def test_data_and_payload_are_replaced(either: Wire) -> None:
    """CS-63, CS-64: replaced, not merged; a refresh carries the new payload."""
    created = either.create(userDataInDatabase={"a": 1}, userDataInJWT={"a": 1})
    handle = {"sessionHandle": created["session"]["handle"]}
    assert either.put("/recipe/session/data", {**handle, "userDataInDatabase": {"b": 2}}) == {"status": "OK"}
    assert either.put("/recipe/jwt/data", {**handle, "userDataInJWT": {"c": 3}}) == {"status": "OK"}
    assert either.get("/recipe/session/data", handle) == {"status": "OK", "userDataInDatabase": {"b": 2}}
    assert either.get("/recipe/jwt/data", handle) == {"status": "OK", "userDataInJWT": {"c": 3}}
    assert either.refresh(refresh_token(created))["session"]["userDataInJWT"] == {"c": 3}


def test_handles_name_their_tenant_themselves(either: Wire) -> None:
    """CS-65: through the public path."""
    either.put("/recipe/multitenancy/tenant/v2", {"tenantId": "t1"})
    created = either.create(tenant="t1")
    handle = created["session"]["handle"]
    assert created["session"]["tenantId"] == claims(access(created))["tId"] == "t1"
    assert either.get("/recipe/session", {"sessionHandle": handle})["tenantId"] == "t1"
    assert either.refresh(refresh_token(created))["session"]["tenantId"] == "t1"
    body = {"sessionHandles": [handle]}
    assert either.post("/recipe/session/remove", body)["sessionHandlesRevoked"] == [handle]


def test_get_tells_everything_that_is_no_secret(either: Wire, clock: Clock) -> None:
    """9.2: hashes, rotation times and the key family are never shown."""
    handle = either.create(userDataInJWT={"a": 1}, userDataInDatabase={"b": 2})["session"]["handle"]
    assert either.get("/recipe/session", {"sessionHandle": handle}) == {
        "status": "OK",
        "sessionHandle": handle,
        "userId": "u1",
        "recipeUserId": "u1",
        "userDataInDatabase": {"b": 2},
        "userDataInJWT": {"a": 1},
        "expiry": clock.now_ms + 144_000 * 60_000,
        "timeCreated": clock.now_ms,
        "tenantId": "public",
    }


def test_a_stored_payload_with_a_protected_claim_is_not_handed_out(
    wire: Wire, sqlite_database: TestDatabase
) -> None:
    """Below 5.6 a verification signs what is stored: not where a row has come to name somebody else."""
    token = access(wire.create("mallory"))
    sqlite_database.query('UPDATE session_info SET jwt_user_payload = \'{"sub": "admin"}\'')
    answer = wire.at(LEGACY).verify(token, checkDatabase=True)
    assert answer == {"status": "UNAUTHORISED", "message": "The user payload contains protected field"}
