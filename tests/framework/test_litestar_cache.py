"""Litestar's response cache, whose key is the URL: it keeps no response that is one visitor's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from litestar import Litestar, MediaType, Request, get, post
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide

from supertokens_py.framework.litestar import SuperTokensPlugin
from supertokens_py.recipe.session.asyncio import create_new_session, get_session
from supertokens_py.recipe.session.framework.litestar import verify_session
from supertokens_py.testing.conformance import AsgiClient
from tests.seeds.fixtures import start

__all__ = ["start"]

AnyRequest = Request[Any, Any, Any]
Bearer = list[tuple[str, str]]

NOBODY: Bearer = []


@post("/login", status_code=200)
async def log_in(request: AnyRequest) -> None:
    await create_new_session(request, "public", request.query_params["user"])


@get("/guarded", guards=[verify_session()], cache=60, media_type=MediaType.TEXT)
async def guarded(request: AnyRequest) -> str:
    return request.user


@get("/optional", guards=[verify_session(session_required=False)], cache=True, media_type=MediaType.TEXT)
async def optional(request: AnyRequest) -> str:
    return str(request.user)


async def asked(request: AnyRequest) -> str:
    session = await get_session(request, session_required=False)
    return str(session and session.get_user_id())


@get("/in-view", cache=60, media_type=MediaType.TEXT)
async def in_view(request: AnyRequest) -> str:
    return await asked(request)


@get("/injected", cache=60, dependencies={"user": Provide(asked)}, media_type=MediaType.TEXT)
async def injected(user: NamedDependency[str]) -> str:
    return user


@get("/writing", guards=[verify_session(vary=False)], cache=60, media_type=MediaType.TEXT)
async def writing(request: AnyRequest) -> str:
    await request.auth.merge_into_access_token_payload({"n": 1})
    return request.user


@get("/signing-in", cache=60, media_type=MediaType.TEXT)
async def signing_in(request: AnyRequest) -> str:
    return (await create_new_session(request, "public", "ada")).get_handle()


@get("/public", cache=60, media_type=MediaType.TEXT)
async def public(request: AnyRequest) -> str:
    return str(next(request.app.state.counter))


@get("/same", guards=[verify_session(vary=False)], cache=60, media_type=MediaType.TEXT)
async def same(request: AnyRequest) -> str:
    return str(next(request.app.state.counter))


HANDLERS = [log_in, guarded, optional, in_view, injected, writing, signing_in, public, same]


@pytest.fixture
def open_app(start: Callable[..., Any]) -> Iterator[Callable[..., AsgiClient]]:
    """Call `init` and make a client for an application with these options."""
    start(info={"api_domain": "https://api.example.com", "website_domain": "https://example.com"})
    clients: list[AsgiClient] = []

    def make(**options: Any) -> AsgiClient:
        app = Litestar(
            HANDLERS,
            plugins=[SuperTokensPlugin()],
            state=State({"counter": count(1)}, deep_copy=False),
            openapi_config=None,
            logging_config=None,
            **options,
        )
        clients.append(AsgiClient(app))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def bearer(client: AsgiClient, user: str) -> Bearer:
    return [("authorization", f"Bearer {client.request('POST', f'/login?user={user}', []).access}")]


@pytest.mark.parametrize("path", ["/guarded", "/optional", "/in-view", "/injected", "/writing"])
def test_everybody_gets_their_own_page(open_app: Callable[..., AsgiClient], path: str) -> None:
    """Wherever the session was asked for, and also if `vary=False` but tokens travel on the response."""
    client = open_app()
    ada, bob = bearer(client, "ada"), bearer(client, "bob")
    assert [client.request("GET", path, who).body for who in (ada, bob)] == [b"ada", b"bob"]


def test_a_page_of_nobody_is_not_kept_for_a_user(open_app: Callable[..., AsgiClient]) -> None:
    """A session was looked for: the answer to a visitor without one is theirs as well."""
    client = open_app()
    ada = bearer(client, "ada")
    assert [client.request("GET", "/optional", who).body for who in (NOBODY, ada)] == [b"None", b"ada"]


def test_a_log_in_is_not_kept(open_app: Callable[..., AsgiClient]) -> None:
    """The next one to log in at that URL gets a session of their own."""
    client = open_app()
    first, second = (client.request("GET", "/signing-in", []) for _ in range(2))
    assert first.body != second.body
    assert None not in {first.access, second.access}
    assert first.access != second.access


def test_what_is_the_same_for_everybody_is_kept(open_app: Callable[..., AsgiClient]) -> None:
    """Pages that ask for no session, and pages whose guard says `vary=False`, which still guards them."""
    client = open_app()
    ada, bob = bearer(client, "ada"), bearer(client, "bob")
    assert [client.request("GET", "/public", who).body for who in (ada, bob, NOBODY)] == [b"1"] * 3
    replies = [client.request("GET", "/same", who) for who in (ada, bob, NOBODY)]
    assert [(reply.status, reply.body) for reply in replies[:2]] == [(200, b"2")] * 2
    assert replies[2].status == 401


def test_a_filter_of_the_application_decides_as_well(open_app: Callable[..., AsgiClient]) -> None:
    """It can refuse what the SDK would let pass, not allow the rest; its config object is left as it was."""

    def of_the_public_page(scope: Any, status: int) -> bool:
        return scope["path"] in {"/public", "/guarded"}

    config = ResponseCacheConfig(cache_response_filter=of_the_public_page)
    client = open_app(response_cache_config=config)
    ada, bob = bearer(client, "ada"), bearer(client, "bob")
    assert [client.request("GET", "/public", NOBODY).body for _ in range(2)] == [b"1", b"1"]
    assert [client.request("GET", "/same", ada).body for _ in range(2)] == [b"2", b"3"]
    assert [client.request("GET", "/guarded", who).body for who in (ada, bob)] == [b"ada", b"bob"]
    assert config.cache_response_filter is of_the_public_page
