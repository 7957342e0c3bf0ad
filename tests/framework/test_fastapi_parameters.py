"""FastAPI's idioms: sessions as types of parameters, claims as dependencies, the lifespan."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI

from supertokens_py import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.adapter import FRESH_S, requiring
from supertokens_py.framework.fastapi import (
    CheckedSession,
    CurrentSession,
    Fresh,
    FreshSession,
    OptionalSession,
    RequireClaims,
    get_middleware,
    supertokens_lifespan,
)
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.framework.fastapi import verify_session
from supertokens_py.testing.conformance import AsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import Site

PLAN = PrimitiveClaim[str]("plan", lambda *_: None)
Paying = Annotated[SessionContainer, RequireClaims(PLAN.validators.has_value("paid"))]


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    made = Site("fastapi", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def _app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(get_middleware())
    paid = APIRouter(dependencies=[RequireClaims(PLAN.validators.has_value("paid"))])

    @app.get("/me")
    async def me(session: CurrentSession) -> Any:
        return {"user": session.get_user_id()}

    @app.get("/greeting")
    async def greeting(session: OptionalSession) -> Any:
        return {"user": session and session.get_user_id()}

    @app.get("/checked")
    async def checked(session: CheckedSession) -> Any:
        return {"user": session.get_user_id()}

    @app.get("/fresh")
    async def fresh(session: FreshSession) -> Any:
        return {"user": session.get_user_id()}

    @app.get("/fresher")
    async def fresher(session: Annotated[SessionContainer, Fresh(60)]) -> Any:
        return {"user": session.get_user_id()}

    @app.get("/paying")
    async def paying(session: Paying) -> Any:
        return {"user": session.get_user_id()}

    @paid.get("/router")
    async def router() -> Any:
        return {"user": "paid"}

    app.include_router(paid)
    return app


def _token(user: str, **claims: str) -> tuple[str, SessionContainer]:
    session = session_syncio.create_new_session_without_request_response(
        "public", user, {name: {"v": value, "t": 0} for name, value in claims.items()}
    )
    return session.get_access_token(), session


def test_sessions_are_types_of_parameters(site: Site) -> None:
    """Each alias does what its name says, for visitors, for sessions and for revoked ones."""
    client = AsgiClient(_app())
    token, session = _token("ada", plan="free")
    paid, _ = _token("bob", plan="paid")

    def get(path: str, token: str | None = None) -> Any:
        headers = [("Authorization", f"Bearer {token}")] if token else []
        answer = client.request("GET", path, headers)
        return answer.status, answer.json.get("user")

    assert [get(path)[0] for path in ("/me", "/checked", "/paying", "/router")] == [401] * 4
    assert get("/greeting") == (200, None)
    assert [get(path, token) for path in ("/me", "/greeting", "/checked")] == [(200, "ada")] * 3
    assert [get(path, token)[0] for path in ("/paying", "/router")] == [403, 403]
    assert [get(path, paid) for path in ("/paying", "/router")] == [(200, "bob"), (200, "paid")]
    session_syncio.revoke_session(session.get_handle())
    assert [get(path, token)[0] for path in ("/me", "/checked")] == [200, 401]
    client.close()


def test_one_override_replaces_them_all_in_tests(site: Site) -> None:
    """`dependency_overrides[verify_session]` stands in for each alias and for required claims."""
    app = _app()
    _, session = _token("eve")
    app.dependency_overrides[verify_session] = lambda: session
    client = AsgiClient(app)
    for path in ("/me", "/greeting", "/checked", "/paying", "/fresh", "/fresher"):
        assert client.request("GET", path, []).json == {"user": "eve"}
    client.close()


def test_fresh_sessions_are_of_a_recent_authentication(site: Site, clock: Clock) -> None:
    """Fifteen minutes, or what the route says; then 403 with what is missing, never 401."""
    site.init(step_up=True)
    client = AsgiClient(_app())
    token, _ = _token("ada")

    def get(path: str) -> Any:
        return client.request("GET", path, [("Authorization", f"Bearer {token}")])

    assert client.request("GET", "/fresh", []).status == 401
    assert [get(path).status for path in ("/fresh", "/fresher")] == [200, 200]
    clock.advance(s=61)
    assert [get(path).status for path in ("/fresh", "/fresher")] == [200, 403]
    clock.advance(s=840)
    refused = get("/fresh")
    assert refused.status == 403
    assert refused.header("www-authenticate") == (
        'Bearer error="insufficient_user_authentication", max_age="900"'
    )
    assert get("/me").status == 200
    client.close()


def test_freshness_without_step_up_is_a_mistake_that_says_so(site: Site) -> None:
    """Every session would be stale for ever, whatever its user proves."""
    client = AsgiClient(_app())
    token, session = _token("ada")
    assert client.request("GET", "/fresh", [("Authorization", f"Bearer {token}")]).status == 500
    with pytest.raises(ConfigError, match=r"session\.init\(step_up=True\)"):
        requiring(fresh=FRESH_S)([], session, {})
    client.close()


@pytest.mark.parametrize("wrong", [0, -1, "900", True])
def test_an_age_is_a_positive_number(wrong: Any) -> None:
    """Found where the route is written."""
    with pytest.raises(ConfigError, match="max_age_in_seconds must be more than 0"):
        Fresh(wrong)


@pytest.mark.parametrize("wrong", [(), ("admin",), (PLAN,)])
def test_required_claims_are_validators(wrong: Any) -> None:
    """A claim instead of one of its validators would be found at the first request only."""
    with pytest.raises(ConfigError, match="required claims are validators"):
        RequireClaims(*wrong)


def test_the_security_scheme_is_in_the_document(site: Site) -> None:
    """A route with an alias has the lock, as one with the dependency has."""
    routes = _app().openapi()["paths"]
    assert [routes[path]["get"]["security"] for path in ("/me", "/paying")] == [[{"SuperTokens": []}]] * 2


async def _enter(lifespan: Any, app: FastAPI) -> Any:
    async with lifespan(app) as state:
        return state


async def test_the_lifespan_opens_the_engine(site: Site) -> None:
    """Keys are there before the first request; a lifespan of the application runs within."""
    seen: list[tuple[str, int]] = []

    def keys() -> int:
        return len(Supertokens.get_instance().engine.keys.key_set().keys)

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncGenerator[dict[str, str]]:
        seen.append(("in", keys()))
        yield {"state": "own"}
        seen.append(("out", keys()))

    assert keys() == 0
    assert await _enter(supertokens_lifespan(own), FastAPI()) == {"state": "own"}
    assert [name for name, found in seen if found] == ["in", "out"]
    for spelt in (supertokens_lifespan, supertokens_lifespan()):
        assert await _enter(spelt, FastAPI()) is None
    session = await session_asyncio.create_new_session_without_request_response("public", "ada")
    assert session.get_user_id() == "ada"  # a closed engine opens again


async def test_the_lifespan_closes_the_engine(site: Site) -> None:
    """No connection is left, also where the application's own lifespan fails."""

    def connections() -> int:
        counts = site.engine.connection_counts()
        return counts.used + counts.idle

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncGenerator[None]:
        assert connections() > 0
        yield
        raise RuntimeError("the application's own mistake")

    async with supertokens_lifespan(FastAPI()):
        assert connections() > 0
    assert connections() == 0
    with pytest.raises(RuntimeError, match="own mistake"):
        await _enter(supertokens_lifespan(own), FastAPI())
    assert connections() == 0


async def test_without_a_database_the_application_starts(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """An outage at the start is no crash loop: requests are answered with 503 until it is over."""
    site.uri = "sqlite:////dev"
    site.init()
    async with supertokens_lifespan(FastAPI()):
        pass
    assert "the session engine is out of reach at the start" in caplog.text
