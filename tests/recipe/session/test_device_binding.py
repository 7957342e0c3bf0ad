"""`device_binding`: its settings, its cookie and headers, and sessions without a request."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.device_keys import BoundKey
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.exceptions import ConfigError, EngineUnavailableError, ProtectedClaimError
from supertokens_py.recipe import session
from supertokens_py.recipe.session import DeviceBinding, SessionContainer
from supertokens_py.recipe.session.device_binding.bound_cookie import bound_cookie, is_genuine, unexpired
from supertokens_py.recipe.session.device_binding.headers import is_skipped, read_text, registration
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from supertokens_py.recipe.session.recipe import SessionRecipe
from supertokens_py.recipe.session.routes.device_binding_routes import instructions
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_session,
    get_session_without_request_response,
    list_sessions,
    merge_into_access_token_payload,
    refresh_session_without_request_response,
)
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import Sqlite
from tests.support.device_proofs import new_key, proof
from tests.support.units import refused_units

from .conftest import Start

KEY = new_key()
NOW = 1_700_000_000_000
HANDLE, JKT = "handle", "thumbprint"


def start_with(
    binding: Any = "auto", *, uri: str = "sqlite://", info: dict[str, Any] | None = None, **settings: Any
) -> None:
    where = {"api_domain": "https://api.example.com", "website_domain": "https://example.com", **(info or {})}
    Supertokens.reset()
    init(
        InputAppInfo("Test", **where),
        supertokens_config=SupertokensConfig(uri),
        recipe_list=[session.init(device_binding=binding, **settings)],
    )


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"info": {"api_domain": "http://localhost:8000"}}, "needs an API over https"),
        ({"cookie_secure": False}, "needs an API over https"),
        ({"cookie_domain": ".example.com"}, "cannot work with cookie_domain '.example.com'"),
        ({"get_token_transfer_method": "header"}, "needs cookies"),
        ({"uri": "http://localhost:3567"}, "device_binding"),
        ({"binding": "always"}, "device_binding must be a DeviceBinding"),
        ({"binding": True}, "device_binding must be a DeviceBinding"),
        (
            {"info": {"website_domain": None, "origin": lambda *_: "https://example.com"}},
            "cannot derive the website",
        ),
    ],
)
def test_settings_with_which_nothing_can_be_bound(settings: dict[str, Any], part: str) -> None:
    """CP-33: an application that asks for it learns at `init` that no browser could do it."""
    with pytest.raises(ConfigError, match="device_binding") as refused:
        start_with(**settings)
    assert part in str(refused.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"cookie_lifetime": 59},
        {"cookie_lifetime": 601},
        {"cookie_lifetime": True},
        {"initiators": "example.com"},
        {"initiators": ["https://example.com"]},
        {"initiators": [""]},
        {"excluded_paths": ["static"]},
        {"excluded_paths": ["/"]},
        {"excluded_paths": ["/a?b"]},
    ],
)
def test_arguments_that_cannot_work(arguments: dict[str, Any]) -> None:
    """The message names the argument."""
    (name,) = arguments
    with pytest.raises(ConfigError, match=f"device_binding: {name} must be"):
        DeviceBinding(**arguments)


@pytest.mark.parametrize(
    ("website", "binding", "initiators"),
    [
        ("https://api.example.com", DeviceBinding(), None),
        ("https://example.com:8443", DeviceBinding(), ["example.com"]),
        (
            "https://example.com",
            DeviceBinding(initiators=["admin.example.com", "example.com"]),
            ["example.com", "admin.example.com"],
        ),
    ],
)
def test_what_browsers_are_told(website: str, binding: DeviceBinding, initiators: list[str] | None) -> None:
    """The host of the website need not be named; a page of the API's own origin never is."""
    start_with(binding, info={"website_domain": website})
    bindings = SessionRecipe.get_instance().bindings
    assert bindings is not None
    key = BoundKey(handle=HANDLE, tenant_id="public", user_id="user", bound_id="id", thumbprint=JKT)
    told = instructions(bindings, key)
    assert told.pop("allowed_refresh_initiators", None) == initiators
    assert told == {
        "session_identifier": "id",
        "refresh_url": "/auth/session/device/refresh",
        "scope": {"origin": "https://api.example.com", "include_site": False, "scope_specification": []},
        "credentials": [
            {
                "type": "cookie",
                "name": "__Host-sDevice",
                "attributes": "Path=/; Secure; HttpOnly; SameSite=Lax",
            }
        ],
    }
    Supertokens.reset()


