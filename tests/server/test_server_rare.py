"""Requests that no SDK sends, and limits that few servers reach."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.exceptions import ConfigError
from supertokens_py.server import create_app, known_tenants
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
    monkeypatch.setattr(known_tenants, "MAX_REMEMBERED", 1)
    wire = start()
    for tenant in ("t1", "t2"):
        wire.put("/recipe/multitenancy/tenant/v2", {"tenantId": tenant})
    for tenant in ("t1", "t2", "t1"):
        assert wire.create(tenant=tenant)["session"]["tenantId"] == tenant
    assert wire.refusal("GET", "/t3/recipe/user/roles?userId=u")[0] == 400


def test_the_environment_limits_bodies() -> None:
    """In bytes, from 1024 on."""
    environ = {
        "SUPERTOKENS_CONNECTION_URI": "sqlite://",
        "SUPERTOKENS_MAX_BODY_BYTES": "2000",
        "SUPERTOKENS_ALLOW_NO_API_KEY": "1",
    }
    with TestClient(create_from(environ), base_url="http://core") as client:
        answer = Wire(client).refusal("POST", "/recipe/session", content=b" " * 2_001)
    assert answer == (413, "The request body is larger than 2000 bytes")


MEMORY = {"SUPERTOKENS_CONNECTION_URI": "sqlite://"}
KEYS = {"SUPERTOKENS_API_KEYS": "a-real-secret-of-forty-characters-000000"}


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "without API keys anyone who reaches the server could create sessions"),
        ({"SUPERTOKENS_API_KEYS": " , "}, "without API keys"),
        ({"SUPERTOKENS_ALLOW_NO_API_KEY": "0"}, "without API keys"),
        ({"SUPERTOKENS_ALLOW_NO_API_KEY": "yes"}, "must be 0 or 1"),
        ({"SUPERTOKENS_API_KEY": KEYS["SUPERTOKENS_API_KEYS"]}, "the server reads SUPERTOKENS_API_KEYS"),
        ({"SUPERTOKENS_APIKEYS": "x"}, "did you mean SUPERTOKENS_API_KEYS"),
        ({**KEYS, "SUPERTOKENS_IP_ALOW_REGEX": "10.*"}, "did you mean SUPERTOKENS_IP_ALLOW_REGEX"),
        (
            {**KEYS, "SUPERTOKENS_ACCESS_TOKEN_VALIDTY": "60"},
            "did you mean SUPERTOKENS_ACCESS_TOKEN_VALIDITY",
        ),
        ({"SUPERTOKENS_API_KEYS": "choose-a-long-random-key"}, "is an example of the documentation"),
    ],
)
def test_an_environment_that_would_leave_the_server_open_is_refused(
    environ: dict[str, str], message: str
) -> None:
    """A process manager does not know what `supertokens serve` knows: where the server listens."""
    with pytest.raises(ConfigError, match=message):
        create_from({**MEMORY, **environ})


@pytest.mark.parametrize(
    "environ",
    [
        KEYS,
        {"SUPERTOKENS_ALLOW_NO_API_KEY": "1"},
        {**KEYS, "SUPERTOKENS_API_KEY": "what an application on this machine shows"},
        {**KEYS, "SUPERTOKENS_PORT": "tcp://10.0.0.1:3567", "SUPERTOKENS_SERVICE_HOST": "10.0.0.1"},
        {**KEYS, "SUPERTOKENS_CORE_POOL_SIZE": "4", "SUPERTOKENS_DEBUG": "1", "UNRELATED": "x"},
        {**KEYS, "SUPERTOKENS_TEST_POSTGRES": "1", "SUPERTOKENS_SKIP_INSTALL": "1"},
    ],
)
def test_variables_of_others_are_no_mistakes(environ: dict[str, str]) -> None:
    """Those of clients, of the remote engine, of Kubernetes, of the development of this package."""
    with TestClient(create_from({**MEMORY, **environ}), base_url="http://core") as client:
        assert client.get("/hello").text == "Hello\n"


def test_strangers_cannot_make_the_server_ask_its_database() -> None:
    """Keys of tenants that do not exist: one look a second, whatever is asked for; a new tenant is found."""
    engine = EmbeddedEngine("sqlite://", EngineConfig(clean_up_interval=0).resolve({}))
    find_all, looks = engine.tenants.all, list[None]()
    engine.tenants.all = lambda: looks.append(None) or find_all()
    app = create_app(engine, api_keys=KEYS.values())
    with TestClient(app, base_url="http://203.0.113.7") as client:
        began_s = time.monotonic()  # before the look after which a second is counted
        client.get("/t0/.well-known/jwks.json")
        looks.clear()
        for number in range(50):
            answer = client.get(f"/t{number}/.well-known/jwks.json")
            assert (answer.status_code, answer.text[:26]) == (400, "AppId or tenantId not foun")
        assert len(looks) <= time.monotonic() - began_s
        headers = {"api-key": KEYS["SUPERTOKENS_API_KEYS"]}
        client.put("/recipe/multitenancy/tenant/v2", json={"tenantId": "t7"}, headers=headers)
        assert client.get("/t7/.well-known/jwks.json").json()["keys"]
        client.get("/t7/recipe/user/roles?userId=u", headers=headers)  # it is remembered from now on
        looks.clear()
        assert client.get("/t7/.well-known/jwks.json").json()["keys"]
        assert looks == []


@pytest.mark.parametrize("path", ["/hello", "/", "/public/hello", "/.well-known/jwks.json"])
def test_probes_may_ask_with_head(wire: Wire, path: str) -> None:
    """A servlet answers HEAD as GET."""
    answer = wire.raw("HEAD", path)
    assert (answer.status_code, answer.headers["content-type"]) == (
        200,
        wire.raw("GET", path).headers["content-type"],
    )
