"""Caches between visitors and application: nobody gets a page that was made for somebody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.framework.response import PERSONAL, Changes, varying
from supertokens_py.recipe import multitenancy, openid
from supertokens_py.recipe.session import (
    DeviceBinding,
    DeviceSettings,
    Impersonation,
    InputOverrideConfig,
    PageSettings,
)
from supertokens_py.recipe.session.exceptions import ClaimValidationError, InvalidClaimsError
from supertokens_py.recipe.session.interfaces import SignOutOkayResponse
from supertokens_py.recipe.session.verification.verifier import Verifier
from supertokens_py.testing.conformance import Headers, Reply

from .script import Answer
from .site import ASGI_AND_WSGI, Site
from .test_pages import NAVIGATES

BOTH = "Cookie, Authorization"


class ToyCache:
    """Keeps every response, whatever Cache-Control says; a hit is one of URL and Vary (RFC 9111)."""

    def __init__(self, send: Callable[[str, Headers], Reply]) -> None:
        self._send = send
        self._kept: list[tuple[str, dict[str, str | None], Reply]] = []
        self.hits = 0

    def get(self, path: str, headers: Headers) -> Reply:
        sent = dict(headers)
        for kept, selected, reply in self._kept:
            if kept == path and all(sent.get(name) == value for name, value in selected.items()):
                self.hits += 1
                return reply
        reply = self._send(path, headers)
        vary = [name.strip().lower() for name in (reply.header("vary") or "").split(",") if name.strip()]
        if "*" not in vary:
            self._kept.append((path, {name: sent.get(name) for name in vary}, reply))
        return reply


def assert_personal(reply: Reply, cache_control: str = "private") -> None:
    assert (reply.header("vary"), reply.header("cache-control")) == (BOTH, cache_control)


def look(view: Any) -> Any:
    """A view without the decorator that asks who is there."""
    session = yield view.get_session(session_required=False)
    return {"user": session and session.get_user_id()}


@pytest.mark.pairwise
@pytest.mark.parametrize("path", ["/protected", "/optional", "/claims", "/open"])
def test_two_users_and_a_stranger(site: Site, path: str, mode: str) -> None:
    """Each gets their own page, in every order, found session or not; a second look is a hit."""
    target = site.target(path, look) if path == "/open" else path
    ada, bob = site.sign_in(mode, "ada"), site.sign_in(mode, "bob")
    cache = ToyCache(lambda path, headers: site.get(path, headers))
    seen = []
    for _ in range(2):
        for visitor in (None, ada, bob):
            reply = cache.get(target, visitor.credentials(path) if visitor else [])
            seen.append((reply.status, reply.json.get("user")))
    stranger = (200, None) if path in ("/optional", "/open") else (401, None)
    assert seen == [stranger, (200, "ada"), (200, "bob")] * 2
    assert cache.hits == 3


def test_error_responses_vary_as_well(site: Site, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """401 before and after the claims, 403, 503, and the errors that a view raises."""
    visitor = site.sign_in(mode)
    assert_personal(site.get("/protected"))
    assert_personal(
        visitor.get("/protected", do=raising(InvalidClaimsError("x", [ClaimValidationError("a", None)])))
    )

    def fails(*_: Any) -> list[Any]:
        raise InvalidClaimsError("x", [])

    site.world.validators = fails
    reply = visitor.get("/claims")
    assert reply.status == 403
    assert_personal(reply)
    site.clock.advance(hours=2)
    assert_personal(visitor.get("/protected"))

    async def away(*_: Any, **__: Any) -> Any:
        raise EngineUnavailableError("away")

    monkeypatch.setattr(Verifier, "check", away)
    reply = visitor.get("/protected")
    assert reply.status == 503
    assert_personal(reply)


def raising(error: Exception) -> Any:
    def script(view: Any) -> Any:
        raise error

    return script


def test_the_routes_of_the_sdk(site: Site, mode: str) -> None:
    """Sign-out and refresh look for a session; the published keys are everybody's."""
    assert_personal(site.post("/auth/signout"), "private, no-store")
    assert_personal(site.post("/auth/session/refresh"), "private, no-store")
    assert_personal(site.sign_in(mode).refresh(), "private, no-store")
    assert_personal(site.sign_in(mode).post("/auth/signout"), "private, no-store")
    keys = site.get("/auth/jwt/jwks.json")
    assert keys.header("vary") is None
    assert "private" not in (keys.header("cache-control") or "")


#: What is the same for every visitor.
PUBLISHED = {"/jwt/jwks.json", "/.well-known/openid-configuration", "/loginmethods"}


