"""What the customer's documents say about payload, session data, JWTs and older names (seeds 0-4)."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx2
import jwt
import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import ProtectedClaimError
from supertokens_py.recipe import session
from supertokens_py.recipe.session import asyncio as functions
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.interfaces import RecipeInterface, SessionContainer
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import API, KINDS, Route, Visit
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

RESERVED = (
    "sub",
    "iat",
    "exp",
    "sessionHandle",
    "refreshTokenHash1",
    "parentRefreshTokenHash1",
    "antiCsrfToken",
)


@pytest.fixture
def app(any_database: TestDatabase, start: Start) -> Supertokens:
    """An app on each database that outlives a process."""
    return start(uri=any_database.uri)


async def created(
    payload: dict[str, Any] | None = None, data: dict[str, Any] | None = None
) -> SessionContainer:
    return await functions.create_new_session_without_request_response("public", "userId", payload, data)


async def stored(handle: str) -> dict[str, Any]:
    information = await functions.get_session_information(handle)
    assert information is not None
    return information.custom_claims_in_access_token_payload


async def refreshed(of: SessionContainer) -> dict[str, Any]:
    token = of.get_all_session_tokens_dangerously()["refreshToken"]
    assert token is not None
    return (await functions.refresh_session_without_request_response(token)).get_access_token_payload()


# -- both stores at creation (seeds 0, 1, 3) -------------------------------------------------------


def with_both_stores(original: RecipeInterface) -> RecipeInterface:
    create = original.create_new_session

    async def create_new_session(
        user_id: str,
        access_token_payload: dict[str, Any] | None,
        session_data_in_database: dict[str, Any] | None,
        disable_anti_csrf: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> SessionContainer:
        return await create(
            user_id,
            {**(access_token_payload or {}), "someKey": "someValue"},
            {**(session_data_in_database or {}), "someKey": "someValue"},
            disable_anti_csrf,
            tenant_id,
            user_context,
        )

    original.create_new_session = create_new_session  # type: ignore[method-assign]
    return original


def with_older_names(original: RecipeInterface) -> RecipeInterface:
    """Seed 3 speaks of `jwtPayload` and `sessionData`: the parameters are found by these names."""
    create: Any = original.create_new_session

    async def create_new_session(
        user_id: str, jwt_payload: Any, session_data: Any, tenant_id: str, user_context: dict[str, Any]
    ) -> SessionContainer:
        return await create(
            user_id=user_id,
            jwt_payload={**(jwt_payload or {}), "someKey": "someValue"},
            session_data={**(session_data or {}), "someKey": "someValue"},
            disable_anti_csrf=None,
            tenant_id=tenant_id,
            user_context=user_context,
        )

    original.create_new_session = create_new_session  # type: ignore[method-assign,assignment]
    return original


@pytest.mark.parametrize("override", [with_both_stores, with_older_names])
@pytest.mark.parametrize("kind", KINDS)
async def test_both_stores_at_creation(kind: str, override: Any, start: Start, open_site: Open) -> None:
    """The payload reaches the client, the data in the database never does."""
    start(override=session.InputOverrideConfig(functions=override))

    async def log_in(visit: Visit) -> Any:
        return (await visit.log_in("userId")).get_handle()

    answer = await open_site(kind, [Route("/login", log_in)]).browser(st_auth_mode="header").post("/login")
    information = await functions.get_session_information(answer.json())
    assert information is not None
    assert information.session_data_in_database == {"someKey": "someValue"}
    assert information.session_data == {"someKey": "someValue"}
    assert front_token(answer)["up"]["someKey"] == "someValue"
    assert "sessionData" not in str(front_token(answer))


async def test_session_data_defaults_to_nothing(app: Supertokens) -> None:
    session_ = await created()
    assert await session_.get_session_data_from_database() == {}
    await session_.update_session_data_in_database({"a": 1})
    await session_.update_session_data_in_database({"b": 2})
    assert await session_.get_session_data_from_database() == {"b": 2}
    assert await functions.update_session_data_in_database(session_.get_handle(), {}) is True
    assert await session_.get_session_data_from_database() == {}


async def test_older_argument_names_at_creation(app: Supertokens) -> None:
    session_ = await functions.create_new_session_without_request_response(
        "public", "userId", jwt_payload={"a": 1}, session_data={"b": 2}
    )
    assert session_.get_access_token_payload()["a"] == 1
    assert await session_.get_session_data_from_database() == {"b": 2}
    with pytest.raises(TypeError, match="jwt_payload"):
        await functions.create_new_session_without_request_response(
            "public", "userId", access_token_payload={}, jwt_payload={}
        )


# -- reserved keys (seeds 0, 2) --------------------------------------------------------------------


@pytest.mark.parametrize("name", [*RESERVED, "rsub", "tId"])
async def test_reserved_keys_are_errors_and_write_nothing(name: str, app: Supertokens) -> None:
    with pytest.raises(ProtectedClaimError, match=name):
        await created({name: "x"})
    assert await functions.get_all_session_handles_for_user("userId") == []
    session_ = await created({"a": 1})
    before = await stored(session_.get_handle())
    with pytest.raises(ProtectedClaimError, match=name):
        await session_.merge_into_access_token_payload({"b": 2, name: "x"})
    with pytest.raises(ProtectedClaimError, match=name):
        await functions.merge_into_access_token_payload(session_.get_handle(), {"b": 2, name: "x"})
    assert await stored(session_.get_handle()) == before


@pytest.mark.parametrize("name", [*RESERVED, "rsub", "tId"])
async def test_reserved_keys_cannot_be_removed(name: str, app: Supertokens) -> None:
    """None overwrites nothing: no error and no effect, as in 0.24."""
    session_ = await created({"a": 1})
    before = session_.get_access_token_payload().get(name, "none")
    await session_.merge_into_access_token_payload({"b": 2, name: None})
    assert (
        await functions.merge_into_access_token_payload(session_.get_handle(), {"c": 3, name: None}) is True
    )
    assert session_.get_access_token_payload()["b"] == 2
    if name not in ("iat", "exp"):  # of the new token
        assert session_.get_access_token_payload().get(name, "none") == before
    assert (await stored(session_.get_handle()))["c"] == 3


async def test_reserved_key_added_by_an_override_is_an_error(start: Start) -> None:
    def override(original: RecipeInterface) -> RecipeInterface:
        create = original.create_new_session

        async def create_new_session(
            user_id: str, access_token_payload: Any, *rest: Any, **named: Any
        ) -> Any:
            return await create(user_id, {**access_token_payload, "sub": "root"}, *rest, **named)

        original.create_new_session = create_new_session  # type: ignore[method-assign]
        return original

    start(override=session.InputOverrideConfig(functions=override))
    with pytest.raises(ProtectedClaimError, match="sub"):
        await created()
    assert await functions.get_all_session_handles_for_user("userId") == []


# -- merging (seeds 0, 1) --------------------------------------------------------------------------


async def test_merge_works_at_the_root_and_none_removes(app: Supertokens) -> None:
    session_ = await created({"keep": 1, "remove": 2, "nested": {"a": 1, "b": 2}})
    await session_.merge_into_access_token_payload({"remove": None, "nested": {"c": None}})
    online = session_.get_access_token_payload()
    assert (online["keep"], online["nested"], "remove" in online) == (1, {"c": None}, False)
    await functions.merge_into_access_token_payload(session_.get_handle(), {"keep": None, "new": 3})
    after = await stored(session_.get_handle())
    assert {name: after.get(name, "gone") for name in ("keep", "nested", "new")} == {
        "keep": "gone",
        "nested": {"c": None},
        "new": 3,
    }


async def test_offline_merge_is_seen_after_the_refresh(app: Supertokens) -> None:
    session_ = await created()
    assert await functions.merge_into_access_token_payload(session_.get_handle(), {"newKey": "newValue"})
    same = await functions.get_session_without_request_response(session_.get_access_token())
    assert same is not None
    assert "newKey" not in same.get_access_token_payload()
    assert (await refreshed(session_))["newKey"] == "newValue"
    assert await functions.merge_into_access_token_payload("no such handle", {"a": 1}) is False


@pytest.mark.parametrize("mode", ["cookie", "header"])
@pytest.mark.parametrize("kind", KINDS)
async def test_online_merge_is_visible_at_once(kind: str, mode: str, start: Start, open_site: Open) -> None:
    """In the token, in the front token, in the same request and in the next."""
    start()

    async def log_in(visit: Visit) -> Any:
        return (await visit.log_in("userId")).get_handle()

    async def update_info(visit: Visit) -> Any:
        assert visit.session is not None
        await visit.merge({"newKey": "newValue"})
        return visit.session.get_access_token_payload()["newKey"]

    async def my_api(visit: Visit) -> Any:
        assert visit.session is not None
        return visit.session.get_access_token_payload().get("newKey")

    routes = [
        Route("/login", log_in),
        Route("/updateinfo", update_info, verify={}),
        Route("/myApi", my_api, verify={}),
    ]
    browser = open_site(kind, routes).browser(st_auth_mode=mode)
    carry(browser, await browser.post("/login"))
    assert (await browser.get("/myApi")).json() is None
    answer = await browser.post("/updateinfo")
    assert answer.json() == "newValue"
    assert front_token(answer)["up"]["newKey"] == "newValue"
    token = carry(browser, answer)
    assert front_token(answer)["up"] == jwt.decode(token, options={"verify_signature": False})
    assert (await browser.get("/myApi")).json() == "newValue"


def carry(browser: Any, answer: httpx2.Response) -> str:
    """Keep a header-mode token as a client would; return the access token of either mode."""
    if token := answer.headers.get("st-access-token"):
        browser.headers["authorization"] = f"Bearer {token}"
        return token
    return browser.cookies["sAccessToken"]


def front_token(answer: httpx2.Response) -> dict[str, Any]:
    return json.loads(base64.b64decode(answer.headers["front-token"]))


# -- JWT (seed 1) ----------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["class", "dict"])
async def test_the_access_token_is_a_jwt_that_any_library_verifies(
    option: str, start: Start, clock: Clock
) -> None:
    """The access token is the JWT: custom claims, `sub`, `iss`, `exp`, `iat`; any library verifies it."""

    def add_role(original: RecipeInterface) -> RecipeInterface:
        create = original.create_new_session

        async def create_new_session(
            user_id: str, access_token_payload: Any, *rest: Any, **named: Any
        ) -> Any:
            return await create(user_id, {**(access_token_payload or {}), "role": "user"}, *rest, **named)

        original.create_new_session = create_new_session  # type: ignore[method-assign]
        return original

    value: Any = session.JWTConfig(enable=True) if option == "class" else {"enable": True}
    with pytest.warns(DeprecationWarning, match="the access token is a JWT"):
        start(jwt=value, override=session.InputOverrideConfig(functions=add_role))
    token = (await created()).get_access_token()
    keys = [key.to_json() for key in (await functions.get_jwks()).keys]
    key = jwt.PyJWKSet.from_dict({"keys": keys})[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], issuer=f"{API}/auth")
    assert (claims["role"], claims["sub"], claims["iss"]) == ("user", "userId", f"{API}/auth")
    assert claims["iat"] == clock() // 1000 < claims["exp"]


async def test_jwt_option_with_an_issuer(start: Start) -> None:
    with pytest.warns(DeprecationWarning, match="jwt"):
        start(jwt=session.JWTConfig(enable=True, issuer="https://issuer.example.com/auth"))
    assert (await created()).get_access_token_payload()["iss"] == "https://issuer.example.com/auth"
    found = await functions.get_open_id_discovery_configuration()
    assert found.issuer == "https://issuer.example.com/auth"


# -- the older update function (seed 4) ------------------------------------------------------------


async def test_update_access_token_payload_of_a_container(app: Supertokens) -> None:
    """Full replacement of the custom claims; the current payload is spread last, as in the document."""
    session_ = await created({"old": 1, "newKey": "kept"})
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        await session_.update_access_token_payload(
            {"newKey": "newValue", **session_.get_access_token_payload()}
        )
    payload = session_.get_access_token_payload()
    assert (payload["old"], payload["newKey"], payload["sub"]) == (1, "kept", "userId")
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        await session_.update_access_token_payload({"newKey": None})
    payload = session_.get_access_token_payload()
    assert ("old" in payload, payload["newKey"], payload["iss"]) == (False, None, f"{API}/auth")
    assert await stored(session_.get_handle()) == {"newKey": None, "iss": f"{API}/auth"}


async def test_update_access_token_payload_by_handle(app: Supertokens) -> None:
    session_ = await created({"old": 1})
    for handle in await functions.get_all_session_handles_for_user("userId"):
        information = await functions.get_session_information(handle)
        assert information is not None
        current = information.access_token_payload
        assert current == information.custom_claims_in_access_token_payload
        with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
            assert await functions.update_access_token_payload(handle, {"newKey": "newValue", **current})
    payload = await refreshed(session_)
    assert (payload["newKey"], payload["old"]) == ("newValue", 1)
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        assert await functions.update_access_token_payload(session_.get_handle(), {"only": 1})
    assert await stored(session_.get_handle()) == {"only": 1, "iss": f"{API}/auth"}
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        assert await functions.update_access_token_payload("no such handle", {}) is False


def test_update_access_token_payload_blocking(app: Supertokens) -> None:
    session_ = syncio.create_new_session_without_request_response("public", "userId", {"old": 1})
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        session_.sync_update_access_token_payload({"a": 1})
    with pytest.warns(DeprecationWarning, match="merge_into_access_token_payload"):
        assert syncio.update_access_token_payload(session_.get_handle(), {"b": 1})
    information = syncio.get_session_information(session_.get_handle())
    assert information is not None
    assert information.access_token_payload == {"b": 1, "iss": f"{API}/auth"}
