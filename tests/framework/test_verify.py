"""Verifying a session: which token counts, when it holds, what the store is asked (protocol: Verify)."""

from __future__ import annotations

import importlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
import pytest

from supertokens_py import get_request_from_user_context
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import InputOverrideConfig
from supertokens_py.tokens.access_token import parse_access_token

from .script import METHODS
from .site import ASGI_AND_WSGI, Site, Visitor

TRY_REFRESH = {"message": "try refresh token"}
UNAUTHORISED = {"message": "unauthorised"}


def assert_refused(reply: Any, body: dict[str, str], status: int = 401) -> None:
    """Assert a refusal that leaves the client's tokens alone."""
    assert (reply.status, reply.json) == (status, body)
    assert reply.session_parts == []
    assert reply.header("content-type") == "application/json; charset=utf-8"


def foreign(algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode({"sub": "stranger", **claims}, "k" * 32, algorithm, headers={"kid": "x"})


def unsigned(like: str) -> str:
    """The same claims under alg none."""
    head = urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"d-1","version":"5"}').rstrip(b"=").decode()
    return f"{head}.{like.split('.')[1]}."


def with_header(token: str, **members: Any) -> str:
    """The same claims and signature under a changed header; a member that is `...` is left out."""
    head, claims, signature = token.split(".")
    values = json.loads(jwt.utils.base64url_decode(head)) | members
    kept = {name: value for name, value in values.items() if value is not ...}
    return f"{urlsafe_b64encode(json.dumps(kept).encode()).rstrip(b'=').decode()}.{claims}.{signature}"


# -- no token --------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_no_token_is_401_and_sets_nothing(site: Site, method: str) -> None:
    """FP-41: 401 unauthorised, no Set-Cookie, no front-token; the handler does not run."""
    reply = site.request(method, "/protected")
    assert reply.status == 401
    if method != "HEAD":
        assert_refused(reply, UNAUTHORISED)
    assert reply.session_parts == []
    assert site.world.runs == 0


GARBAGE: tuple[dict[str, Any], ...] = (
    {},
    {"bearer": ""},
    {"bearer": "garbage"},
    {"cookies": [("sAccessToken", "")]},
    {"cookies": [("sAccessToken", "a.b.c")]},
    {"cookies": [("sAccessToken", "x"), ("sAccessToken", "y")]},
    {"cookies": [("sFrontToken", "e30="), ("st-access-token", "x")]},
    {"bearer": "a.b." + "c" * 70_000},
    {"bearer": "\xff\xfe"},
)


def test_garbage_is_no_token(site: Site) -> None:
    """FP-30, FP-56: nothing, or nothing of ours: required 401, optional anonymous, whatever the method."""
    for credentials in GARBAGE:
        assert_refused(site.post("/protected", **credentials), UNAUTHORISED)
        for method in ("GET", "POST"):
            reply = site.request(method, "/optional", **credentials)
            assert (reply.status, reply.json, reply.session_parts) == (200, {"user": None}, []), credentials


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(site: Site, scheme: str) -> None:
    """FP-19: lower-case `bearer` is accepted; other schemes are not ours."""
    access = site.sign_in("header").access
    reply = site.get("/protected", [("Authorization", f"{scheme}  {access} ")])
    assert reply.json == {"user": "user-1"}
    assert_refused(site.get("/protected", [("Authorization", f"Basic {access}")]), UNAUTHORISED)


