"""A store out of reach is 503, never a logout, and no answer shows what is inside."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import TooManyAttemptsError
from supertokens_py.recipe.session import PageSettings
from supertokens_py.recipe.session.exceptions import DeviceProofDelayedError
from supertokens_py.testing.conformance import Reply
from tests.support.units import refused_units

from .site import Site
from .test_pages import HTMX, IN_ADVANCE, NAVIGATES, OLD_BROWSER

STORE_GONE = {"message": "session store unavailable"}


def assert_unavailable(reply: Reply) -> None:
    assert (reply.status, reply.json) == (503, STORE_GONE)
    assert reply.session_parts == []
    assert reply.header("retry-after") == "1"


@pytest.fixture
def broken(bare_site: Site) -> Site:
    """A site whose database was there for the sign-in and then was not."""
    bare_site.init()
    return bare_site


@pytest.fixture
def rendering(bare_site: Site) -> Site:
    """A site with pages that the server renders."""
    return bare_site.init(
        info={"website_domain": "https://api.example.com"}, pages=PageSettings(login_path="/login")
    )


def break_store(site: Site) -> None:
    site.uri = "sqlite:////dev"
    site.init()


def test_our_routes_answer_503_and_clear_nothing(broken: Site, mode: str) -> None:
    """FP-71: refresh and sign-out answer 503, nothing is cleared, and both work again later."""
    visitor = broken.sign_in(mode)
    uri = broken.uri
    break_store(broken)
    assert_unavailable(visitor.refresh())
    assert_unavailable(visitor.post("/auth/signout"))
    assert_unavailable(broken.get("/auth/jwt/jwks.json"))
    broken.uri = uri
    broken.init()
    assert visitor.refresh().status == 200
    assert visitor.post("/auth/signout").json == {"status": "OK"}


def test_a_token_whose_keys_cannot_be_loaded_is_503(broken: Site, mode: str) -> None:
    """FP-71: a valid token whose keys cannot be loaded is 503, not 401; the handler does not run."""
    visitor = broken.sign_in(mode)
    runs = broken.world.runs
    break_store(broken)
    for path in ("/protected", "/optional", "/database"):
        assert_unavailable(visitor.get(path))
    assert broken.world.runs == runs


def test_known_keys_keep_working(broken: Site, mode: str) -> None:
    """FP-47: once the keys are known, plain verifications need no store; asking the store is 503."""
    visitor = broken.sign_in(mode)
    assert visitor.get("/protected").status == 200

    def merge(view: Any) -> Any:
        yield view.merge({"a": 1})

    with refused_units(broken.engine.database, "the disk is gone"):
        assert visitor.get("/protected").json == {"user": "user-1"}
        assert_unavailable(visitor.get("/database"))
        assert_unavailable(visitor.post("/protected", do=merge))
        assert_unavailable(visitor.post("/open", do=lambda view: (yield view.create())))
    assert visitor.post("/protected", do=merge).status == 200


def test_an_application_error_shows_nothing(broken: Site, mode: str) -> None:
    """FP-88: production mode: a bug in a view is a plain 500; its text and stack stay on the server."""

    def script(view: Any) -> Any:
        yield view.merge({"a": 1})
        raise LookupError("secret detail")

    reply = broken.sign_in(mode).post("/protected", do=script)
    assert reply.status == 500
    for word in (b"Traceback", b"secret detail", b"LookupError", b"site.py"):
        assert word not in reply.body
    assert isinstance(broken.client.error, LookupError)


def raising(error: Exception) -> Any:
    def script(view: Any) -> Any:
        raise error

    return script


@pytest.mark.parametrize(
    ("failure", "status", "wait"),
    [
        (lambda view: (yield view.create()), 503, ("1", "1 second")),
        (raising(TooManyAttemptsError(119_001)), 429, ("120", "2 minutes")),
        (raising(DeviceProofDelayedError("not now")), 503, ("5", "5 seconds")),
    ],
    ids=["store", "attempts", "device"],
)
def test_a_browser_is_told_in_a_page_to_come_back(
    rendering: Site, failure: Any, status: int, wait: tuple[str, str]
) -> None:
    """A log-in form, and a link; scripts and whoever sends a token in a header get JSON as ever."""

    def asked(method: str, *headers: tuple[str, str]) -> Reply:
        reply = rendering.request(method, "/open", headers, do=failure)
        assert (reply.status, reply.header("retry-after")) == (status, wait[0])
        return reply

    with refused_units(rendering.engine.database, "the disk is gone"):
        for headers in (NAVIGATES, OLD_BROWSER):
            form, page = asked("POST", *headers), asked("GET", *headers)
            for reply in (form, page):
                assert reply.header("content-type") == "text/html; charset=utf-8"
                assert "no-store" in (reply.header("cache-control") or "")
                assert b"<h1>Please try again</h1>" in reply.body
            assert f"Go back, and send it again in {wait[1]}.</p>" in form.body.decode()
            assert f"<p>The page cannot be shown now. Load it again in {wait[1]}.</p>" in page.body.decode()
        for headers in ([], [*NAVIGATES, ("authorization", "Bearer x")], HTMX, IN_ADVANCE[0]):
            assert list(asked("POST", *headers).json) == ["message"]


def test_the_forms_and_links_of_our_routes_are_answered_by_pages(rendering: Site) -> None:
    visitor = rendering.sign_in("cookie")
    with refused_units(rendering.engine.database, "the disk is gone"):
        for reply in (
            visitor.get("/auth/session/refresh?next=/orders", headers=NAVIGATES),
            visitor.post("/auth/signout", headers=NAVIGATES),
        ):
            assert (reply.status, reply.header("retry-after")) == (503, "1")
            assert reply.header("content-type") == "text/html; charset=utf-8"
            assert reply.session_parts == []
        assert_unavailable(visitor.post("/auth/signout"))


def test_without_pages_a_browser_gets_json_as_well(broken: Site) -> None:
    with refused_units(broken.engine.database, "the disk is gone"):
        assert_unavailable(broken.post("/open", NAVIGATES, do=lambda view: (yield view.create())))
