"""`verify_session(payload=)` in every framework."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import PayloadTypeError

from .script import Shop, View
from .site import ADAPTERS, EVERY_ADAPTER, Site


def plan_of(view: View) -> dict[str, Any]:
    """A view that relies on the type of its payload."""
    if view.session is None:
        return {"plan": None}
    assert isinstance(view.session.payload, Shop)
    return {"plan": view.session.payload.plan, "seats": view.session.payload.seats}


@EVERY_ADAPTER
def test_a_payload_is_what_the_route_says(site: Site) -> None:
    """CP-39: the view gets an instance; other claims are left out; without a session there is none."""
    visitor = site.sign_in("header", payload={"plan": "pro", "other": 1})
    assert visitor.get("/typed", do=plan_of).json == {"plan": "pro", "seats": 1}
    assert site.get("/typed", do=plan_of).json == {"plan": None}
    assert visitor.get("/protected", do=lambda view: view.session.payload).json["other"] == 1


@pytest.mark.parametrize("bare_site", [one for one in ADAPTERS if one != "aws_lambda"], indirect=True)
def test_one_that_does_not_fit_is_a_500_and_the_session_stays(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """CP-39: it is the application's own mistake, which its log names, and no reason to sign anybody out."""
    visitor = site.sign_in("header", payload={"plan": "pro", "seats": "many"})
    runs = site.world.runs
    reply = visitor.get("/typed", do=plan_of)
    assert (reply.status, site.world.runs) == (500, runs)
    assert b"seats" not in reply.body
    # Some frameworks log what a view raises; others let it out, for their server to log.
    assert "seats: expected int, not str" in f"{caplog.text} {getattr(site.client, 'error', None)}"
    assert reply.session_parts == []
    assert visitor.get("/protected").status == 200


@pytest.mark.parametrize("bare_site", ["aws_lambda"], indirect=True)
def test_one_that_does_not_fit_fails_a_lambda_function(site: Site) -> None:
    """CP-39: as whatever else its handler raises: Lambda logs it, and the gateway answers."""
    visitor = site.sign_in("header", payload={"plan": "pro", "seats": "many"})
    with pytest.raises(PayloadTypeError, match="seats: expected int, not str"):
        visitor.get("/typed", do=plan_of)
    assert visitor.get("/protected").status == 200
