"""What only Django has: class-based views, REST framework's wrapped requests, script names."""

from __future__ import annotations

import asyncio
import functools
import threading
import unittest
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.django.django_request import DjangoRequest
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import InputErrorHandlers, InputOverrideConfig
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.django.asyncio import verify_session as verify_async
from supertokens_py.recipe.session.framework.django.syncio import verify_session as verify_sync
from supertokens_py.recipe.session.interfaces import ClaimValidationResult, SessionClaimValidator
from supertokens_py.runtime.bridge import blocking
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients import django_settings  # noqa: F401  must be first
from .clients.django_urls import async_view, sync_view, url_table
from .site import Site
from .test_verify import UNAUTHORISED, assert_refused

OURS = "supertokens_py.framework.django.django_middleware.middleware"
HINT = (
    "The SuperTokens middleware has not seen this request, so nobody answers this error. "
    f'Is it missing ("{OURS}" in MIDDLEWARE), or does what looks for the session stand outside of it? '
    "FastAPI, Starlette: add that before it; Django: put it below it in MIDDLEWARE"
)
DJANGO = ("django_sync", "django_async")


@pytest.fixture(params=DJANGO)
def site(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """Both Django sites."""
    made = Site(request.param, sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def request_with(access: str | None, method: str = "get", path: str = "/x") -> Any:
    """A request of Django's own factory."""
    from django.test import RequestFactory

    headers = {"Authorization": f"Bearer {access}"} if access else {}
    return getattr(RequestFactory(), method)(path, headers=headers)


def test_class_based_views(site: Site) -> None:
    """FP-41: `method_decorator` on one method, or on dispatch."""
    from django.http import JsonResponse
    from django.utils.decorators import method_decorator
    from django.views import View

    class One(View):
        @method_decorator(verify_sync())
        def post(self, request: Any) -> JsonResponse:
            return JsonResponse({"user": request.supertokens.get_user_id()})

        def get(self, request: Any) -> JsonResponse:
            return JsonResponse({"open": True})

    @method_decorator(verify_sync(), name="dispatch")
    class Whole(View):
        def get(self, request: Any) -> JsonResponse:
            return JsonResponse({"user": request.supertokens.get_user_id()})

    access = site.sign_in("header").access
    for view, method in ((One.as_view(), "post"), (Whole.as_view(), "get")):
        assert view(request_with(None, method)).status_code == 401
        assert view(request_with(access, method)).content == b'{"user": "user-1"}'
    assert One.as_view()(request_with(None)).content == b'{"open": true}'


@pytest.mark.parametrize("is_async", [False, True])
def test_a_decorated_method_says_what_to_write(site: Site, is_async: bool) -> None:
    """The decorator on the method itself is called with the object of the class, which is no request."""
    from django.views import View

    class One(View):
        @verify_sync()
        def post(self, request: Any) -> None:
            raise NotImplementedError  # nobody gets here

    class Other(View):
        @verify_async()
        async def post(self, request: Any) -> None:
            raise NotImplementedError  # nobody gets here

    view = (Other if is_async else One).as_view()
    with pytest.raises(ConfigError) as raised:
        asyncio.run(view(request_with(None, "post"))) if is_async else view(request_with(None, "post"))
    name = "Other.post" if is_async else "One.post"
    assert str(raised.value).endswith(
        f"{name} is a method, and verify_session() guards functions: "
        "write @method_decorator(verify_session()), of django.utils.decorators"
    )


def test_a_view_may_require_a_recent_authentication(sqlite_files: Sqlite, clock: Clock) -> None:
    """`session_required(fresh=)` of both kinds of views: 403 for an older one, never 401."""
    from django.http import JsonResponse

    from supertokens_py.framework.django.views import session_required

    @session_required(fresh=300)
    def view(request: Any) -> JsonResponse:
        return JsonResponse({})

    @session_required(fresh=300)
    async def later(request: Any) -> JsonResponse:
        return JsonResponse({})

    def statuses(access: str | None) -> list[int]:
        answers = view(request_with(access)), asyncio.run(later(request_with(access)))
        return [answer.status_code for answer in answers]

    site = Site("django_sync", sqlite_files.create().uri, clock).init(step_up=True)
    access = site.sign_in("header").access
    assert [statuses(None), statuses(access)] == [[401, 401], [200, 200]]
    clock.advance(s=301)
    assert statuses(access) == [403, 403]
    site.close()


def test_a_view_may_require_claims(site: Site) -> None:
    """`session_required(claims=)` of both kinds of views."""
    from django.http import JsonResponse

    from supertokens_py.framework.django.views import session_required

    plans: dict[str, str] = {}
    plan = PrimitiveClaim[str](key="plan", fetch_value=lambda user_id, *_: plans.get(user_id))

    @session_required(claims=[plan.validators.has_value("paid")])
    def view(request: Any) -> JsonResponse:
        return JsonResponse({})

    @session_required(claims=[plan.validators.has_value("paid")])
    async def later(request: Any) -> JsonResponse:
        return JsonResponse({})

    def statuses(access: str | None) -> list[int]:
        answers = view(request_with(access)), asyncio.run(later(request_with(access)))
        return [answer.status_code for answer in answers]

    assert statuses(None) == [401, 401]
    access = site.sign_in("header").access
    assert statuses(access) == [403, 403]
    plans["user-1"] = "paid"
    assert statuses(access) == [200, 200]


def test_async_class_based_views(site: Site) -> None:
    """FP-41: the async decorator on an async method."""
    from django.http import JsonResponse
    from django.utils.decorators import method_decorator
    from django.views import View

    class One(View):
        @method_decorator(verify_async())
        async def get(self, request: Any) -> JsonResponse:
            return JsonResponse({"user": request.supertokens.get_user_id()})

    access = site.sign_in("header").access
    assert asyncio.run(One.as_view()(request_with(None))).status_code == 401
    assert asyncio.run(One.as_view()(request_with(access))).content == b'{"user": "user-1"}'


class Wrapped:
    """A request as Django REST framework wraps it: the real one is in `_request`."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self.data = {"parsed": True}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._request, name)


def test_a_wrapped_request_has_the_session_of_the_inner_one(site: Site) -> None:
    """FP-41: a REST framework view gets the session on its own request; changes reach the response."""
    from django.http import JsonResponse

    from supertokens_py.framework.django.django_middleware import middleware

    @verify_sync()
    def view(request: Any) -> JsonResponse:
        request.supertokens.sync_merge_into_access_token_payload({"a": 1})
        made = session_syncio.create_new_session(request._request, "public", "user-2")
        return JsonResponse({"user": request.supertokens.get_user_id(), "made": made.get_user_id()})

    inner = request_with(site.sign_in("header").access)
    response: Any = middleware(lambda request: view(Wrapped(request)))(inner)
    assert response.content == b'{"user": "user-2", "made": "user-2"}'
    assert inner.supertokens.get_user_id() == "user-2"
    assert response.headers["st-refresh-token"]


def test_without_the_middleware_a_new_session_is_refused(site: Site) -> None:
    """FP-41: the decorator answers by itself; a new session is refused with the line that is missing."""
    with pytest.raises(
        ConfigError, match=r'middleware is missing. Add it: "supertokens_py\.framework\.django'
    ):
        session_syncio.create_new_session(request_with(None), "public", "user-2")
    assert site.handles("user-2") == []
    assert verify_sync()(lambda request: None)(request_with(None)).status_code == 401


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A database of Django's with ATOMIC_REQUESTS; yields a function that lists what views have written."""
    from django.db import connections

    options = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "ATOMIC_REQUESTS": True}
    monkeypatch.setattr(connections, "settings", connections.configure_settings({"default": options}))
    with suppress(AttributeError):  # a connection without a database, of an earlier test in this thread
        del connections["default"]
    connections["default"].cursor().execute("CREATE TABLE written (name TEXT)")
    yield lambda: [name for (name,) in connections["default"].cursor().execute("SELECT name FROM written")]
    connections["default"].close()
    del connections["default"]


@pytest.mark.parametrize("with_middleware", [True, False])
def test_what_a_view_wrote_before_its_session_was_refused(
    sqlite_files: Sqlite, clock: Clock, table: Any, with_middleware: bool
) -> None:
    """ATOMIC_REQUESTS rolls it back, as for any exception that leaves a view; guarded or not."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection
    from django.http import JsonResponse
    from django.test import override_settings
    from django.urls import path

    from supertokens_py.recipe.session.exceptions import InvalidClaimsError
    from supertokens_py.testing.conformance import WsgiClient

    def write(request: Any) -> JsonResponse:
        connection.cursor().execute("INSERT INTO written VALUES (%s)", [request.GET["name"]])
        if request.GET["name"] == "kept":
            return JsonResponse({})
        raise InvalidClaimsError("x", [])

    class Urls:
        urlpatterns = [path("plain", write), path("guarded", verify_sync()(write))]  # noqa: RUF012

    site = Site("django_sync", sqlite_files.create().uri, clock).init()
    access = site.sign_in("header").access
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[OURS] if with_middleware else []):
        client = WsgiClient(WSGIHandler())
        bearer = [("authorization", f"Bearer {access}")]
        paths = ["/plain", "/guarded"] if with_middleware else ["/guarded"]
        statuses = [client.request("POST", f"{where}?name=undone", bearer).status for where in paths]
        assert statuses == [403] * len(paths)
        assert table() == []
        assert client.request("POST", "/guarded?name=kept", bearer).status == 200
        assert table() == ["kept"]
    site.close()


class Auth:
    """A middleware of an application that looks for a session; in MIDDLEWARE it stands above ours."""

    is_required = False

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        session_syncio.get_session(request, session_required=self.is_required)
        return self.get_response(request)


class Require(Auth):
    """One that lets nobody through without a session."""

    is_required = True


def log_in_below(middleware: type[Auth], uri: str, clock: Clock) -> Any:
    """Return the reply of a view that creates a session, with that middleware above ours."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import JsonResponse
    from django.test import override_settings
    from django.urls import path

    from supertokens_py.testing.conformance import WsgiClient

    def log_in(request: Any) -> JsonResponse:
        session_syncio.create_new_session(request, "public", "ada")
        return JsonResponse({})

    class Urls:
        urlpatterns = [path("login", log_in)]  # noqa: RUF012

    above = f"{__name__}.{middleware.__name__}"
    site = Site("django_sync", uri, clock).init()
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[above, OURS]):
        reply = WsgiClient(WSGIHandler()).request("POST", "/login", [("st-auth-mode", "header")])
    site.close()
    return reply


