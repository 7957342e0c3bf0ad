"""The caches of Django, wherever they stand: nobody gets another visitor's page or tokens."""

from __future__ import annotations

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
    from django.core.cache import cache
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import override_settings
    from django.urls import path
    from django.views.decorators.cache import cache_page

    class Urls:
        urlpatterns = [path("me", cache_page(60)(view) if page else view)]  # noqa: RUF012  as Django reads it

    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=middleware, CACHES=caches):
        cache.clear()
        client = WsgiClient(WSGIHandler()) if site.driver == "django_sync" else AsgiClient(ASGIHandler())
        yield lambda headers: client.request("GET", "/me", headers)
        client.close()


def answer(user: str | None, cache_control: str | None = None) -> Any:
    from django.http import JsonResponse

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