def test_a_bound_cookie_is_for_one_session_one_key_and_some_minutes() -> None:
    value = bound_cookie(b"secret", HANDLE, JKT, expires_ms=NOW, nonce="abc")
    assert value.startswith(f"v1.{NOW}.abc.")
    assert is_genuine(value, [b"newer", b"secret"], HANDLE, JKT)
    for secret, handle, thumbprint in (
        (b"newer", HANDLE, JKT),
        (b"secret", "another", JKT),
        (b"secret", HANDLE, "another"),
        (b"secret", f"{JKT}.{HANDLE}", ""),
    ):
        assert not is_genuine(value, [secret], handle, thumbprint)
    longer = value.replace(str(NOW), str(NOW + 1000))
    assert not is_genuine(longer, [b"secret"], HANDLE, JKT)
    assert unexpired([value, longer], now_ms=NOW) == [longer]
    assert unexpired([value], now_ms=NOW - 1) == [value]


@pytest.mark.parametrize(
    "value", ["", "v1", "v1..a.b", "v2.9999999999999.a.b", "v1.x.a.b", "v1.²999.a.b", "v1." + "9" * 300]
)
def test_what_is_no_bound_cookie(value: str) -> None:
    assert unexpired([value], now_ms=0) == []


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ('"abc.def"', "abc.def"),
        ("abc.def", "abc.def"),
        (' "a" ', "a"),
        (None, None),
        ("", None),
        ('""', None),
        ('"a', None),
        ("a b", None),
        ("a\\b", None),
        ("é", None),
        ("a" * 5001, None),
    ],
)
def test_strings_of_browsers(header: str | None, text: str | None) -> None:
    """With quotes, as the draft says, and without, as Chromium sends them."""
    assert read_text(header) == text


@pytest.mark.parametrize(
    ("header", "skipped"),
    [
        ('server_error;session_identifier="id"', True),
        ("unreachable", True),
        ('other, quota_exceeded;session_identifier="id"', True),
        ('"unreachable"', False),
        ("unreachable_or_not", False),
        ("", False),
        (None, False),
        ("unreachable," * 1000, False),
    ],
)
def test_proofs_that_were_skipped(header: str | None, skipped: bool) -> None:
    assert is_skipped(header) is skipped


def test_an_offer_is_a_structured_field() -> None:
    expected = '(ES256 RS256);path="/auth/x";challenge="abc"'
    assert registration(("ES256", "RS256"), "/auth/x", "abc") == expected


def bound() -> tuple[SessionContainer, BoundKey]:
    """Return a bound session and its key."""
    made = create_new_session_without_request_response("public", "user")
    keys = Supertokens.get_instance().engine.device_keys
    assert keys is not None
    proved = keys.register(proof(KEY, keys.offer(made.session_handle), with_key=True), check=lambda _: None)
    assert hasattr(proved, "key"), proved
    return made, proved.key  # type: ignore[union-attr]


def cookie_of(key: BoundKey, *, expires_ms: int) -> str:
    """Return a bound cookie as the SDK makes it."""
    secret = Supertokens.get_instance().engine.keys.shared_secrets("device cookie")[0]
    return bound_cookie(secret, key.handle, key.thumbprint, expires_ms=expires_ms, nonce="abc")


def tokens_of(made: SessionContainer) -> tuple[str, str]:
    tokens = made.get_all_session_tokens_dangerously()
    assert tokens["refreshToken"]
    return tokens["accessToken"], tokens["refreshToken"]


def test_functions_without_a_request_ask_for_the_cookie(start: Start, clock: Clock) -> None:
    start(device_binding="auto")
    made, key = bound()
    cookie = cookie_of(key, expires_ms=clock() + 1000)
    refresh_token = tokens_of(made)[1]
    for wrong in (None, "", "v1.0.a.b", cookie_of(key, expires_ms=clock())):
        with pytest.raises(UnauthorisedError) as refused:
            refresh_session_without_request_response(refresh_token, device_cookie=wrong)
        assert (refused.value.code, refused.value.clear_tokens) == ("device_proof_missing", True)
    renewed = refresh_session_without_request_response(refresh_token, device_cookie=cookie)
    access_token = tokens_of(renewed)[0]
    token = parse_access_token(access_token)
    assert token is not None
    assert renewed.bound_key == token.payload["cnf"]["jkt"] == key.thumbprint
    with pytest.raises(TryRefreshTokenError) as missing:
        get_session_without_request_response(access_token)
    assert missing.value.code == "device_proof_missing"
    found = get_session_without_request_response(access_token, device_cookie=cookie)
    assert found is not None
    assert found.session_handle == key.handle
    assert made.bound_key is None