def test_a_middleware_above_ours_that_looks_for_a_session(sqlite_files: Sqlite, clock: Clock) -> None:
    """The SDK knows the request before our middleware sees it, which delivers the tokens all the same."""
    reply = log_in_below(Auth, sqlite_files.create().uri, clock)
    assert (reply.status, reply.header("st-access-token") is not None) == (200, True)


def test_the_log_says_where_a_middleware_belongs_that_stands_above_ours(
    sqlite_files: Sqlite, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody answers its error."""
    assert log_in_below(Require, sqlite_files.create().uri, clock).status == 500
    assert "UnauthorisedError: Session does not exist" in caplog.text
    assert HINT in caplog.text


@pytest.mark.parametrize("with_middleware", [True, False])
def test_a_transaction_around_a_guarded_view_is_rolled_back(
    sqlite_files: Sqlite, clock: Clock, table: Any, monkeypatch: pytest.MonkeyPatch, with_middleware: bool
) -> None:
    """`@transaction.atomic` above the guard, as ATOMIC_REQUESTS; what a test holds open stays usable."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection, transaction
    from django.test import TestCase, override_settings
    from django.urls import path

    from supertokens_py.recipe.session.exceptions import InvalidClaimsError
    from supertokens_py.testing.conformance import WsgiClient

    def write(request: Any) -> None:
        connection.cursor().execute("INSERT INTO written VALUES ('a')")
        raise InvalidClaimsError("x", [])

    class Urls:
        urlpatterns = [  # noqa: RUF012
            path("atomic", transaction.atomic(verify_sync()(write))),
            path("plain", verify_sync()(write)),
        ]

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", False)
    site = Site("django_sync", sqlite_files.create().uri, clock).init()
    bearer = [("authorization", f"Bearer {site.sign_in('header').access}")]
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[OURS] if with_middleware else []):
        client = WsgiClient(WSGIHandler())

        class Tests(TestCase):
            def test(self) -> None:
                assert client.request("POST", "/atomic", bearer).status == 403
                assert table() == []
                assert client.request("POST", "/plain", bearer).status == 403
                assert table() == ["a"]

        result = unittest.TestResult()
        unittest.TestSuite([Tests("test")]).run(result)
        assert (result.testsRun, result.errors, result.failures) == (1, [], [])
    site.close()


