"""Several requests of a test client, one after the other, whether it is awaited or not."""

from __future__ import annotations

import json
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import Any, Final, TypeAlias, TypeVar

from supertokens_py.app import Supertokens

from .answers import json_of, response_of, status_of
from .jars import Jar

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


@dataclass(frozen=True, slots=True)
class Answered:
    """The response to a call, and its JSON."""

    response: Any
    body: Any


Conversation: TypeAlias = Generator[Call, Answered, T]


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
            response = _of_a_route(response_of(answer))
            answer = _send(conversation.send(Answered(response, json_of(response))), jar)
    except StopIteration as end:
        result: T = end.value
        return result


async def _hold_awaiting(conversation: Conversation[T], jar: Jar, answer: Any) -> T:
    try:
        while True:
            response = _of_a_route(response_of(await answer))
            body = json_of(response)
            read = await body if isawaitable(body) else body
            answer = _send(conversation.send(Answered(response, read)), jar)
    except StopIteration as end:
        result: T = end.value
        return result


def _of_a_route(response: Any) -> Any:
    """Return a response, unless there was no route to answer.

    Raises:
        AssertionError: the application has closed it.
    """
    assert status_of(response) != 404, (
        "the route is not there (404): init(routes=False) or a disable_ flag closes it. Make users by the "
        "functions of the recipe, or by your own form, and sessions by login_as"
    )
    return response


def _send(call: Call, jar: Jar) -> Any:
    headers = {**PROOF, "content-type": "application/json", **call.headers}
    return jar.request("POST", path_of(call.path, call.tenant), headers, json.dumps(call.body).encode())


def require_ok(answered: Answered, what: str) -> dict[str, Any]:
    """Return the body of a response that has the status "OK".

    Raises:
        AssertionError: it has not; the message says what it is.
    """
    status, body = status_of(answered.response), answered.body
    assert status == 200, f"{what} was answered with {status}: {body}"
    assert body["status"] == "OK", f"{what} was answered with {body}"
    return body