# -- which token counts ----------------------------------------------------------------------------


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("allowed", "header", "cookie", "used"),
    [
        ("any", True, True, "header"),
        ("any", True, False, "header"),
        ("any", False, True, "cookie"),
        ("any", False, False, None),
        ("header", True, True, "header"),
        ("header", True, False, "header"),
        ("header", False, True, None),
        ("header", False, False, None),
        ("cookie", True, True, "cookie"),
        ("cookie", False, True, "cookie"),
        ("cookie", True, False, None),
        ("cookie", False, False, None),
    ],
)
def test_which_token_counts(
    bare_site: Site, allowed: str, header: bool, cookie: bool, used: str | None
) -> None:
    """FP-28, FP-29: (protocol: The access token); header wins over cookie, foreign JWTs do not count."""
    bare_site.init(
        get_token_transfer_method=lambda request, creating, context: allowed if not creating else "any"
    )
    by_header = bare_site.sign_in("header", "by-header").access
    by_cookie = bare_site.sign_in("cookie", "by-cookie").access or ""
    given: dict[str, Any] = {"bearer": by_header if header else foreign()}
    if cookie:
        given["cookies"] = [("sAccessToken", by_cookie)]
    reply = bare_site.get("/optional", **given)
    assert reply.json == {"user": {"header": "by-header", "cookie": "by-cookie", None: None}[used]}
    required = bare_site.get("/protected", **given)
    if used:
        assert required.json == reply.json
    else:
        assert_refused(required, UNAUTHORISED)


def test_foreign_tokens_in_the_header_do_not_hide_the_cookie(site: Site) -> None:
    """FP-28, FP-30: HS256, unsigned and foreign JWTs are as if not sent."""
    access = site.sign_in("cookie").access or ""
    for token in (foreign(), unsigned(access), with_header(access, alg="HS256"), "x.y.z"):
        reply = site.get("/protected", bearer=token, cookies=[("sAccessToken", access)])
        assert reply.json == {"user": "user-1"}
        assert_refused(site.get("/protected", bearer=token), UNAUTHORISED)
        assert site.get("/optional", bearer=token).json == {"user": None}


def test_a_confused_algorithm_is_not_ours(site: Site) -> None:
    """FP-28: HS256 signed with the public key, as PEM, is no session."""
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    access = site.sign_in("header").access or ""
    token = parse_access_token(access)
    assert token is not None
    key = site.engine.keys.key_set().keys[token.kid].public_key
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = with_header(access, alg="HS256").rpartition(".")[0]
    mac = urlsafe_b64encode(hmac.digest(pem, signed.encode(), "sha256")).rstrip(b"=").decode()
    assert_refused(site.get("/protected", bearer=f"{signed}.{mac}"), UNAUTHORISED)
    signed = access.rpartition(".")[0]
    mac = urlsafe_b64encode(hmac.digest(pem, signed.encode(), "sha256")).rstrip(b"=").decode()
    assert_refused(site.get("/protected", bearer=f"{signed}.{mac}"), TRY_REFRESH)


def test_no_fallback_once_a_token_is_chosen(site: Site) -> None:
    """FP-44: an expired header token is not rescued by a valid cookie."""
    expired = site.sign_in("header").access or ""
    site.clock.advance(hours=2)
    valid = site.sign_in("cookie").access or ""
    assert_refused(site.get("/protected", bearer=expired, cookies=[("sAccessToken", valid)]), TRY_REFRESH)


# -- token acceptance ------------------------------------------------------------------------------


HARMLESS: tuple[dict[str, Any], ...] = (
    {"aud": "someone"},
    {"aud": ["a", "b"]},
    {"stt": 0},
    {"nbf": 1},
    {"nbf": "soon"},
    {"jti": 5},
)


def test_claims_that_do_not_matter(site: Site) -> None:
    """FP-31, FP-34: `aud`, `stt` 0, past `nbf` and fractional times are fine."""
    access = site.sign_in("header").access or ""
    for claims in (*HARMLESS, {"exp": site.clock.now_ms / 1000 + 60.5}):
        assert site.get("/protected", bearer=site.forge(access, **claims)).status == 200, claims


