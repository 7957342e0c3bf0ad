"""Requests that no SDK sends, and limits that few servers reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from supertokens_py.server import app as server_app
from supertokens_py.server.environment import create_from
from tests.server.wire import Wire

Message = dict[str, Any]


def test_a_line_break_in_a_path(wire: Wire) -> None:
    """It is a path like any other that does not exist."""
    assert wire.refusal("GET", "/recipe/%0Aroles") == (404, "Not found")


async def test_a_request_that_breaks_off(wire: Wire) -> None:
    """Nothing is done, and nothing is an error of the server."""
    messages = [
        {"type": "http.request", "body": b'{"userId":', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/recipe/session",
        "query_string": b"",
        "headers": [(b"host", b"core")],
    }
    await wire.client.app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert sent[1]["body"] == b"The request was not sent completely\n"


@pytest.mark.parametrize(("levels", "status"), [(63, 200), (70, 400)])
def test_lists_are_levels_too(wire: Wire, levels: int, status: int) -> None:
    """A body may be nested, but not beyond reason."""
    nested = b"[" * levels + b"]" * levels
    body = b'{"userId": "u1", "metadataUpdate": {"x": %b}}' % nested
    answer = wire.raw("PUT", "/recipe/user/metadata", content=body)
    assert answer.status_code == status, answer.text
    if status == 400:
        assert answer.text == "Invalid Json Input: nested deeper than 65 levels\n"


def test_more_tenants_than_are_remembered(
    start: Callable[..., Wire], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are asked for again."""
    monkeypatch.setattr(server_app, "_MAX_REMEMBERED_TENANTS", 1)
    wire = start()
    for tenant in ("t1", "t2"):
        wire.put("/recipe/multitenancy/tenant/v2", {"tenantId": tenant})
    for tenant in ("t1", "t2", "t1"):
        assert wire.create(tenant=tenant)["session"]["tenantId"] == tenant
    assert wire.refusal("GET", "/t3/recipe/user/roles?userId=u")[0] == 400


def test_the_environment_limits_bodies() -> None:
    """In bytes, from 1024 on."""
    environ = {"SUPERTOKENS_CONNECTION_URI": "sqlite://", "SUPERTOKENS_MAX_BODY_BYTES": "2000"}
    with TestClient(create_from(environ), base_url="http://core") as client:
        answer = Wire(client).refusal("POST", "/recipe/session", content=b" " * 2_001)
    assert answer == (413, "The request body is larger than 2000 bytes")
