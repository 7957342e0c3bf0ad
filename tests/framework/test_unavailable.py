"""A store out of reach is 503, never a logout, and no answer shows what is inside."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.testing.conformance import Reply
from tests.support.units import refused_units

from .site import Site

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
