"""The caches of Django, wherever they stand: nobody gets another visitor's page or tokens."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.middleware.cache import UpdateCacheMiddleware

from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.framework.django.syncio import verify_session
from supertokens_py.testing.conformance import AsgiClient, Headers, Reply, WsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients import django_settings  # noqa: F401  must be first
from .site import Site

# isort: split
from django.http import JsonResponse
from django.template import Engine, RequestContext, Template
from django.urls import URLPattern, URLResolver, path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_page
from django.views.decorators.vary import vary_on_headers
from ninja import NinjaAPI
from ninja.decorators import decorate_view
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from supertokens_py.framework.django.context import session as session_of_templates
from supertokens_py.framework.django.ninja import SessionAuth
from supertokens_py.framework.django.rest import HasSession, SessionAuthentication
from supertokens_py.recipe.session import PageSettings

from .test_pages import FROM_ELSEWHERE, NAVIGATES

OURS = "supertokens_py.framework.django.django_middleware.middleware"
STORES = "django.middleware.cache.UpdateCacheMiddleware"
FETCHES = "django.middleware.cache.FetchFromCacheMiddleware"
STORES_BY_PRIVATE = f"{__name__}.StoresByPrivate"

PLACES = [([STORES, OURS, FETCHES], False), ([OURS, STORES, FETCHES], False), ([OURS], True)]


class StoresByPrivate(UpdateCacheMiddleware):
    """As Django's was in 4.2 and in early releases of 5: of all headers only `private` keeps a response out.

    It looks at no switch of the request either, so that the headers have to do.
    """

    def process_response(self, request: Any, response: Any) -> Any:
        request._cache_update_cache = True
        said = response.headers.get("Cache-Control", "")
        kept = [part for part in said.split(", ") if part not in ("no-store", "no-cache", "")]
        response.headers["Cache-Control"] = ", ".join(kept)
        answer = super().process_response(request, response)
        response.headers["Cache-Control"] = said
        return answer


@pytest.fixture(params=("django_sync", "django_async"))
def site(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """Both Django sites."""
    made = Site(request.param, sqlite_files.create().uri, clock).init()
    yield made
    made.close()


@contextmanager
def cached(
    site: Site, middleware: list[str], view: Callable[..., Any], *, page: bool
) -> Generator[Callable[[Headers], Reply]]:
    """Serve one view behind an empty cache; yields what asks for it with the headers of a visitor."""
    with served(site, middleware, [path("me", cache_page(60)(view) if page else view)]) as get:
        yield get


@contextmanager
def served(
    site: Site, middleware: list[str], patterns: list[URLPattern | URLResolver]
) -> Generator[Callable[[Headers], Reply]]:
    """Do the same for the views that Django finds by these patterns."""
    from django.core.cache import cache
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings

    class Urls:
        urlpatterns = patterns

    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=middleware, CACHES=caches):
        cache.clear()
        client = WsgiClient(WSGIHandler()) if site.driver == "django_sync" else AsgiClient(ASGIHandler())
        yield lambda headers: client.request("GET", "/me", headers)
        client.close()


def answer(user: str | None, cache_control: str | None = None) -> Any:
    response = JsonResponse({"user": user})
    if cache_control is not None:
        response.headers["Cache-Control"] = cache_control
    return response


@pytest.mark.parametrize("cache_control", [None, "max-age=60"])
@pytest.mark.parametrize(("middleware", "page"), PLACES)
def test_the_caches_of_django(
    site: Site, middleware: list[str], page: bool, cache_control: str | None
) -> None:
    """A page under the decorator: one for each visitor, kept only where the view says so."""
    runs: list[Any] = []

    @verify_session(session_required=False)
    def view(request: Any) -> Any:
        runs.append(request)
        return answer(request.supertokens and request.supertokens.get_user_id(), cache_control)

    ada, bob = site.sign_in("cookie", "ada"), site.sign_in("header", "bob")
    with cached(site, middleware, view, page=page) as get:
        seen = [
            get(visitor.credentials("/me") if visitor else []).json["user"]
            for visitor in (ada, bob, None, ada, bob, None)
        ]
    assert seen == ["ada", "bob", None] * 2
    assert len(runs) == (6 if cache_control is None else 3)  # private is not kept, the view's choice is


@pytest.mark.parametrize("cache_control", [None, "public, max-age=60"])
@pytest.mark.parametrize(("middleware", "page"), [*PLACES, ([STORES_BY_PRIVATE, OURS, FETCHES], False)])
@pytest.mark.parametrize("guarded", [True, False])
def test_a_page_that_signs_in_is_kept_for_nobody(
    site: Site, middleware: list[str], page: bool, guarded: bool, cache_control: str | None, mode: str
) -> None:
    """Neither its tokens nor its text reach the next visitor, in every release of Django."""

    def view(request: Any) -> Any:
        user = request.headers["x-remote-user"]  # as a proxy that authenticates says it
        session_syncio.create_new_session(request, "public", user)
        return answer(user, cache_control)

    guard = verify_session(session_required=False)
    with cached(site, middleware, guard(view) if guarded else view, page=page) as get:
        for user in ("ada", "bob", "ada"):
            reply = get([("x-remote-user", user), ("st-auth-mode", mode)])
            assert (reply.json, reply.front["uid"]) == ({"user": user}, user)
            assert reply.header("cache-control") == "private, no-store"
            assert reply.header("vary") == "Cookie, Authorization"
    assert (len(site.handles("ada")), len(site.handles("bob"))) == (2, 1)


@pytest.mark.parametrize(("middleware", "page"), [*PLACES, ([STORES_BY_PRIVATE, OURS, FETCHES], False)])
def test_changed_tokens_are_kept_for_nobody(site: Site, middleware: list[str], page: bool, mode: str) -> None:
    """The second request of the same visitor gets what it asked for."""

    @verify_session()
    def view(request: Any) -> Any:
        request.supertokens.sync_merge_into_access_token_payload({"run": len(runs)})
        runs.append(request)
        return answer(None, "max-age=60")

    runs: list[Any] = []
    visitor = site.sign_in(mode)
    with cached(site, middleware, view, page=page) as get:
        fronts = [get(visitor.credentials("/me")).front["up"]["run"] for _ in range(2)]
    assert fronts == [0, 1]


@pytest.mark.parametrize("cache_control", [None, "public, max-age=60"])
@pytest.mark.parametrize(("middleware", "page"), PLACES)
def test_a_page_that_looks_for_a_session_itself(
    site: Site, middleware: list[str], page: bool, cache_control: str | None
) -> None:
    """Without the decorator the headers come after a cache inside, which is told on the request."""

    def view(request: Any) -> Any:
        session = session_syncio.get_session(request, session_required=False)
        return answer(session and session.get_user_id(), cache_control)

    ada, bob = site.sign_in("cookie", "ada"), site.sign_in("header", "bob")
    with cached(site, middleware, view, page=page) as get:
        visitors = (ada, bob, None, ada, bob, None)
        replies = [get(visitor.credentials("/me") if visitor else []) for visitor in visitors]
    assert [reply.json["user"] for reply in replies] == ["ada", "bob", None] * 2
    assert {reply.header("vary") for reply in replies} == {"Cookie, Authorization"}


# -- views that look for a session in other ways than by the decorator or by `get_session` --------------

Kept = Callable[[Any], Any]  #: what keeps the responses of a view: `cache_page`, or nothing
_numbers = itertools.count()  # old releases of Ninja refuse two APIs of one name


class OfNobody(APIView):
    """A view of REST framework that asks for no session."""

    renderer_classes = (JSONRenderer,)
    authentication_classes = ()

    def get(self, request: Any) -> Response:
        return Response({"user": user_of(request.auth)})


class Optional(OfNobody):
    authentication_classes = (SessionAuthentication,)


class Required(Optional):
    permission_classes = (HasSession,)


class RequiredWithoutAuthentication(OfNobody):
    permission_classes = (HasSession,)

    def get(self, request: Any) -> Response:
        return Response({"user": user_of(request.supertokens)})


class Got(OfNobody):
    """Kept around a method, which looks for the session itself."""

    def get(self, request: Any) -> Response:
        return Response({"user": user_of(session_syncio.get_session(request, session_required=False))})


def user_of(session: Any) -> str | None:
    return session and session.get_user_id()


def in_a_template(request: Any) -> Any:
    text = Template("{% if session %}{{ session.get_user_id }}{% endif %}", engine=Engine())
    return answer(text.render(RequestContext(request, processors=[session_of_templates])) or None)


def by_ninja(kept: Kept, *, is_async: bool = False) -> Any:
    api = NinjaAPI(urls_namespace=f"caches-{next(_numbers)}", docs_url=None, openapi_url=None)

    def view(request: Any) -> Any:
        return {"user": user_of(request.auth)}

    async def async_view(request: Any) -> Any:
        return view(request)

    api.get("/me", auth=SessionAuth())(decorate_view(kept)(async_view if is_async else view))
    return path("", api.urls)


def rest(kind: type[APIView], *places: str) -> Callable[[Kept], Any]:
    def pattern(kept: Kept) -> Any:
        if not places:
            return path("me", kept(kind.as_view()))
        return path("me", method_decorator(kept, name=places[0])(type("Kept", (kind,), {})).as_view())

    return pattern


WAYS: dict[str, Callable[[Kept], Any]] = {
    "a template": lambda kept: path("me", kept(in_a_template)),
    "rest, optional": rest(Optional),
    "rest, required": rest(Required),
    "rest, by the permission": rest(RequiredWithoutAuthentication),
    "rest, dispatch": rest(Required, "dispatch"),
    "rest, get_session in a method": rest(Got, "get"),
    "ninja": by_ninja,
    "ninja, async": lambda kept: by_ninja(kept, is_async=True),
}
#: Those in which a stranger finds the page.
OPEN_WAYS = ("a template", "rest, optional", "rest, get_session in a method")
BELOW = [
    ([STORES, OURS, FETCHES], False),
    ([OURS, STORES, FETCHES], False),
    ([OURS, "django.middleware.cache.CacheMiddleware"], False),
    ([OURS], True),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("middleware", "page"), BELOW)
def test_nobody_gets_what_was_made_for_somebody_else(
    site: Site, middleware: list[str], page: bool, way: str
) -> None:
    """However a view looks for the session, and wherever the cache stands."""
    if page and way == "ninja, async":
        pytest.skip("cache_page takes no async function")
    ada, bob = site.sign_in("cookie", "ada"), site.sign_in("header", "bob")
    stranger = (200, None) if way in OPEN_WAYS else (401, None)
    with served(site, middleware, [WAYS[way](cache_page(60) if page else lambda view: view)]) as get:
        seen = []
        for visitor in (ada, bob, None, ada, bob, None):
            reply = get(visitor.credentials("/me") if visitor else [])
            seen.append((reply.status, reply.json.get("user")))
    assert seen == [(200, "ada"), (200, "bob"), stranger] * 2


def test_a_method_of_rest_framework_can_be_kept_for_each_visitor(site: Site) -> None:
    """The session is found before the cache begins, so that the view has to name what it varies with."""
    runs: list[Any] = []

    class Varying(Required):
        @method_decorator([cache_page(60), vary_on_headers("Cookie", "Authorization")])
        def get(self, request: Any) -> Response:
            runs.append(request)
            return Response({"user": user_of(request.auth)})

    ada, bob = site.sign_in("cookie", "ada"), site.sign_in("header", "bob")
    with served(site, [OURS], [path("me", Varying.as_view())]) as get:
        seen = [get(visitor.credentials("/me")).json["user"] for visitor in (ada, bob, ada, bob)]
    assert (seen, len(runs)) == (["ada", "bob"] * 2, 2)


def test_nobody_gets_the_page_of_another_user() -> None:
    """However a view asks for `request.user`, wherever the cache stands; members' pages are for members."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.framework.django_cached_users"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, list[str]] = json.loads(done.stdout)
    assert len(seen) == 40
    assert {what: found for what, found in seen.items() if found != users_of(what)} == {}


def users_of(what: str) -> list[str]:
    """Return what Ada, Bob and a stranger are to see, twice."""
    stranger = "302" if "members" in what else "AnonymousUser"
    if "for_members" in what or "for-members" in what:
        return ["for members", "for members", stranger] * 2
    return ["ada", "bob", stranger] * 2


@pytest.mark.parametrize(
    "middleware", [[STORES_BY_PRIVATE, OURS, FETCHES], [STORES_BY_PRIVATE, FETCHES, OURS]]
)
def test_the_page_of_a_stranger_is_kept_for_nobody(site: Site, middleware: list[str]) -> None:
    """A browser that comes from elsewhere is asked to ask again: kept, that page would ask for ever."""
    site.init(info={"website_domain": "https://api.example.com"}, pages=PageSettings(login_path="/login"))

    @verify_session()
    def view(request: Any) -> Any:
        return answer(request.supertokens.get_user_id())

    with cached(site, middleware, view, page=False) as get:
        asked_again = get(FROM_ELSEWHERE)
        assert (asked_again.status, b"http-equiv" in asked_again.body) == (200, True)
        assert asked_again.header("cache-control") == "private, no-store"
        assert get(NAVIGATES).status == 303
