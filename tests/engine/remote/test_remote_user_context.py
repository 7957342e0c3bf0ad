"""The user context of a recipe call reaches the application's network interceptor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py import asyncio as app_async
from supertokens_py.recipe import jwt, multitenancy, session, usermetadata, userroles
from supertokens_py.recipe.jwt import asyncio as jwt_async
from supertokens_py.recipe.multitenancy import asyncio as multitenancy_async
from supertokens_py.recipe.session import asyncio as session_async
from supertokens_py.recipe.usermetadata import asyncio as usermetadata_async
from supertokens_py.recipe.usermetadata import syncio as usermetadata_sync
from supertokens_py.recipe.userroles import asyncio as userroles_async
from tests.engine.remote.cores import (
    Core,
    access_token,
    engine_over,
    jwk,
    stored_session,
    wire_session,
    wire_token,
)

MINE = {"mine": 1}
OK = {"status": "OK"}
Seen = list[tuple[str, Any]]

CALLS: dict[str, Callable[[], Awaitable[Any]]] = {
    "/public/recipe/session": lambda: session_async.create_new_session_without_request_response(
        "public", "u1", user_context=MINE
    ),
    "/recipe/session/refresh": lambda: session_async.refresh_session_without_request_response(
        "token", user_context=MINE
    ),
    "/recipe/session/verify": lambda: session_async.get_session_without_request_response(
        access_token().text, check_database=True, user_context=MINE
    ),
    "/recipe/session": lambda: session_async.get_session_information("handle-1", MINE),
    "/recipe/session/remove": lambda: session_async.revoke_session("handle-1", MINE),
    "/recipe/session/data": lambda: session_async.update_session_data_in_database("handle-1", {}, MINE),
    "/public/recipe/session/user": lambda: session_async.get_all_session_handles_for_user(
        "u1", user_context=MINE
    ),
    "/recipe/jwt/data": lambda: session_async.merge_into_access_token_payload("handle-1", {"a": 1}, MINE),
    "/recipe/user/metadata": lambda: usermetadata_async.get_user_metadata("u1", MINE),
    "/public/recipe/user/roles": lambda: userroles_async.get_roles_for_user("public", "u1", MINE),
    "/recipe/roles": lambda: userroles_async.get_all_roles(MINE),
    "/recipe/multitenancy/tenant/list/v2": lambda: multitenancy_async.list_all_tenants(MINE),
    "/user/remove": lambda: app_async.delete_user("u1", MINE),
    "/recipe/jwt": lambda: jwt_async.create_jwt({}, user_context=MINE),
}


@pytest.fixture
def core() -> Core:
    issued = wire_session(accessToken=wire_token(access_token().text), refreshToken=wire_token("refresh"))
    issued["session"]["userDataInJWT"] = {"iss": "http://api.test/auth"}
    return Core(
        {
            "GET /.well-known/jwks.json": {"keys": [jwk()]},
            "POST /public/recipe/session": issued,
            "POST /recipe/session/refresh": issued,
            "POST /recipe/session/verify": {**OK, "session": issued["session"]},
            "GET /recipe/session": stored_session(),
            "POST /recipe/session/remove": {**OK, "sessionHandlesRevoked": []},
            "PUT /recipe/session/data": OK,
            "GET /public/recipe/session/user": {**OK, "sessionHandles": []},
            "PUT /recipe/jwt/data": OK,
            "GET /recipe/user/metadata": {**OK, "metadata": {}},
            "GET /public/recipe/user/roles": {**OK, "roles": []},
            "GET /recipe/roles": {**OK, "roles": []},
            "GET /recipe/multitenancy/tenant/list/v2": {**OK, "tenants": []},
            "POST /user/remove": OK,
            "POST /recipe/jwt": {**OK, "jwt": "a.b.c"},
        }
    )


@pytest.fixture
def seen(core: Core) -> Iterator[Seen]:
    """What the interceptor of an app over `core` saw: path and user context of each request."""
    seen: Seen = []

    def interceptor(url: str, method: str, headers: Any, params: Any, body: Any, user_context: Any) -> Any:
        seen.append((httpx2.URL(url).path, user_context))
        return url, method, headers, params, body

    Supertokens.reset()
    init(
        app_info=InputAppInfo(app_name="app", api_domain="http://api.test", website_domain="http://web.test"),
        supertokens_config=SupertokensConfig("http://core.test"),
        recipe_list=[session.init(), jwt.init(), multitenancy.init(), usermetadata.init(), userroles.init()],
    )
    app: Any = Supertokens.get_instance()
    app.open_engine = lambda: engine_over(core, network_interceptor=interceptor)
    yield seen
    Supertokens.reset()


@pytest.mark.parametrize("path", CALLS)
def test_every_request_of_a_call_shows_its_user_context(seen: Seen, path: str) -> None:
    """What the caller put in is there, also while the version is negotiated."""
    asyncio.run(_awaited(CALLS[path]()))
    assert path in [asked for asked, _ in seen]
    assert [context["mine"] for _, context in seen] == [1] * len(seen)


def test_blocking_callers_show_theirs_too(seen: Seen) -> None:
    """The sync twin is the same code in the caller's thread; the next call has a context of its own."""
    usermetadata_sync.get_user_metadata("u1", {"mine": 2})
    usermetadata_sync.get_user_metadata("u1")
    assert ["mine" in context for _, context in seen] == [True, True, False]


def test_concurrent_calls_do_not_see_each_other(seen: Seen) -> None:
    """Each of fifty calls at once is seen with its own context."""

    async def all_at_once() -> None:
        await asyncio.gather(*(usermetadata_async.get_user_metadata("u1", {"mine": n}) for n in range(50)))

    asyncio.run(all_at_once())
    calls = [context["mine"] for path, context in seen if path == "/recipe/user/metadata"]
    assert sorted(calls) == list(range(50))


async def _awaited(answer: Awaitable[Any]) -> Any:
    return await answer
