"""`verify_session(payload=)` in every framework."""

from __future__ import annotations

from typing import Any

from .script import Shop, View
from .site import Site


def plan_of(view: View) -> dict[str, Any]:
    """A view that relies on the type of its payload."""
    if view.session is None:
        return {"plan": None}
    assert isinstance(view.session.payload, Shop)
    return {"plan": view.session.payload.plan, "seats": view.session.payload.seats}


def test_a_payload_is_what_the_route_says(site: Site) -> None:
    """CP-39: the view gets an instance; other claims are left out; without a session there is none."""
    visitor = site.sign_in("header", payload={"plan": "pro", "other": 1})
    assert visitor.get("/typed", do=plan_of).json == {"plan": "pro", "seats": 1}
    assert site.get("/typed", do=plan_of).json == {"plan": None}
    assert visitor.get("/protected", do=lambda view: view.session.payload).json["other"] == 1


def test_one_that_does_not_fit_is_a_500_and_the_session_stays(site: Site) -> None:
    """CP-39: it is the application's own mistake, and no reason to sign anybody out."""
    visitor = site.sign_in("header", payload={"plan": "pro", "seats": "many"})
    runs = site.world.runs
    reply = visitor.get("/typed", do=plan_of)
    assert (reply.status, site.world.runs) == (500, runs)
    assert reply.session_parts == []
    assert visitor.get("/protected").status == 200