def test_a_wrapped_request_without_a_session_is_refused(site: Site) -> None:
    """FP-41: refused with our response, and None where the session is optional."""
    assert verify_sync()(lambda request: None)(Wrapped(request_with(None))).status_code == 401
    seen = verify_sync(session_required=False)(lambda request: request.supertokens)
    assert seen(Wrapped(request_with(None))) is None


def test_a_form_that_a_middleware_has_read(site: Site) -> None:
    """Django reads a multipart body once; its fields are those that Django has found."""
    from django.test import RequestFactory

    request = RequestFactory().post("/x", {"a": "1", "é": "ü"})
    assert request.POST["a"] == "1"
    assert blocking(as_base_request(request).form_data)() == {"a": "1", "é": "ü"}


def test_cookies_of_the_request_factory_are_read(site: Site) -> None:
    """`request.COOKIES` of Django's request factory, with any value that a cookie may have."""
    token = site.sign_in("header").access
    for name, value in (("sAccessToken", token), ("a b%;", "c;d %é")):
        request = request_with(None)
        request.COOKIES[name] = value
        assert DjangoRequest.of(request).get_cookie(name) == value
    request = request_with(None)
    request.COOKIES["sAccessToken"] = token
    assert session_syncio.get_session(request).get_user_id() == "user-1"