@pytest.mark.parametrize(("ahead_s", "accepted"), [(30, True), (59, True), (120, False)])
def test_a_token_issued_half_a_minute_ahead_verifies(site: Site, ahead_s: int, accepted: bool) -> None:
    """FP-32: `iat` half a minute ahead verifies (60 s leeway)."""
    access = site.sign_in("header").access or ""
    token = site.forge(access, iat=site.clock.now_ms // 1000 + ahead_s)
    reply = site.get("/protected", bearer=token)
    if accepted:
        assert reply.status == 200
    else:
        assert_refused(reply, TRY_REFRESH)


def test_a_future_nbf_is_try_refresh(site: Site) -> None:
    """FP-33: a future `nbf` is a reason to refresh."""
    access = site.sign_in("header").access or ""
    token = site.forge(access, nbf=site.clock.now_ms // 1000 + 5)
    for path in ("/protected", "/optional"):
        assert_refused(site.get(path, bearer=token), TRY_REFRESH)


WRONG_SHAPES: tuple[dict[str, Any], ...] = (
    {"stt": 1},
    {"stt": "0"},
    {"stt": True},
    {"exp": True},
    {"iat": False},
    {"exp": "1"},
    {"exp": None},
    {"exp": ...},
    {"sub": 5},
    {"sub": ...},
    {"rsub": ...},
    {"tId": ...},
    {"tId": 1},
    {"sessionHandle": ...},
    {"refreshTokenHash1": None},
)


def test_wrong_shapes_are_foreign(site: Site) -> None:
    """FP-34, FP-36: OAuth2 tokens and wrong types are ignored, as if not sent."""
    access = site.sign_in("header").access or ""
    for claims in WRONG_SHAPES:
        token = site.forge(access, **claims)
        assert_refused(site.get("/protected", bearer=token), UNAUTHORISED)
        assert site.get("/optional", bearer=token).json == {"user": None}, claims


def test_wrong_versions_are_foreign(site: Site) -> None:
    """FP-35: a number, junk, 2 with a kid are ignored; so is a missing version."""
    access = site.sign_in("header").access or ""
    for version in (5, "5abc", "2", "", " 5", "5.0", "-5", "٥", None, True, ...):
        token = with_header(access, version=version)
        assert_refused(site.get("/protected", bearer=token), UNAUTHORISED)
        assert site.get("/optional", bearer=token).json == {"user": None}, version


def test_wrong_headers_are_foreign(site: Site) -> None:
    """FP-28: `typ`, `kid` and `alg` are what ours always are, or the token is not ours."""
    access = site.sign_in("header").access or ""
    for header in ({"typ": "jwt"}, {"typ": ...}, {"kid": 5}, {"kid": ...}, {"alg": "RS512"}, {"alg": ...}):
        assert_refused(site.get("/protected", bearer=with_header(access, **header)), UNAUTHORISED)


@pytest.mark.parametrize(("version", "missing"), [(3, ("tId", "rsub")), (4, ("rsub",)), (5, ())])
def test_older_versions_verify(site: Site, version: int, missing: tuple[str, ...]) -> None:
    """FP-35: versions 3 and 4 are verified normally; 3 has tenant public, below 5 both user ids are one."""
    access = site.sign_in("header").access or ""
    token = site.forge(access, version=version, **dict.fromkeys(missing, ...))

    def read(view: Any) -> Any:
        return {"tenant": view.session.get_tenant_id(), "recipe_user": view.session.get_recipe_user_id()}

    assert site.get("/protected", bearer=token, do=read).json == {"tenant": "public", "recipe_user": "user-1"}


LEGACY = {
    "1": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIxIn0=",
    "2": "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsInZlcnNpb24iOiIyIn0=",
}
LEGACY_CLAIMS = {
    "sessionHandle": "h",
    "userId": "u",
    "refreshTokenHash1": "r",
    "userData": {},
    "expiryTime": 1,
    "timeCreated": 1,
}


@pytest.mark.parametrize("version", ["1", "2"])
def test_legacy_tokens_can_be_refreshed(site: Site, version: str) -> None:
    """FP-37: a V1 or V2 token is a reason to refresh, also where the session is optional."""
    claims = {**LEGACY_CLAIMS}
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode()
    for path in ("/protected", "/optional"):
        assert_refused(site.get(path, bearer=f"{LEGACY[version]}.{body}.AAAA"), TRY_REFRESH)
    del claims["userData"]
    body = urlsafe_b64encode(json.dumps(claims).encode()).decode()
    assert site.get("/optional", bearer=f"{LEGACY[version]}.{body}.AAAA").json == {"user": None}


def test_another_kind_of_key_is_a_reason_to_refresh(bare_site: Site, mode: str) -> None:
    """FP-38: another kind of signing key is a reason to refresh, and one refresh fixes it."""
    visitor = bare_site.init(use_dynamic_access_token_signing_key=True).sign_in(mode)
    bare_site.init(use_dynamic_access_token_signing_key=False)
    for path in ("/protected", "/optional"):
        assert_refused(visitor.get(path), TRY_REFRESH)
    assert visitor.refresh().status == 200
    assert visitor.get("/protected").status == 200
    token = parse_access_token(visitor.access or "")
    assert token is not None
    assert token.kid.startswith("s-")
    bare_site.init()
    assert_refused(visitor.get("/protected"), TRY_REFRESH)
    assert visitor.refresh().status == 200
    assert visitor.get("/protected").status == 200


def test_an_expired_token_is_try_refresh(site: Site, mode: str) -> None:
    """FP-39: expired is try-refresh, required or optional; to the millisecond."""
    visitor = site.sign_in(mode)
    token = parse_access_token(visitor.access or "")
    assert token is not None
    site.clock.now_ms = token.expires_ms
    assert visitor.get("/protected").status == 200
    site.clock.advance(ms=1)
    for path in ("/protected", "/optional"):
        assert_refused(visitor.get(path), TRY_REFRESH)
    # remembered tokens expire, too, and tokens never seen before
    assert_refused(site.get("/protected", bearer=site.forge(visitor.access or "", extra=1)), TRY_REFRESH)


def test_one_flipped_bit_is_try_refresh(site: Site, mode: str) -> None:
    """FP-39: one flipped bit in claims or signature is try-refresh, required or optional."""
    visitor = site.sign_in(mode)
    head, claims, signature = (visitor.access or "").split(".")
    flipped = ("A" if signature[20] != "A" else "B").join((signature[:20], signature[21:]))
    other = site.forge(visitor.access or "", sub="admin").split(".")[1]
    for broken in (f"{head}.{claims}.{flipped}", f"{head}.{other}.{signature}", f"{head}.{claims}."):
        visitor.access = broken
        for path in ("/protected", "/optional"):
            assert_refused(visitor.get(path), TRY_REFRESH)


def test_an_unknown_key_loads_the_keys_once_per_cool_down(site: Site) -> None:
    """FP-40: an unknown kid loads the keys at most once per cool-down (5 s), then try-refresh."""
    import sqlalchemy

    access = site.sign_in("header").access or ""
    site.get("/protected", bearer=access)
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "key" in statement:
            statements.append(statement)

    sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", note)
    try:
        for number in range(10):
            token = site.forge(access, kid=f"d-{number}")
            assert_refused(site.get("/protected", bearer=token), TRY_REFRESH)
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", note)
    assert len(statements) <= 3  # one load reads the mark of encryption, dynamic and static keys
    assert site.get("/protected", bearer=access).status == 200


# -- duplicates and the legacy cookie --------------------------------------------------------------


@pytest.mark.parametrize("path", ["/protected", "/optional"])
def test_two_access_cookies_are_try_refresh(site: Site, path: str) -> None:
    """FP-42: one of two valid, in either order, required or optional: try refresh."""
    access = site.sign_in().access or ""
    for values in ([access, "old"], ["old", access], [access, access], ["a=b", access]):
        assert_refused(site.get(path, cookies=[("sAccessToken", value) for value in values]), TRY_REFRESH)


def test_two_access_cookies_do_not_matter_beside_a_header_token(site: Site) -> None:
    """FP-42: doubled cookies do not matter where the header token is used."""
    access = site.sign_in().access or ""
    doubled = [("sAccessToken", access), ("sAccessToken", "old")]
    assert site.get("/protected", bearer=access, cookies=doubled).status == 200


def test_a_comma_in_another_cookie_separates_nothing(site: Site) -> None:
    """It separates nothing: Django alone joins lines with commas, and tells them apart."""
    access = site.sign_in("cookie").access
    cookies = [("prefs", "a,b"), ("sAccessToken", access), ("more", "c, sAccessToken=d")]
    assert site.get("/protected", cookies=cookies).status == 200


def test_several_cookie_lines_count_as_one(site: Site) -> None:
    """FP-42: HTTP/2 may split the header: the lines count as one (protocol: Reading cookies)."""
    access = site.sign_in().access or ""
    lines = [("cookie", "a=1; theme=dark"), ("cookie", f"sAccessToken={access}"), ("cookie", "b=2")]
    assert site.get("/protected", lines).json == {"user": "user-1"}
    assert_refused(site.get("/optional", [*lines, ("cookie", "sAccessToken=old")]), TRY_REFRESH)


@pytest.mark.parametrize("path", ["/protected", "/optional"])
def test_the_legacy_cookie_is_try_refresh_and_not_cleared(site: Site, path: str) -> None:
    """FP-43: `sIdRefreshToken` is try-refresh before anything else, and is not cleared."""
    visitor = site.sign_in()
    legacy = ("sIdRefreshToken", "x")
    assert_refused(site.get(path, cookies=[legacy]), TRY_REFRESH)
    assert_refused(site.get(path, cookies=[legacy, ("sAccessToken", visitor.access or "")]), TRY_REFRESH)
    assert_refused(site.get(path, cookies=[legacy], bearer=visitor.access), TRY_REFRESH)


# -- the store -------------------------------------------------------------------------------------


def test_a_revoked_session_is_401_where_the_store_is_asked(site: Site, mode: str) -> None:
    """FP-45: a revoked session is 401 with everything cleared where the store is asked, optional or not."""
    visitor = site.sign_in(mode)
    assert visitor.get("/database").json == {"user": "user-1"}
    import supertokens_py.recipe.session.syncio as session

    assert session.revoke_session(visitor.handle) is True
    assert visitor.get("/protected").status == 200  # nobody asked the store
    access = visitor.access
    reply = visitor.get("/database")
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")

    def optional(view: Any) -> Any:
        yield view.get_session(session_required=False, check_database=True)

    reply = site.get("/open", bearer=access, do=optional)
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")


def test_a_token_two_refreshes_old_is_try_refresh(site: Site, mode: str) -> None:
    """FP-45: with `check_database` a token two refreshes old is try-refresh, tokens kept."""
    visitor = site.sign_in(mode)
    old = visitor.access
    visitor.refresh()
    visitor.access = old
    assert visitor.get("/database").status == 200  # the previous refresh token's access token
    site.clock.advance(minutes=1)  # a session rotates once per grace period
    visitor.refresh()
    visitor.access = old
    assert_refused(visitor.get("/database"), TRY_REFRESH)


def test_a_plain_verification_asks_nobody(site: Site, mode: str) -> None:
    """FP-47: no call of the store without `check_database`."""
    visitor = site.sign_in(mode)
    calls = site.spy()
    assert visitor.get("/protected").status == 200
    assert visitor.post("/protected").status == 200
    assert calls == []
    assert visitor.get("/database").status == 200
    assert calls == ["sessions.verify"]


# -- methods ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE"])
def test_options_and_trace_have_no_session(site: Site, method: str) -> None:
    """FP-48: a required session refuses (401, never 500); an optional one runs the handler without it."""
    visitor = site.sign_in("header")
    if site.driver == "litestar":  # answers both itself
        assert visitor.request(method, "/protected").status in (204, 405)
        return
    assert_refused(visitor.request(method, "/protected"), UNAUTHORISED)
    assert site.world.runs == 1  # the sign-in
    reply = visitor.request(method, "/optional")
    assert (reply.status, site.world.runs) == (200, 2)
    assert reply.body in (b'{"user": null}', b'{"user":null}', b"")


@pytest.mark.pairwise
@pytest.mark.parametrize("method", [method for method in METHODS if method not in ("OPTIONS", "TRACE")])
def test_every_other_method_verifies(site: Site, method: str, mode: str) -> None:
    """FP-55: HEAD and the writing methods are verified like GET."""
    assert site.sign_in(mode).request(method, "/protected").status == 200
    assert site.request(method, "/protected").status == 401


# -- anti-CSRF -------------------------------------------------------------------------------------


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    ("path", "method", "checked"),
    [
        ("/protected", "GET", False),
        ("/protected", "HEAD", False),
        ("/csrf-on", "HEAD", True),
        ("/protected", "POST", True),
        ("/protected", "DELETE", True),
        ("/optional", "POST", True),
        ("/csrf-on", "GET", True),
        ("/csrf-on", "POST", True),
        ("/csrf-off", "GET", False),
        ("/csrf-off", "POST", False),
    ],
)
@pytest.mark.parametrize("anti_csrf", ["NONE", "VIA_CUSTOM_HEADER", "VIA_TOKEN"])
def test_csrf_is_checked_by_method_mode_and_token(
    bare_site: Site, anti_csrf: Any, path: str, method: str, checked: bool
) -> None:
    """FP-52, FP-53, FP-54, FP-55: all rows (protocol: Anti-CSRF), in every mode, cookies and header."""
    bare_site.init(anti_csrf=anti_csrf)
    visitor = bare_site.sign_in()
    proof = {"NONE": "none", "VIA_CUSTOM_HEADER": "rid", "VIA_TOKEN": "anti-csrf"}[anti_csrf]
    expected = 401 if checked and anti_csrf != "NONE" else 200
    without = visitor.request(method, path, without=[proof])
    assert without.status == expected
    assert without.session_parts == []
    if expected == 401 and method != "HEAD":
        assert without.json == TRY_REFRESH
    assert visitor.request(method, path).status == 200
    by_header = bare_site.request(method, path, bearer=bare_site.sign_in("header").access)
    assert by_header.status == 200


def test_an_empty_rid_is_proof(bare_site: Site) -> None:
    """FP-52: presence counts, not the value."""
    bare_site.init(anti_csrf="VIA_CUSTOM_HEADER")
    visitor = bare_site.sign_in()
    for value in ("", "anything"):
        assert visitor.post("/protected", without=["rid"], headers=[("rid", value)]).status == 200


@pytest.mark.parametrize("sent", ["", "wrong", "é"])
def test_a_wrong_anti_csrf_token_is_try_refresh_and_never_reflected(bare_site: Site, sent: str) -> None:
    """FP-53, FP-58: wrong is try-refresh, and what was sent is never reflected."""
    bare_site.init(anti_csrf="VIA_TOKEN")
    visitor = bare_site.sign_in()
    visitor.anti_csrf = None
    assert_refused(visitor.post("/protected", headers=[("anti-csrf", sent)]), TRY_REFRESH)

    def merge(view: Any) -> Any:
        yield view.merge({"a": 1})

    reply = visitor.get("/protected", headers=[("anti-csrf", "reflect-me")], do=merge)
    assert "sAccessToken" in reply.session_parts
    assert "anti-csrf" not in reply.session_parts
    assert "reflect-me" not in str(reply.headers)


def test_via_token_needs_a_token_in_the_session(bare_site: Site) -> None:
    """FP-53: a session made without an anti-CSRF token fails the check until it is refreshed."""
    visitor = bare_site.init(anti_csrf="NONE").sign_in()
    bare_site.init(anti_csrf="VIA_TOKEN")
    visitor.anti_csrf = "anything"
    assert_refused(visitor.post("/protected"), TRY_REFRESH)
    assert visitor.refresh().header("anti-csrf")
    assert visitor.post("/protected").status == 200


def test_csrf_without_a_token_does_not_matter(bare_site: Site) -> None:
    """FP-56: no token, no rid, optional POST: the handler runs."""
    bare_site.init(anti_csrf="VIA_CUSTOM_HEADER")
    assert bare_site.post("/optional").json == {"user": None}
    assert_refused(bare_site.post("/protected"), UNAUTHORISED)


SITES = [
    ("https://api.example.com", "https://example.com", "lax"),
    ("https://api.example.com", "http://example.com", "none"),
    ("https://api.foo.com", "https://bar.com", "none"),
    ("http://localhost:8000", "http://localhost:3000", "lax"),
    ("http://127.0.0.1:8000", "http://localhost:3000", "lax"),
    ("https://a.vercel.app", "https://b.vercel.app", "none"),
    ("https://x.example.co.uk", "https://y.example.co.uk", "lax"),
    ("https://a.local", "https://b.local", "none"),
    ("http://[::1]:8000", "http://localhost:3000", "lax"),
]


@ASGI_AND_WSGI
@pytest.mark.parametrize(("api", "website", "same_site"), SITES)
def test_same_site_and_csrf_follow_the_domains(
    bare_site: Site, api: str, website: str, same_site: str
) -> None:
    """FP-51: the table of 2.6."""
    bare_site.init(info={"api_domain": api, "website_domain": website})
    visitor = bare_site.sign_in()
    attributes = visitor.first.cookie("sAccessToken").attributes
    assert attributes["samesite"].lower() == same_site
    expected = 401 if same_site == "none" else 200
    assert visitor.post("/protected", without=["rid"]).status == expected


def test_same_site_follows_each_requests_origin(bare_site: Site) -> None:
    """FP-51: a callable origin decides each new cookie, and no request whether it needs a proof."""

    def origin(request: Any, context: Any) -> str:
        return (request.get_header("origin") if request else None) or "https://example.com"

    bare_site.init(info={"website_domain": None, "origin": origin})

    def create(view: Any) -> Any:
        yield view.create()

    seen = []
    for website in (
        "https://www.example.com",
        "https://evil.test",
        "https://example.com",
        "https://other.test",
    ):
        headers = [("st-auth-mode", "cookie"), ("origin", website)]
        reply = bare_site.post("/open", headers, do=create)
        seen.append(reply.cookie("sAccessToken").attributes["samesite"].lower())
        cookies = [("sAccessToken", reply.cookie("sAccessToken").raw)]
        seen.append(bare_site.post("/protected", [("origin", website)], cookies=cookies).status)
    assert seen == ["lax", 401, "none", 401, "lax", 401, "none", 401]


# -- contexts --------------------------------------------------------------------------------------


def test_user_contexts_are_not_shared(bare_site: Site) -> None:
    """FP-50: every request has its own context, a copy of the route's, with its own request in it."""
    seen: list[dict[str, Any]] = []

    def functions(default: Any) -> Any:
        def validators(tenant: str, user: str, given: Any, context: Any) -> Any:
            seen.append(dict(context))
            context["user"] = user
            return given

        default.get_global_claim_validators = validators
        return default

    bare_site.init(override=InputOverrideConfig(functions=functions))
    people = [bare_site.sign_in("header", f"user-{number}") for number in range(6)]
    seen.clear()
    replies = bare_site.client.together(
        ("GET", f"/context?n={number}", person.credentials("/context"))
        for number, person in enumerate(people)
    )
    assert [reply.json["user"] for reply in replies] == [f"user-{number}" for number in range(6)]
    assert len(seen) == 6
    assert all(context["from"] == "route" and "user" not in context for context in seen)
    requests = [get_request_from_user_context(context) for context in seen]
    numbers = sorted(request.get_query_param("n") or "" for request in requests if request)
    assert numbers == [str(number) for number in range(6)]


def test_a_session_knows_its_request_and_transfer_method(site: Site, mode: str) -> None:
    """FP-93: the attached session knows its request and way of transfer."""

    def look(view: Any) -> Any:
        info = view.session.req_res_info
        return {"method": info.transfer_method, "path": info.request.get_path()}

    visitor: Visitor = site.sign_in(mode)
    assert visitor.get("/protected", do=look).json == {"method": mode, "path": "/protected"}


# -- mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["flask", "django.asyncio", "django.syncio"])
def test_a_decorator_without_parentheses_is_refused_where_it_stands(framework: str) -> None:
    """`@verify_session` over a view: refused where it stands, not at the first request."""
    verify_session = importlib.import_module(
        f"supertokens_py.recipe.session.framework.{framework}"
    ).verify_session
    with pytest.raises(ConfigError, match="with parentheses"):
        verify_session(lambda request: None)


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django.asyncio", "django.syncio"])
def test_a_list_of_validators_is_refused_at_the_route(framework: str) -> None:
    """A list where a function is wanted is refused when the route is written."""
    verify_session = importlib.import_module(
        f"supertokens_py.recipe.session.framework.{framework}"
    ).verify_session
    with pytest.raises(ConfigError, match=r"must be a function .*not list"):
        verify_session(override_global_claim_validators=[])
