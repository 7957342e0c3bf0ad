"""The responses of test clients of all frameworks, read alike."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any, cast
from urllib.parse import unquote

from supertokens_py.recipe.session.constants import FRONT_TOKEN_HEADER_SET_KEY


def response_of(answer: Any) -> Any:
    """Return the response itself: Sanic's clients return the request with it."""
    return cast("tuple[Any, Any]", answer)[1] if isinstance(answer, tuple) else answer


def status_of(response: Any) -> int:
    """Return the status of a response."""
    found = (getattr(response, name, None) for name in ("status_code", "status", "code"))
    return next(one for one in found if isinstance(one, int))


def cookie_lines(response: Any) -> list[str]:
    """Return the values of the `Set-Cookie` headers of a response."""
    headers = response.headers
    if hasattr(headers, "getall"):  # aiohttp's
        return list(headers.getall("Set-Cookie", []))
    for name in ("get_list", "getlist"):
        if hasattr(headers, name):
            return list(getattr(headers, name)("Set-Cookie"))
    return [morsel.OutputString() for morsel in response.cookies.values()]  # Django's


def cookies_of(response: Any) -> dict[str, str]:
    """Return the cookies that a response sets."""
    pairs = (line.partition(";")[0].partition("=") for line in cookie_lines(response))
    return {name: unquote(value.strip('"')) for name, _, value in pairs}


def json_of(response: Any) -> Any:
    """Return the body of a response; of aiohttp and Quart, something to await for it.

    Raises:
        ValueError: it is no JSON.
    """
    found = getattr(response, "json", None)  # asked for once: Quart's is a coroutine
    if found is None and hasattr(response, "body"):  # Tornado's
        return json.loads(response.body)
    return found() if callable(found) else found


def user_of(response: Any) -> str | None:
    """Return the user id in the front token of a response; None: it delivers no session."""
    front = response.headers.get(FRONT_TOKEN_HEADER_SET_KEY)
    if front is None or front == "remove":
        return None
    user_id: str = json.loads(b64decode(front))["uid"]
    return user_id