def test_a_session_that_is_on_the_request(site: Site) -> None:
    """A test or a middleware of the application may have put it there; a refused one is none."""
    session = session_syncio.create_new_session_without_request_response("public", "user-1")
    request = request_with(None)
    assert DjangoRequest(request).get_session() is None
    request.supertokens = session
    assert DjangoRequest(request).get_session() is session
    DjangoRequest(request).set_session_as_none()
    assert DjangoRequest(request).get_session() is None


@pytest.mark.parametrize("name", ["/svc", "/svc/"])
def test_force_script_name(site: Site, name: str) -> None:
    """FP-107: FORCE_SCRIPT_NAME is part of the path that the browser sees."""
    import django
    from django.test import override_settings

    if site.driver == "django_async" and django.VERSION < (5, 0):
        pytest.skip("Django 4.2 itself does not know FORCE_SCRIPT_NAME under ASGI")
    site.init(info={"api_base_path": "/svc/auth"})
    with override_settings(FORCE_SCRIPT_NAME=name.rstrip("/")):
        visitor = site.sign_in("header", prefix="" if site.driver == "django_sync" else "/svc")
        path = "/auth/session/refresh" if site.driver == "django_sync" else "/svc/auth/session/refresh"
        assert visitor.post(path).status == 200


def test_middleware_of_the_application_sees_our_errors(site: Site) -> None:
    """FP-89: an error raised by a view below another middleware is answered, changes included."""

    def script(view: Any) -> Any:
        yield view.create("user-2")
        raise UnauthorisedError("x")

    reply = site.post("/open", do=script)
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")


