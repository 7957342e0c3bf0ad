"""Requests that the application wraps itself, as code written for 0.24 does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from supertokens_py.framework.django.django_request import DjangoRequest
from supertokens_py.framework.fastapi.fastapi_request import FastApiRequest
from supertokens_py.framework.flask.flask_request import FlaskRequest
from supertokens_py.framework.litestar import LitestarRequest
from supertokens_py.framework.quart import QuartRequest
from supertokens_py.framework.request_registry import as_base_request

from .clients import django_settings  # noqa: F401  must be first
from .site import Site

KINDS: dict[str, Any] = {
    "fastapi": FastApiRequest,
    "flask": FlaskRequest,
    "django_sync": DjangoRequest,
    "django_async": DjangoRequest,
    "quart": QuartRequest,
    "litestar": LitestarRequest,
}


def test_tokens_written_through_a_wrapped_request_are_delivered(site: Site, mode: str) -> None:
    """Every `FastApiRequest(request)` of one request is the same request to the SDK."""
    kind = KINDS[site.driver]

    def create(view: Any) -> Any:
        made = yield replace(view, request=kind(view.request)).create()
        again = kind(view.request)
        known = as_base_request(view.request)
        assert again.get_session() is known.get_session() is made
        assert again.changes is known.changes
        yield view.merge({"a": 1}, again.get_session())
        return {"user": made.get_user_id()}

    reply = site.post("/open", [("st-auth-mode", mode)], do=create)
    assert reply.json == {"user": "user-1"}
    names = ["front-token", "sAccessToken", "sRefreshToken"]
    if mode == "header":
        names = ["front-token", "st-access-token", "st-refresh-token"]
    assert reply.session_parts == names


def test_a_wrapped_request_is_known_before_the_sdk_sees_the_request(site: Site) -> None:
    """The first wrapper is the one; it answers for the framework's request, and so does the second."""
    kind = KINDS[site.driver]

    def ask(view: Any) -> dict[str, Any]:
        first = kind(view.request)
        second = kind(view.request)
        second.created_handles = [*second.created_handles, "handle"]
        return {
            "same": as_base_request(view.request) is first,
            "delivers": [first.delivers, second.delivers],
            "asked": [second.method(), second.get_path(), second.get_header("x-mine")],
            "handles": first.created_handles,
        }

    reply = site.post("/open", [("x-mine", "1")], do=ask)
    assert reply.json == {
        "same": True,
        "delivers": [True, True],
        "asked": ["POST", "/open", "1"],
        "handles": ["handle"],
    }