def test_a_cookie_of_another_session_proves_nothing(start: Start, clock: Clock) -> None:
    """Not even one of the same key."""
    start(device_binding="auto")
    made, key = bound()
    _, other = bound()
    assert other.thumbprint == key.thumbprint
    cookie = cookie_of(other, expires_ms=clock() + 1000)
    with pytest.raises(UnauthorisedError, match="without its proof"):
        refresh_session_without_request_response(tokens_of(made)[1], device_cookie=cookie)


def test_the_claim_of_the_key_is_reserved(start: Start) -> None:
    """With the setting only: it is the application's own elsewhere."""
    start()
    made = create_new_session_without_request_response("public", "user", {"cnf": {"jkt": "mine"}})
    assert merge_into_access_token_payload(made.session_handle, {"cnf": None})
    start(device_binding="auto")
    with pytest.raises(ProtectedClaimError, match="cnf"):
        create_new_session_without_request_response("public", "user", {"cnf": {"jkt": "mine"}})
    _, key = bound()
    with pytest.raises(ProtectedClaimError, match="cnf"):
        merge_into_access_token_payload(key.handle, {"cnf": None})


def test_require_bound_needs_the_setting(start: Start) -> None:
    """A route with it would else be for nobody, and nobody would know why."""
    start()
    made = create_new_session_without_request_response("public", "user", {"cnf": {"jkt": "mine"}})
    bearer = f"Bearer {made.get_access_token()}".encode()
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"authorization", bearer)]})
    assert get_session(request).session_handle == made.session_handle
    with pytest.raises(ConfigError, match="require_bound=True"):
        get_session(request, require_bound=True)


def test_lists_say_which_sessions_are_bound(start: Start) -> None:
    start(device_binding="auto")
    _, key = bound()
    create_new_session_without_request_response("public", "user")
    listed: dict[bool, Any] = {one.session_handle == key.handle: one.device for one in list_sessions("user")}
    assert [listed[True].bound, listed[False].bound] == [True, False]


def test_proofs_are_checked_while_the_store_is_out_of_reach(
    start: Start, clock: Clock, sqlite_files: Sqlite
) -> None:
    """Also when the next signing key ought to have been made; the first is as old as this test."""
    uri = sqlite_files.create(template=False).uri
    start(uri=uri, device_binding="auto")
    create_new_session_without_request_response("public", "user")
    clock.advance(hours=168)
    clock.advance(minutes=-5)
    unbound = create_new_session_without_request_response("public", "user")
    made, key = bound()
    cookie = cookie_of(key, expires_ms=clock() + 3_600_000)
    renewed = refresh_session_without_request_response(tokens_of(made)[1], device_cookie=cookie)
    access_token = tokens_of(renewed)[0]
    clock.advance(minutes=10)
    engine: Any = Supertokens.get_instance().engine
    with refused_units(engine.database, "the database is down"):
        for _ in range(2):
            assert get_session_without_request_response(access_token, device_cookie=cookie) is not None
        with pytest.raises(TryRefreshTokenError):
            get_session_without_request_response(access_token, device_cookie=f"{cookie}x")

    start(uri=uri, device_binding="auto")  # a process that has checked none yet
    clock.advance(minutes=-10)
    assert get_session_without_request_response(unbound.get_access_token()) is not None
    clock.advance(minutes=10)
    engine = Supertokens.get_instance().engine
    with (
        refused_units(engine.database, "the database is down"),
        pytest.raises(EngineUnavailableError, match="the database is down"),
    ):
        get_session_without_request_response(access_token, device_cookie=cookie)


def test_a_renewed_master_key_is_noticed_at_once(start: Start, clock: Clock) -> None:
    """Another process has made the cookie with it; this one has known the former key for half a minute."""
    start(device_binding="auto")
    made, key = bound()
    cookie = cookie_of(key, expires_ms=clock() + 600_000)
    renewed = refresh_session_without_request_response(tokens_of(made)[1], device_cookie=cookie)
    clock.advance(s=30)
    engine: Any = Supertokens.get_instance().engine
    engine.keys.renew(RenewalOrder(master=True, keep_sessions_ms=3_600_000))
    newer = cookie_of(key, expires_ms=clock() + 600_000)
    access_token = tokens_of(renewed)[0]
    for value in (newer, cookie):
        assert get_session_without_request_response(access_token, device_cookie=value) is not None
