"""What clients see of a session that was revoked while its access token is still valid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.recipe.session import Impersonation, SessionLimit
from supertokens_py.testing.conformance.routes import Call
from tests.engine.driver import QUIET
from tests.framework.site import ASGI_AND_WSGI, Site, Visitor
from tests.framework.test_guests import sign_in, visit
from tests.framework.test_impersonation import END, act_as

#: A session, and what leaves its visitor with another one, or with none.
Scene = tuple[Visitor, Callable[[], Any]]


@ASGI_AND_WSGI
def test_the_next_request_signs_the_client_out(bare_site: Site) -> None:
    """CP-16, CP-19: 401 that clears every token and asks for no refresh, and 503 is nowhere."""
    site = bare_site.init(instant_revocation=True)
    visitor = site.sign_in()
    stolen = visitor.access
    assert visitor.get("/protected").status == 200
    site.engine.sessions.revoke([visitor.handle])
    answer = visitor.get("/protected")
    assert (answer.status, answer.json) == (401, {"message": "unauthorised"})
    assert visitor.access in (None, "")
    assert site.get("/protected", cookies=[("sAccessToken", str(stolen))]).status == 401
    assert site.get("/optional", cookies=[("sAccessToken", str(stolen))]).status == 401


def _replaced(site: Site) -> Scene:
    visitor = site.sign_in()

    def switch(view: Any) -> Any:
        former = yield view.get_session()
        yield view.create("user-1", replaces=former)

    return visitor, lambda: visitor.post("/open", do=switch)


def _authenticated_again(site: Site) -> Scene:
    visitor = site.sign_in()

    def again(view: Any) -> Any:
        former = yield view.get_session()
        yield Call("reauthenticate", (former, ["pwd"]))

    return visitor, lambda: visitor.post("/open", do=again)


def _made_room(site: Site) -> Scene:
    visitor = site.sign_in()

    def come_again() -> None:
        for _ in range(2):
            site.clock.advance(ms=1)  # of sessions of one age any might end
            site.sign_in()

    return visitor, come_again


def _was_a_guest(site: Site) -> Scene:
    visitor, _ = visit(site)
    return visitor, lambda: sign_in(visitor)


def _acted(site: Site) -> Scene:
    visitor = site.sign_in(user_id="boss")
    visitor.handle = act_as(visitor).json["handle"]
    return visitor, lambda: visitor.post(END)


def _waited_for_its_impersonation(site: Site) -> Scene:
    visitor = site.sign_in(user_id="boss")
    actor = Visitor(site)
    actor.access, actor.handle = visitor.access, visitor.handle
    act_as(visitor)
    return actor, lambda: visitor.post(END)


@contextmanager
def _another_process(site: Site) -> Iterator[EmbeddedEngine]:
    settings = EngineConfig(**QUIET, now_ms=site.clock).resolve({})
    other = EmbeddedEngine(site.uri, settings, features=SessionFeatures(revocations=True))
    try:
        yield other
    finally:
        other.close()


@ASGI_AND_WSGI
@pytest.mark.parametrize(
    "scene",
    [
        _replaced,
        _authenticated_again,
        _made_room,
        _was_a_guest,
        _acted,
        _waited_for_its_impersonation,
    ],
)
def test_a_session_that_makes_way_for_another(bare_site: Site, scene: Callable[[Site], Scene]) -> None:
    """CP-13, CP-16, CP-22, CP-24: its access token is refused from now on, and every process knows."""
    site = bare_site.init(
        instant_revocation=True,
        step_up=True,
        limit=SessionLimit(max_sessions=2),
        impersonation=Impersonation(may=lambda *_: True, routes=True),
    )
    visitor, change = scene(site)
    former, handle = str(visitor.access), visitor.handle
    cookies = [("sAccessToken", former)]
    assert site.get("/guests", cookies=cookies).status == 200
    change()
    answer = site.get("/guests", cookies=cookies)
    assert (answer.status, answer.json) == (401, {"message": "unauthorised"})
    with _another_process(site) as other:
        assert other.revocations is not None
        other.revocations.poll()
        assert handle in other.revocations.revoked.handles