def test_sync_views_work_under_asgi_and_async_ones_under_wsgi(site: Site) -> None:
    """FP-41: sync views under ASGI and async views under WSGI both work."""
    from django.test import override_settings

    other = async_view if site.driver == "django_sync" else sync_view
    with override_settings(ROOT_URLCONF=url_table(site.world.routes(), other)):
        visitor = site.sign_in("cookie")

        def merge(view: Any) -> Any:
            yield view.merge({"a": 1})
            return {"user": view.session.get_user_id()}

        reply = visitor.post("/protected", do=merge)
        assert reply.json == {"user": "user-1"}
        assert reply.front["up"]["a"] == 1

        def clear(view: Any) -> Any:
            yield view.merge({"a": 2})
            raise UnauthorisedError("x")

        visitor.post("/protected", do=clear).assert_cleared("cookie", "header")
        site.post("/open", do=lambda view: _raise()).assert_cleared("cookie", "header")
        assert_refused(site.get("/protected"), UNAUTHORISED)


def _raise() -> Any:
    raise UnauthorisedError("x")


def test_a_view_may_call_a_guarded_view(site: Site) -> None:
    """The inner view has answered; what the outer one raises is answered all the same."""
    from django.http import HttpResponse

    @verify_sync()
    def inner(_request: Any) -> HttpResponse:
        return HttpResponse()

    @verify_sync(session_required=False)
    def outer(request: Any) -> HttpResponse:
        if inner(request).status_code == 401:
            raise UnauthorisedError("no")
        return HttpResponse()

    @verify_async()
    async def inner_async(_request: Any) -> HttpResponse:
        return HttpResponse()

    @verify_async(session_required=False)
    async def outer_async(request: Any) -> HttpResponse:
        if (await inner_async(request)).status_code == 401:
            raise UnauthorisedError("no")
        return HttpResponse()

    access = site.sign_in("header").access
    for token, status in ((None, 401), (access, 200)):
        assert outer(request_with(token)).status_code == status
        assert asyncio.run(outer_async(request_with(token))).status_code == status


def test_the_decorator_of_the_other_kind_is_named(site: Site) -> None:
    """It names the module to import from; Django's own words would be about a missing `await`."""
    from django.http import JsonResponse

    async def asynchronous(request: Any) -> JsonResponse:
        return JsonResponse({})

    def blocking(request: Any) -> JsonResponse:
        return JsonResponse({})

    def wrapped(request: Any) -> JsonResponse:
        return blocking(request)

    module = "import verify_session from supertokens_py.recipe.session.framework.django"
    with pytest.raises(ConfigError, match=rf"^the view asynchronous is async: {module}\.asyncio$"):
        verify_sync()(asynchronous)
    for view in (blocking, functools.wraps(blocking)(wrapped)):
        with pytest.raises(ConfigError, match=rf"^the view blocking is not async: {module}\.syncio$"):
            verify_async()(view)
    access = site.sign_in("header").access
    late = verify_async()(functools.partial(blocking))
    with pytest.raises(ConfigError, match=rf"is not async: {module}\.syncio$"):
        asyncio.run(late(request_with(access)))  # type: ignore[arg-type]


def test_callables_that_give_awaitables(site: Site) -> None:
    """FP-41: partials, functions around an `async def`, classes whose `as_view()` says that it is async."""
    from django.http import JsonResponse
    from django.utils.decorators import method_decorator
    from django.views import View

    async def view(request: Any, name: str = "me") -> JsonResponse:
        return JsonResponse({name: request.supertokens.get_user_id()})

    @functools.wraps(view)
    def around(request: Any) -> Any:
        return view(request)

    class One(View):
        async def get(self, request: Any) -> JsonResponse:
            return await view(request)

    @method_decorator(verify_async(), name="dispatch")
    class Whole(One):
        pass

    access = site.sign_in("header").access
    for callable_view in (functools.partial(view, name="me"), around, One.as_view()):
        guarded: Any = verify_async()(callable_view)
        assert asyncio.run(guarded(request_with(None))).status_code == 401
        assert asyncio.run(guarded(request_with(access))).content == b'{"me": "user-1"}'
    assert asyncio.run(Whole.as_view()(request_with(access))).content == b'{"me": "user-1"}'


