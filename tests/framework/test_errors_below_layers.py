"""Every other framework: the SDK's errors where a layer between ours and the view catches everything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    refresh_session_without_request_response,
)
from tests.seeds.fixtures import start
from tests.support.clock import Clock

from .catching_apps import ANSWERING, CATCHING, HANDLED, INTERNAL, OWN

__all__ = ["start"]

Bearer = list[tuple[str, str]]
UNAUTHORISED = {"message": "unauthorised"}
TRY_REFRESH = {"message": "try refresh token"}
LITESTARS = {"status_code": 500, "detail": "Internal Server Error"}  #: made below its middlewares
THEFT = {"message": "token theft detected"}
CLAIM = {
    "message": "invalid claim",
    "claimValidationErrors": [
        {"id": "plan", "reason": {"message": "value does not exist", "expectedValue": "pro"}}
    ],
}


def bearer(token: str | None) -> Bearer:
    assert token is not None
    return [("authorization", f"Bearer {token}")]


@pytest.fixture
def tokens(start: Callable[..., Any], clock: Clock) -> dict[str, Bearer]:
    """What clients come with: nothing, an access token, an expired one, a refresh token that is used up."""
    start(info={"api_domain": "https://api.example.com", "website_domain": "https://example.com"})
    made = create_new_session_without_request_response("public", "user-1")
    stolen = made.get_all_session_tokens_dangerously()["refreshToken"]
    assert stolen is not None
    refreshed = refresh_session_without_request_response(stolen)
    again = refreshed.get_all_session_tokens_dangerously()["refreshToken"]
    assert again is not None
    refresh_session_without_request_response(again)
    clock.advance(hours=2)
    fresh = create_new_session_without_request_response("public", "user-1").get_access_token()
    expired = refreshed.get_access_token()
    return {"none": [], "fresh": bearer(fresh), "expired": bearer(expired), "stolen": bearer(stolen)}


@pytest.mark.parametrize("layer", CATCHING)
def test_a_layer_that_catches_everything_hides_no_session_error(
    tokens: dict[str, Bearer], layer: str
) -> None:
    """A client that should refresh would not, with a 500. Mistakes of a view stay one."""
    cases: list[tuple[str, str, int, Any]] = [
        *((path, "none", 401, UNAUTHORISED) for path in ("/me", "/got")),
        *((path, "expired", 401, TRY_REFRESH) for path in ("/me", "/got")),
        *((path, "fresh", 403, CLAIM) for path in ("/admin", "/wanted", "/asserted")),
        ("/renewed", "stolen", 401, THEFT),
        ("/broken", "none", 500, LITESTARS if layer.startswith("litestar-middleware") else INTERNAL),
        ("/handled", "none", 500, HANDLED),
    ]
    with closing(CATCHING[layer]()) as client:
        for path, token, *expected in cases:
            reply = client.request("GET", path, tokens[token])
            assert [reply.status, reply.json] == expected, (path, token)


@pytest.mark.parametrize("framework", ANSWERING)
def test_a_handler_that_was_made_for_session_errors_has_the_last_word(
    tokens: dict[str, Bearer], framework: str
) -> None:
    with closing(ANSWERING[framework]()) as client:
        for path, token in (
            ("/me", "none"),
            ("/got", "expired"),
            ("/admin", "fresh"),
            ("/renewed", "stolen"),
        ):
            reply = client.request("GET", path, tokens[token])
            assert (reply.status, reply.json) == (503, OWN), (path, token)