@ASGI_AND_WSGI
def test_caches_keep_only_what_is_published(bare_site: Site) -> None:
    """Of all that the SDK answers, errors as well; an API may say something else."""

    def apis(default: Any) -> Any:
        async def signout_post(session: Any, api_options: Any, user_context: Any) -> Any:
            api_options.response.set_header("Cache-Control", "no-cache")
            return SignOutOkayResponse()

        default.signout_post = signout_post
        return default

    bare_site.init(
        info={"website_domain": "https://api.example.com"},
        pages=PageSettings(login_path="/login"),
        devices=DeviceSettings(routes=True),
        device_binding=DeviceBinding(),
        impersonation=Impersonation(may=lambda *_: True, routes=True),
        override=InputOverrideConfig(apis=apis),
        recipes=[openid.init(), multitenancy.init()],
    )
    routes = [route for recipe in Supertokens.get_instance().recipe_modules for route in recipe.routes()]
    assert {route.path for route in routes} > PUBLISHED
    for route in routes:
        for headers in ([], NAVIGATES):
            reply = bare_site.request(route.method, f"/auth{route.path}", headers)
            if route.path in PUBLISHED:
                assert reply.status == 200
                assert "private" not in (reply.header("cache-control") or "")
            else:
                assert reply.all("cache-control") == ["private, no-store"], (reply.status, route)
    assert bare_site.sign_in("header").post("/auth/signout").all("cache-control") == ["no-cache"]


@ASGI_AND_WSGI
def test_no_cache_keeps_that_the_keys_are_out_of_reach(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is not what the route publishes."""

    def away(*_: Any, **__: Any) -> Any:
        raise EngineUnavailableError("away")

    monkeypatch.setattr(type(Supertokens.get_instance().engine.keys), "jwks", away)
    reply = site.get("/auth/jwt/jwks.json")
    assert (reply.status, reply.header("cache-control")) == (503, "private, no-store")


def test_nothing_is_said_where_no_session_was_looked_for(site: Site) -> None:
    """Pages for everybody stay cacheable."""
    visitor = site.sign_in()
    for reply in (site.get("/open"), visitor.get("/open"), site.get("/nothing")):
        assert (reply.header("vary"), reply.header("cache-control")) == (None, None)


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        ((), (BOTH, "private")),
        ((("Vary", "Accept-Encoding"),), (f"Accept-Encoding, {BOTH}", "private")),
        ((("Vary", "cookie, Origin"),), ("cookie, Origin, Authorization", "private")),
        ((("Vary", "*"),), ("*", "private")),
        ((("Vary", BOTH), ("Cache-Control", "no-store")), (BOTH, "no-store")),
        ((("Cache-Control", "public, max-age=60"),), (BOTH, "public, max-age=60")),
        ((("Cache-Control", ""),), (BOTH, "")),
    ],
)
def test_what_the_view_said_stays(site: Site, own: Any, sent: tuple[str, str]) -> None:
    """Vary is added to, `*` covers everything, Cache-Control is the view's decision."""
    reply = site.sign_in().get("/protected", do=lambda view: Answer({}, 200, own))
    assert (reply.header("vary"), reply.header("cache-control")) == sent


def test_several_lines_become_one() -> None:
    """RFC 9110, 5.3: lines of one name are one list."""
    lines = [("vary", "Origin"), ("X", "1"), ("Vary", "Accept"), ("Cache-Control", "max-age=5")]
    assert PERSONAL.apply_to(lines) == [
        ("X", "1"),
        ("Vary", f"Origin, Accept, {BOTH}"),
        ("Cache-Control", "max-age=5"),
    ]
    assert Changes().apply_to(lines)[1:] == [("Vary", "Origin, Accept"), ("Cache-Control", "max-age=5")]
    assert (varying(""), varying("Cookie,"), varying("Accept, *")) == (BOTH, BOTH, "Accept, *")


def test_a_route_that_is_the_same_for_everybody(site: Site, mode: str) -> None:
    """`vary=False`: the page may be shared, its 401 may not; another look in the same request counts."""
    visitor = site.sign_in(mode)
    own = (("Cache-Control", "public, max-age=60"),)
    for visit in (visitor.get, site.get):
        reply = visit("/shared", do=lambda view: Answer({}, 200, own))
        assert (reply.status, reply.header("vary")) == (200, None)
        assert reply.header("cache-control") == "public, max-age=60"
        assert_personal(visit("/shared", do=look))
    site.clock.advance(hours=2)
    reply = visitor.get("/shared")
    assert reply.status == 401
    assert_personal(reply)


def test_tokens_on_a_shared_route_are_not_stored(site: Site, mode: str) -> None:
    """Whatever the route says: a response that carries tokens is one visitor's."""

    def merge(view: Any) -> Any:
        yield view.merge({"a": 1})
        return Answer({}, 200, (("Cache-Control", "public, max-age=60"),))

    assert site.sign_in(mode).get("/shared", do=merge).header("cache-control") == "private, no-store"


def test_an_api_of_the_application_that_verifies(bare_site: Site) -> None:
    """A replaced `verify_session` may look at whatever it likes: the response varies all the same."""

    def apis(default: Any) -> Any:
        async def verify_session(*_: Any) -> None:
            return None

        default.verify_session = verify_session
        return default

    bare_site.init(override=InputOverrideConfig(apis=apis))
    assert_personal(bare_site.get("/optional"))
    assert_personal(bare_site.get("/protected"))
