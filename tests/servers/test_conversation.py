"""One conversation with every server, with both token transports; with both databases on some."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.servers.harness import (
    AIOHTTP,
    AWS_LAMBDA,
    DJANGO_ASGI,
    DJANGO_DAPHNE,
    DJANGO_NINJA,
    DJANGO_REST,
    DJANGO_WSGI,
    FASTAPI,
    KINDS,
    LITESTAR,
    QUART,
    SANIC,
    STARLETTE,
    TORNADO,
    Kind,
    Server,
    require_async_views,
    running,
)
from tests.servers.visitor import Mode, Visitor
from tests.support.databases import end_of_grace

#: Adapters on top of another, another server, no server: the other suites of this folder leave them out.
ON_TOP = (
    STARLETTE,
    LITESTAR,
    QUART,
    AIOHTTP,
    SANIC,
    TORNADO,
    DJANGO_REST,
    DJANGO_NINJA,
    DJANGO_DAPHNE,
    AWS_LAMBDA,
)


def _place(kind: Kind, database: str) -> Any:
    marks = [pytest.mark.postgres] if database == "postgres" else []
    marks += [pytest.mark.quick] if (kind, database) == (FASTAPI, "sqlite") else []
    marks += [] if kind in KINDS and database == "sqlite" else [pytest.mark.real]
    return pytest.param((kind, database), id=f"{kind.name}-{database}", marks=marks)


#: PostgreSQL under one server of each way to run workers: what is asked of a database is not the adapter's.
PLACES = [_place(kind, "sqlite") for kind in (*KINDS, *ON_TOP)] + [_place(kind, "postgres") for kind in KINDS]


@pytest.fixture(scope="module", params=PLACES)
def place(request: pytest.FixtureRequest) -> tuple[Kind, str]:
    return request.param


@pytest.fixture(scope="module")
def database(place: tuple[Kind, str], request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue(place[1])


@pytest.fixture(scope="module")
def kind(place: tuple[Kind, str]) -> Kind:
    return place[0]


@pytest.fixture(scope="module")
def server(kind: Kind, database: str) -> Iterator[Server]:
    with running(kind, database) as server:
        yield server


@pytest.fixture(params=["cookie", "header"])
def visitor(server: Server, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    with server.client() as http:
        yield Visitor(http, request.param, server.kind.prefix)


def test_a_session_lives_rotates_and_ends_on_theft(visitor: Visitor, database: str) -> None:
    """Create, verify, merge, refresh, replay in grace, replay after it, log in again, sign out."""
    assert visitor.login("ada").json() == {"user": "ada"}
    assert visitor.payload["sub"] == "ada"

    me = visitor.get("/api/me").json()
    assert (me["user"], me["payload"]["visits"]) == ("ada", 0)
    assert me["handle"] == visitor.payload["sessionHandle"]
    assert visitor.get("/api/verified").json() == {"user": "ada", "checked": "database"}

    before = visitor.access
    assert visitor.post("/api/visits").json() == {"visits": 1}
    assert visitor.payload["visits"] == 1
    assert visitor.access != before
    assert visitor.get("/api/me").json()["payload"]["visits"] == 1

    first = visitor.refresh_token
    answer = visitor.refresh()
    assert (answer.status_code, answer.json()) == (200, {})
    second = visitor.refresh_token
    assert second != first
    assert visitor.get("/api/me").json()["payload"]["visits"] == 1

    # A lost answer: the old token once more, inside the grace window, gives the very same successor.
    assert visitor.refresh(first).status_code == 200
    assert visitor.refresh_token == second
    assert visitor.get("/api/verified").status_code == 200

    last_access = visitor.access
    end_of_grace(database)
    answer = visitor.refresh(first)
    assert (answer.status_code, answer.json()) == (401, {"message": "token theft detected"})
    assert (visitor.access, visitor.refresh_token, visitor.front) == ("", "", "remove")

    # The session is gone for the rightful owner as well.
    visitor.access = last_access
    assert visitor.get("/api/verified").status_code == 401
    answer = visitor.refresh(second)
    assert (answer.status_code, answer.json()) == (401, {"message": "unauthorised"})

    assert visitor.login("ada").status_code == 200
    last_refresh = visitor.refresh_token
    answer = visitor.sign_out()
    assert (answer.status_code, answer.json()) == (200, {"status": "OK"})
    assert (visitor.access, visitor.refresh_token, visitor.front) == ("", "", "remove")
    assert visitor.get("/api/me").json() == {"message": "unauthorised"}
    assert visitor.refresh(last_refresh).status_code == 401


def test_sign_out_everywhere_ends_the_other_sessions_too(visitor: Visitor, server: Server) -> None:
    """The other browser's session is gone at once for those who ask the database."""
    other = Visitor(visitor.http, "header", server.kind.prefix)
    user = f"grace-{time.monotonic_ns()}"  # the database is shared by the tests of this server
    other.login(user)
    visitor.login(user)
    assert visitor.post("/api/signout-everywhere").json() == {"ended": 2}
    assert visitor.access == ""
    answer = other.get("/api/verified")
    assert (answer.status_code, answer.json()) == (401, {"message": "unauthorised"})
    assert other.access == ""


@pytest.mark.parametrize(("kind", "views"), [(DJANGO_ASGI, "/sync"), (DJANGO_WSGI, "")], ids=["asgi", "wsgi"])
def test_each_kind_of_django_view_runs_under_the_other_kind_of_server(
    kind: Kind, views: str, sqlite: str
) -> None:
    """Blocking views under ASGI and async views under WSGI."""
    require_async_views()
    with running(kind, sqlite) as server, server.client() as http:
        visitor = Visitor(http, "cookie", views)
        visitor.login()
        assert visitor.post("/api/visits").json() == {"visits": 1}
        assert visitor.get("/api/verified").status_code == 200
        assert visitor.post("/api/signout-everywhere").status_code == 200
        assert visitor.access == ""


@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_an_expired_access_token_asks_for_a_refresh(sqlite: str, mode: Mode) -> None:
    """401 "try refresh token" keeps the tokens; one refresh and the same call works."""
    with (
        running(FASTAPI, sqlite, {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": "4"}) as server,
        server.client() as http,
    ):
        visitor = Visitor(http, mode)
        visitor.login()
        deadline = time.monotonic() + 40
        while (answer := visitor.get("/api/me")).status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        assert (answer.status_code, answer.json()) == (401, {"message": "try refresh token"})
        assert "front-token" not in answer.headers
        assert visitor.refresh().status_code == 200
        assert visitor.get("/api/me").status_code == 200
