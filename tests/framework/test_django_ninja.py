"""What only Django Ninja has: `auth=` for both kinds of operations, and its exception handlers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.test import override_settings

from supertokens_py.framework.adapter import SessionContainer
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.testing.conformance import Reply
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients import django_settings  # noqa: F401  must be first
from .site import Site
from .test_failed_requests import assert_nothing_left
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

# isort: split
from ninja import NinjaAPI
from ninja.security import APIKeyHeader

from supertokens_py.framework.django.ninja import NO_SESSION, SessionAuth, setup

PlanClaim = PrimitiveClaim("plan", lambda *_: "free")
WANTS_PRO = PlanClaim.validators.has_value("pro", id_="pro")

KINDS = [("django_sync", False), ("django_async", False), ("django_async", True), ("django_sync", True)]


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind[0]}-{'async' if kind[1] else 'def'}")
def kind(request: pytest.FixtureRequest) -> tuple[str, bool]:
    """Each kind of server with each kind of operation."""
    return request.param


@pytest.fixture
def site(kind: tuple[str, bool], sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    made = Site(kind[0], sqlite_files.create().uri, clock).init()
    yield made
    made.close()


_numbers = itertools.count()  # old releases refuse two APIs of one name

Operation = Callable[[Any], Any]
Ask = Callable[..., Reply]


@pytest.fixture
def ask(site: Site, kind: tuple[str, bool]) -> Ask:
    """Send one request to an operation of an API of its own."""

    def ask(
        auth: Any,
        operation: Operation = lambda request: {"user": request.auth.get_user_id()},
        access: str | None = None,
        *,
        prepare: Callable[[NinjaAPI], Any] = setup,
        headers: list[tuple[str, str]] | None = None,
    ) -> Reply:
        from django.urls import path

        def view(request: Any) -> Any:
            return operation(request)

        async def async_view(request: Any) -> Any:
            result = operation(request)
            return await result if hasattr(result, "__await__") else result

        api = NinjaAPI(urls_namespace=f"test-{next(_numbers)}", docs_url=None, openapi_url=None)
        prepare(api)
        api.post("/it", auth=auth)(async_view if kind[1] else view)
        urls: Any = ModuleType("urls_of_this_test")
        urls.urlpatterns = [path("api/", api.urls)]
        with override_settings(ROOT_URLCONF=urls):
            return site.request("POST", "/api/it", headers or (), bearer=access)

    return ask


def expired(site: Site) -> str:
    access = site.sign_in("header").access
    assert access is not None
    site.clock.advance(hours=2)
    return access


def test_the_session_is_auth(site: Site, ask: Ask) -> None:
    def operation(request: Any) -> Any:
        assert isinstance(request.auth, SessionContainer)
        assert request.auth is request.supertokens
        return {"user": request.auth.get_user_id()}

    assert ask(SessionAuth(), operation, site.sign_in("header", "ada").access).json == {"user": "ada"}
    reply = ask(SessionAuth(), operation)
    assert_refused(reply, UNAUTHORISED)
    assert reply.header("www-authenticate") == "Bearer"


def test_an_optional_session(site: Site, ask: Ask) -> None:
    """Ninja would take None for a refusal."""

    def operation(request: Any) -> Any:
        return {"auth": repr(request.auth), "none": request.supertokens is None}

    auth = SessionAuth(session_required=False)
    assert ask(auth, operation).json == {"auth": "NO_SESSION", "none": True}
    assert repr(NO_SESSION) == "NO_SESSION"
    visitor = site.sign_in("header")
    assert visitor.handle in ask(auth, operation, visitor.access).json["auth"]
    assert_refused(ask(auth, operation, expired(site)), TRY_REFRESH)


def everything(api: NinjaAPI) -> None:
    """What projects write: an answer to every exception."""

    @api.exception_handler(Exception)
    def broken(request: Any, error: Exception) -> Any:
        return api.create_response(request, {"detail": "internal error"}, status=500)


def everything_but_ours(api: NinjaAPI) -> None:
    everything(api)
    setup(api)


@pytest.mark.parametrize("prepare", [setup, everything_but_ours, everything, lambda api: None])
@pytest.mark.parametrize("debug", [False, True])
def test_refusals_are_the_sdks(site: Site, ask: Ask, prepare: Any, debug: bool) -> None:
    """With DEBUG Ninja answers them with a traceback; forgetting `setup` does no harm."""
    access = expired(site)
    with override_settings(DEBUG=debug):
        assert_refused(ask(SessionAuth(), access=access, prepare=prepare), TRY_REFRESH)


@pytest.mark.parametrize("prepare", [setup, everything_but_ours, everything])
def test_created_then_refused(site: Site, ask: Ask, prepare: Any, kind: tuple[str, bool]) -> None:
    """No response after a refusal carries a live token, whoever writes it."""

    def operation(request: Any) -> Any:
        syncio.create_new_session(request, "public", "user-2")
        raise UnauthorisedError("banned")

    async def awaited(request: Any) -> Any:
        await session_asyncio.create_new_session(request, "public", "user-2")
        raise UnauthorisedError("banned")

    reply = ask(None, awaited if kind[1] else operation, prepare=prepare)
    assert reply.status == 401
    assert_nothing_left(site, reply)


def test_an_error_of_the_application_delivers_nothing(site: Site, ask: Ask, kind: tuple[str, bool]) -> None:
    def operation(request: Any) -> Any:
        syncio.create_new_session(request, "public", "user-2")
        raise LookupError("mine")

    async def awaited(request: Any) -> Any:
        await session_asyncio.create_new_session(request, "public", "user-2")
        raise LookupError("mine")

    reply = ask(None, awaited if kind[1] else operation, prepare=everything_but_ours)
    assert (reply.status, reply.json) == (500, {"detail": "internal error"})
    assert_nothing_left(site, reply)


def test_claims_and_other_options(site: Site, ask: Ask) -> None:
    """The arguments are those of `verify_session`."""
    auth = SessionAuth(override_global_claim_validators=lambda given, *_: [*given, WANTS_PRO])
    visitor = site.sign_in("header", payload={"plan": {"v": "free", "t": site.clock()}})
    reply = ask(auth, access=visitor.access)
    reason = {"message": "wrong value", "expectedValue": "pro", "actualValue": "free"}
    assert (reply.status, reply.json["claimValidationErrors"]) == (403, [{"id": "pro", "reason": reason}])
    assert syncio.revoke_session(visitor.handle)
    assert ask(SessionAuth(), access=visitor.access).status == 200
    assert ask(SessionAuth(check_database=True), access=visitor.access).status == 401


class ByKey(APIKeyHeader):
    param_name = "X-Key"

    def authenticate(self, request: Any, key: str | None) -> str | None:
        return "robot" if key == "secret" else None


def test_beside_other_kinds_of_auth(site: Site, ask: Ask) -> None:
    """The session is asked last, since it answers by itself."""
    auth = [ByKey(), SessionAuth()]
    assert ask(auth, lambda request: str(request.auth), headers=[("X-Key", "secret")]).json == "robot"
    assert_refused(ask(auth), UNAUTHORISED)
    assert ask(auth, access=site.sign_in("header", "ada").access).json == {"user": "ada"}


def test_the_schema() -> None:
    api = NinjaAPI(urls_namespace="schema", auth=SessionAuth())

    @api.get("/it")
    def it(request: Any) -> None: ...

    schema = api.get_openapi_schema(path_prefix="/api/")
    assert schema["components"]["securitySchemes"] == {"SessionAuth": {"type": "http", "scheme": "bearer"}}
    assert schema["paths"]["/api/it"]["get"]["security"] == [{"SessionAuth": []}]
