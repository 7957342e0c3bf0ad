"""What tests assert of a response: that it signs in, that it signs out, that it asks for a claim."""

from __future__ import annotations

from collections.abc import Coroutine
from inspect import isawaitable
from typing import Any, Final

from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session.constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ACCESS_TOKEN_HEADER_KEY,
    FRONT_TOKEN_HEADER_SET_KEY,
    REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_HEADER_KEY,
    SESSION_REFRESH,
)

from .answers import cookies_of, json_of, response_of, status_of, user_of
from .clients import jar_of
from .conversations import PROOF, path_of
from .logins import Login, text_of

_COOKIES: Final = (ACCESS_TOKEN_COOKIE_KEY, REFRESH_TOKEN_COOKIE_KEY)
_HEADERS: Final = (ACCESS_TOKEN_HEADER_KEY, REFRESH_TOKEN_HEADER_KEY)


def assert_logged_in(response: Any, user_id: Any = None) -> None:
    """Assert that a response delivers a session, as that of a log-in route does.

    Args:
        response: of any client that `login_as` knows.
        user_id: whose session it has to be, as `login_as` takes it; None: anybody's.
    """
    response = response_of(response)
    user = user_of(response)
    assert user is not None, f"the response, with status {status_of(response)}, delivers no session"
    delivered = response.headers.get(ACCESS_TOKEN_HEADER_KEY) or cookies_of(response).get(_COOKIES[0])
    assert delivered, "the response names a user in front-token, but has no access token"
    if user_id is not None:
        assert user == text_of(user_id), f"it is the session of {user!r}, not of {text_of(user_id)!r}"


def assert_logged_out(response: Any, client: Any = None) -> Coroutine[Any, Any, None] | None:
    """Assert that a response ends the client's session: 401 or a sign-out's success, and every token cleared.

    Args:
        response: the one that ends it; a later one finds no tokens to clear.
        client: the client or the `Login` that got it; then it has to be refused a refresh as well. Of a
            session in headers, the `Login`: clients keep no refresh token.

    Returns: with an async client, something to await.
    """
    response = response_of(response)
    status, found = SessionRecipe.get_instance().config.session_expired_status_code, status_of(response)
    assert found == status or 200 <= found < 400, (
        f"the status of the response is {found}, not {status} or that of a success"
    )
    front = response.headers.get(FRONT_TOKEN_HEADER_SET_KEY)
    assert front == "remove", f"the header front-token is {front!r}, not 'remove': the tokens stay"
    _require_cleared(response, is_refusal=found == status)
    if client is None:
        return None
    answer = client.refresh() if isinstance(client, Login) else _refresh(client)
    if isawaitable(answer):
        return _awaited(answer)
    _require_expired(response_of(answer), "a refresh")
    return None


def _require_cleared(response: Any, *, is_refusal: bool) -> None:
    kept = [name for name in _HEADERS if response.headers.get(name)]
    assert kept == [], f"the response delivers {', '.join(kept)}"
    if not is_refusal and all(response.headers.get(name) == "" for name in _HEADERS):
        return  # it signs out a session in headers
    sent = cookies_of(response)
    kept = [name for name in _COOKIES if sent.get(name) != ""]
    assert kept == [], f"the response does not clear the cookies {', '.join(kept)}"


def _refresh(client: Any) -> Any:
    return jar_of(client).request("POST", path_of(SESSION_REFRESH), PROOF)


async def _awaited(answer: Any) -> None:
    _require_expired(response_of(await answer), "a refresh")


def _require_expired(response: Any, what: str) -> None:
    status = SessionRecipe.get_instance().config.session_expired_status_code
    found = status_of(response)
    assert found == status, f"the status of {what} is {found}, not {status}"


def assert_claim_failed(response: Any, claim: str) -> Coroutine[Any, Any, None] | None:
    """Assert that a response refuses a session for a claim, named by its key, such as "st-role".

    Returns: with a response of aiohttp or Quart, whose body is awaited, something to await.
    """
    response = response_of(response)
    status, found = SessionRecipe.get_instance().config.invalid_claim_status_code, status_of(response)
    assert found == status, f"the status is {found}, not {status}"
    try:
        body = json_of(response)
    except ValueError:
        body = None
    if isawaitable(body):
        return _claim_of_awaited(body, response, claim)
    _require_claim(body, response, claim)
    return None


async def _claim_of_awaited(body: Any, response: Any, claim: str) -> None:
    try:
        read = await body
    except Exception:  # each client has an error of its own for what is no JSON
        read = None
    _require_claim(read, response, claim)


def _require_claim(body: Any, response: Any, claim: str) -> None:
    failed = _failed_claims(body)
    assert failed is not None, (
        f"the response names no claims: it is {_content_type(response)}, as where the application answers "
        "such errors itself. The status is right; assert what the page says"
    )
    assert claim in failed, f"the claims that failed are {failed}, without {claim!r}"


def _failed_claims(body: Any) -> list[str] | None:
    """Return the keys of the claims that a body names; None where it is none of the SDK's."""
    try:
        return [one["id"] for one in body["claimValidationErrors"]]
    except (LookupError, TypeError):
        return None


def _content_type(response: Any) -> str:
    return response.headers.get("content-type") or "without a Content-Type"