def test_a_blocking_call_in_an_async_view_says_what_to_do(site: Site) -> None:
    """FP-50: a blocking call inside `async def` says what to do instead."""

    async def view(request: Any) -> str:
        try:
            session_syncio.create_new_session(request, "public", "user-2")
        except RuntimeError as error:
            return str(error)
        return ""

    assert "Await its async twin instead" in asyncio.run(view(request_with(None)))


def test_the_middleware_is_async_capable() -> None:
    """FP-41: under ASGI it runs on the loop, without a thread per request (D21 in regressions/README.md)."""
    from asgiref.sync import iscoroutinefunction

    from supertokens_py.framework.django.django_middleware import middleware

    async def get_response(request: Any) -> Any: ...

    assert middleware.sync_capable
    assert middleware.async_capable
    assert iscoroutinefunction(middleware(get_response))
    assert not iscoroutinefunction(middleware(lambda request: None))  # type: ignore[arg-type]


async def where_async() -> str:
    """The world in which async application code runs: whose thread its blocking parts (the ORM) come to."""
    asyncio.get_running_loop()
    return f"thread {await sync_to_async(threading.get_ident, thread_sensitive=True)()}"


def where_blocking() -> str:
    """The world in which blocking application code runs: the ORM refuses a running loop."""
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    return f"thread {threading.get_ident()}"


class Hooks:
    """Application code of one kind in every place; each notes where it ran."""

    def __init__(self, *, is_async: bool) -> None:
        self.seen: list[tuple[str, str]] = []
        self._is_async = is_async

    def make(self, name: str, returns: Any) -> Any:
        async def async_hook(*args: Any) -> Any:
            self.seen.append((name, await where_async()))
            return returns(*args)

        def hook(*args: Any) -> Any:
            self.seen.append((name, where_blocking()))
            return returns(*args)

        return async_hook if self._is_async else hook

    def validator(self) -> Any:
        claim: Any = PrimitiveClaim("place", self.make("fetch_value", lambda *_: "here"))

        class Validator(SessionClaimValidator):
            validate = staticmethod(self.make("validate", lambda *_: ClaimValidationResult(is_valid=True)))
            should_refetch = staticmethod(self.make("should_refetch", lambda *_: True))

        validator = Validator("place")
        validator.claim = claim
        return validator

    def functions(self, default: Any) -> Any:
        default.get_global_claim_validators = self.make("override", lambda *_: [self.validator()])
        return default


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("view_is_async", [False, True])
def test_application_code_runs_where_the_orm_works(
    site: Site, monkeypatch: pytest.MonkeyPatch, view_is_async: bool, is_async: bool
) -> None:
    """In both worlds, WSGI and ASGI, it runs where Django's ORM works: in one thread for all of a request."""
    from django.http import JsonResponse
    from django.test import override_settings
    from django.urls import path

    hooks = Hooks(is_async=is_async)
    unauthorised = hooks.make("error_handler", lambda request, message, response: response)
    site.init(
        error_handlers=InputErrorHandlers(on_unauthorised=unauthorised),
        override=InputOverrideConfig(functions=hooks.functions),
    )

    @verify_sync()
    def blocking_view(request: Any) -> JsonResponse:
        return JsonResponse({"thread": where_blocking()})

    @verify_async()
    async def async_view(request: Any) -> JsonResponse:
        return JsonResponse({"thread": await where_async()})

    class Urls:
        urlpatterns = [path("me", async_view if view_is_async else blocking_view)]  # noqa: RUF012

    access = site.sign_in("header").access
    hooks.seen.clear()
    with override_settings(ROOT_URLCONF=Urls):
        reply = site.get("/me", bearer=access)
        assert reply.status == 200
        names = ["override", "should_refetch", "fetch_value", "validate"]
        assert hooks.seen == [(name, reply.json["thread"]) for name in names]
        hooks.seen.clear()
        site.get("/me")
        assert [name for name, _ in hooks.seen] == ["error_handler"]
