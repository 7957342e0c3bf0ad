"""The server over a remote engine: clients of one version, a core of another behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from supertokens_py.server import create_app
from tests.engine.remote.cores import (
    Core,
    access_token,
    engine_over,
    jwk,
    stored_session,
    wire_session,
    wire_token,
)
from tests.server.wire import LEGACY, Wire

VERIFY = "POST /recipe/session/verify"
REGENERATE = "POST /recipe/session/regenerate"


@pytest.fixture
def core() -> Core:
    return Core({"GET /.well-known/jwks.json": {"keys": [jwk()]}}, versions=["5.4"])


@pytest.fixture
def legacy(core: Core) -> Iterator[Wire]:
    with TestClient(create_app(engine_over(core), allow_no_api_key=True), base_url="http://server") as client:
        yield Wire(client, LEGACY)


def test_a_token_that_the_core_hands_out_is_passed_on(core: Core, legacy: Wire) -> None:
    """An older core replaces a refreshed token at its first use."""
    core.answers[VERIFY] = wire_session()
    answer = legacy.verify(access_token(parentRefreshTokenHash1="1" * 64).text)
    assert (answer["status"], answer["accessToken"]) == ("OK", wire_token("access"))


@pytest.mark.parametrize(
    ("regenerated", "expected"),
    [
        ({"status": "OK", "accessToken": wire_token("new")}, ("OK", {"a": 1}, wire_token("new"))),
        ({"status": "OK"}, ("OK", {}, None)),
        ({"status": "UNAUTHORISED", "message": "gone"}, ("UNAUTHORISED", None, None)),
    ],
    ids=["alive", "just-expired", "gone"],
)
def test_a_changed_payload_is_fetched_from_the_core(
    core: Core, legacy: Wire, regenerated: dict[str, Any], expected: tuple[str, Any, Any]
) -> None:
    """CS-26 in two steps: what happens to the session between them is the answer."""
    core.answers[VERIFY] = {"status": "OK"}
    core.answers["GET /recipe/session"] = stored_session()
    core.answers[REGENERATE] = {"session": wire_session()["session"], **regenerated}
    answer = legacy.verify(access_token().text, checkDatabase=True)
    payload = answer["session"]["userDataInJWT"] if "session" in answer else None
    assert (answer["status"], payload, answer.get("accessToken")) == expected
    assert core.asked[-1] == REGENERATE


def test_active_users_are_not_counted_twice(core: Core, legacy: Wire) -> None:
    """The core behind counts them, and is the one to be asked."""
    assert legacy.refusal("GET", "/users/count/active?since=0") == (404, "Not found")
