"""Several requests of a test client, one after the other, whether it is awaited or not."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import unquote

from supertokens_py.app import Supertokens

from .clients import Jar

T = TypeVar("T")

#: What a frontend sends with each POST; without, `anti_csrf="VIA_CUSTOM_HEADER"` refuses it.
PROOF: Final = {"rid": "session"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one of the SDK's routes, with a JSON body."""

    path: str
    body: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    headers: dict[str, str] = field(default_factory=dict[str, str], repr=False)
    tenant: str = "public"


Conversation: TypeAlias = Generator[Call, Any, T]


def path_of(below: str, tenant: str = "public") -> str:
    """Return the path of one of the SDK's routes."""
    own = "" if tenant == "public" else f"/{tenant}"
    return f"{Supertokens.get_instance().app_info.api_base_path}{own}{below}"


def hold(conversation: Conversation[T], jar: Jar) -> T | Coroutine[Any, Any, T]:
    """Send what a conversation yields; return its result, or what an async client has the test await."""
    answer = _send(next(conversation), jar)
    if isawaitable(answer):
        return _hold_awaiting(conversation, jar, answer)
    try:
        while True:
            answer = _send(conversation.send(answer), jar)
    except StopIteration as end:
        result: T = end.value
        return result


async def _hold_awaiting(conversation: Conversation[T], jar: Jar, answer: Any) -> T:
    try:
        while True:
            answer = _send(conversation.send(await answer), jar)
    except StopIteration as end:
        result: T = end.value
        return result


def _send(call: Call, jar: Jar) -> Any:
    headers = {**PROOF, "content-type": "application/json", **call.headers}
    return jar.request("POST", path_of(call.path, call.tenant), headers, json.dumps(call.body).encode())


def json_of(response: Any) -> Any:
    """Return the body of a response of any framework's test client.

    Raises:
        ValueError: it is no JSON.
    """
    return response.json() if callable(response.json) else response.json


def require_ok(response: Any, what: str) -> dict[str, Any]:
    """Return the body of a response that has the status "OK".

    Raises:
        AssertionError: it has not; the message says what it is.
    """
    status, body = response.status_code, json_of(response)
    assert status == 200, f"{what} was answered with {status}: {body}"
    assert body["status"] == "OK", f"{what} was answered with {body}"
    return body


def cookies_of(response: Any) -> dict[str, str]:
    """Return the cookies that a response of any framework's test client sets."""
    cookies: Any = getattr(response, "cookies", None)
    if hasattr(cookies, "output"):  # Django's
        return {name: unquote(morsel.value) for name, morsel in cookies.items()}
    headers = response.headers
    lines = headers.get_list("set-cookie") if hasattr(headers, "get_list") else headers.getlist("Set-Cookie")
    pairs = (line.partition(";")[0].partition("=") for line in lines)
    return {name: unquote(value.strip('"')) for name, _, value in pairs}
