"""Errors of a session; the middlewares turn each into its response (protocol: Errors).

SuperTokensSessionError
├── UnauthorisedError                    401 "unauthorised"
├── TryRefreshTokenError                 401 "try refresh token"
├── TokenTheftError                      401 "token theft detected", tokens cleared
├── DeviceProofDelayedError              503, tokens stay
├── SessionLimitError                    409 "session limit reached"
│   └── SignInLimitError                 at the routes of sign-in recipes: 200 GENERAL_ERROR
├── InvalidClaimsError                   403 "invalid claim"
├── AccessTokenTooLargeError             500, the access token does not fit a cookie
├── DuplicateSessionCookiesError         500, session cookies came twice (also a ConfigError)
└── ClearDuplicateSessionCookiesError    200, cookies of the older domain expire
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NoReturn

from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.error_explanations import EXPLANATIONS
from supertokens_py.exceptions import (
    AnsweredError,
    BadInputError,
    ConfigError,
    EngineUnavailableError,
    SuperTokensError,
    TooManyAttemptsError,
)
from supertokens_py.framework.request import note_session_error
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.response import Shown

TOKEN_THEFT_DETECTED = "token theft detected"  # noqa: S105


class SuperTokensSessionError(SuperTokensError):
    """Base class of session errors.

    `response_mutators` are called with (response, user_context) before the error's hook.
    """

    refuses_session: ClassVar[bool] = True  #: whether the request has no session after this
    may_refresh: ClassVar[bool] = False  #: whether the client should refresh and try again
    public_message: ClassVar[str] = "unauthorised"  #: what clients see, whatever the reason
    code = "application"  # unless the SDK raised it and says why

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.response_mutators: list[Callable[[Any, dict[str, Any]], None]] = []
        note_session_error(self, refuses=self.refuses_session)

    @property
    def hint(self) -> str:
        """What to do about it, for developers; "" where there is nothing. Never for clients."""
        known = EXPLANATIONS.get(self.code)
        return "" if known is None else known.advice


class UnauthorisedError(SuperTokensSessionError):
    """There is no usable session; `clear_tokens` says whether the client must drop its tokens."""

    def __init__(
        self, msg: str, clear_tokens: bool = True, *, code: SessionErrorCode = "application"
    ) -> None:
        super().__init__(msg)
        self.clear_tokens = clear_tokens
        self.code = code


class TryRefreshTokenError(SuperTokensSessionError):
    """The access token is not accepted; the client should refresh and try again."""

    may_refresh = True
    public_message = "try refresh token"

    def __init__(self, *args: Any, code: SessionErrorCode = "application") -> None:
        super().__init__(*args)
        self.code = code


class DeviceProofDelayedError(SuperTokensSessionError):
    """A browser could not prove its device for now (`Secure-Session-Skipped`); it keeps its tokens."""

    code = "device_proof_delayed"
    public_message = "device proof delayed"


class AccessTokenTooLargeError(SuperTokensSessionError):
    """The access token of a session in cookies is larger than a cookie; the client keeps its refresh token.

    Browsers would drop the cookie without a word, and the client would refresh again and again.
    """

    refuses_session = False
    code = "access_token_too_large"

    def __init__(self, session_handle: str, length: int, limit: int) -> None:
        super().__init__(
            f"the access token of session {session_handle} takes {length} bytes as a cookie, and browsers "
            f"drop cookies above {limit}: merge_into_access_token_payload(session_handle, ...) removes claims"
        )


class TokenTheftError(SuperTokensSessionError):
    """A rotated-out refresh token was used; the session has been revoked.

    `reason` says which: "RECENT_PREV" (the previous one, after its grace window), "ORPHANED_BRANCH"
    (a sibling of the current one), "STALE_LINEAGE" (older), or None where the core does not say.
    """

    code = "refresh_token_reused"
    public_message = TOKEN_THEFT_DETECTED

    def __init__(
        self,
        user_id: str,
        session_handle: str,
        recipe_user_id: str | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(TOKEN_THEFT_DETECTED)
        self.user_id = user_id
        self.recipe_user_id: RecipeUserId = RecipeUserId(recipe_user_id or user_id)
        self.session_handle = session_handle
        self.reason = reason


class SessionLimitError(SuperTokensSessionError):
    """A session was not created: its user has as many as `SessionLimit` allows, and it says "refuse".

    `limit` is that number, `sessions` are the handles of the live ones. The tokens that the client has stay.
    """

    code = "session_limit"
    public_message = "session limit reached"

    def __init__(self, limit: int, sessions: Sequence[str]) -> None:
        super().__init__(f"the user has {len(sessions)} sessions already, of {limit} at most")
        self.limit = limit
        self.sessions: list[str] = [*sessions]


class SignInLimitError(SessionLimitError):
    """The same at a route of a sign-in recipe, whose frontend shows people the message of a 200 only."""

    public_message = (
        "You are signed in on as many devices as you may be. Please sign out on one of them and try again."
    )


class InvalidClaimsError(SuperTokensSessionError):
    """The session exists, but claims in it fail; `payload` lists every failure in order.

    `code` is "authentication_not_fresh" where the user has to authenticate again, else "claims_failed".
    """

    refuses_session = False
    code = "claims_failed"
    public_message = "invalid claim"

    def __init__(self, msg: str, payload: list[ClaimValidationError]) -> None:
        super().__init__(msg)
        self.payload = payload


CONTAINS_MULTIPLE = "The request contains multiple session cookies."


class DuplicateSessionCookiesError(SuperTokensSessionError, ConfigError):
    """The request had a session cookie twice, and `older_cookie_domain` does not say which is the old one."""

    refuses_session = False
    code = "duplicate_cookies"


class ClearDuplicateSessionCookiesError(SuperTokensSessionError):
    """The request had a session cookie twice; the one of the older domain has been expired."""

    refuses_session = False
    code = "duplicate_cookies_cleared"


#: The errors that the SDK answers itself; every other one is the application's.
ANSWERED = (
    SuperTokensSessionError,
    BadInputError,
    EngineUnavailableError,
    TooManyAttemptsError,
    AnsweredError,
)


class ClaimValidationError(Shown):
    """One failed claim. Not an exception: `InvalidClaimsError` carries a list of these."""

    def __init__(self, id_: str, reason: dict[str, Any] | str | None) -> None:
        self.id = id_
        self.reason = reason

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id} if self.reason is None else {"id": self.id, "reason": self.reason}


def raise_unauthorised_exception(
    msg: str,
    clear_tokens: bool = True,
    response_mutators: list[Callable[[Any, dict[str, Any]], None]] | None = None,
) -> NoReturn:
    """Raise `UnauthorisedError`."""
    error = UnauthorisedError(msg, clear_tokens)
    error.response_mutators.extend(response_mutators or [])
    raise error


def raise_try_refresh_token_exception(ex: str | Exception) -> NoReturn:
    """Raise `TryRefreshTokenError`; a session error is raised as it is."""
    if isinstance(ex, SuperTokensError):
        raise ex
    raise TryRefreshTokenError(str(ex)) from (ex if isinstance(ex, Exception) else None)


def raise_token_theft_exception(user_id: str, session_handle: str) -> NoReturn:
    """Raise `TokenTheftError`."""
    raise TokenTheftError(user_id, session_handle)


def raise_invalid_claims_exception(msg: str, payload: list[ClaimValidationError]) -> NoReturn:
    """Raise `InvalidClaimsError`: the 403 that lists `payload`."""
    raise InvalidClaimsError(msg, payload)


def raise_clear_duplicate_session_cookies_exception(
    msg: str, response_mutators: list[Callable[[Any, dict[str, Any]], None]]
) -> NoReturn:
    """Raise `ClearDuplicateSessionCookiesError`."""
    error = ClearDuplicateSessionCookiesError(msg)
    error.response_mutators.extend(response_mutators)
    raise error
