"""The responses to session errors (protocol: Errors)."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from supertokens_py.events import emit_refused
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.failed_requests import withdraw
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import EXPOSE_HEADER, BaseResponse
from supertokens_py.recipe.overrides import Result, parameter_names, takes_argument
from supertokens_py.recipe_module import App
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.response import GeneralErrorResponse

from ..claim_validation.authentication import challenge_of
from ..exceptions import (
    CONTAINS_MULTIPLE,
    AccessTokenTooLargeError,
    ClaimValidationError,
    ClearDuplicateSessionCookiesError,
    DeviceProofDelayedError,
    DuplicateSessionCookiesError,
    InvalidClaimsError,
    SessionLimitError,
    SignInLimitError,
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from ..functions import RecipeInterface
from ..policy import csrf
from ..policy.session_policy import SessionPolicy
from ..session_tokens.delivery import Deliveries
from ..session_tokens.request_tokens import RequestTokens
from .documents import as_page_of_wait
from .pages import Pages

log: logging.Logger = logging.getLogger(__name__)

UNAUTHORISED = UnauthorisedError.public_message
TRY_REFRESH_TOKEN = TryRefreshTokenError.public_message

MessageHook: TypeAlias = Callable[[BaseRequest, str, BaseResponse], Awaitable[BaseResponse] | BaseResponse]
ClaimHook: TypeAlias = Callable[
    [BaseRequest, list[ClaimValidationError], BaseResponse], Awaitable[BaseResponse] | BaseResponse
]
LimitHook: TypeAlias = Callable[
    [BaseRequest, SessionLimitError, BaseResponse], Awaitable[BaseResponse] | BaseResponse
]


class ErrorHandlers:
    """The hooks that write the responses of session errors; None keeps the default response.

    Each may be sync or async, gets the response with tokens already cleared where they are, and
    returns the response to send.
    """

    def __init__(
        self,
        on_token_theft_detected: Callable[..., Awaitable[BaseResponse] | BaseResponse] | None = None,
        on_try_refresh_token: MessageHook | None = None,
        on_unauthorised: MessageHook | None = None,
        on_invalid_claim: ClaimHook | None = None,
        on_clear_duplicate_session_cookies: MessageHook | None = None,
        *,
        on_session_limit_reached: LimitHook | None = None,
    ) -> None:
        self.on_token_theft_detected = on_token_theft_detected
        self.on_try_refresh_token = on_try_refresh_token
        self.on_unauthorised = on_unauthorised
        self.on_invalid_claim = on_invalid_claim
        self.on_clear_duplicate_session_cookies = on_clear_duplicate_session_cookies
        self.on_session_limit_reached = on_session_limit_reached


class InputErrorHandlers(ErrorHandlers):
    """Your hooks for session errors.

    `on_token_theft_detected` gets (request, session_handle, user_id, response), or with five parameters
    (request, session_handle, user_id, recipe_user_id, response); if it takes a `reason` by name, it gets
    the kind of reuse as well. `on_session_limit_reached` gets (request, the `SessionLimitError`, response).
    The others get (request, message or claim errors, response).
    """


#: When a browser that could not prove its device is to try again: its own wait grows from half a second on.
RETRY_AFTER_S = "5"
CHALLENGE_HEADER = "WWW-Authenticate"
#: With `init(debug=True)` only: the code of the error. To others it would say that a thief was noticed.
REASON_HEADER = "supertokens-reason"

_A_RESPONSE = Result((BaseResponse,), "the response that it got, a BaseResponse")


class ErrorResponses:
    """Answers session errors with the configured status codes, or lets the application's hooks do it."""

    def __init__(
        self,
        app: App,
        policy: SessionPolicy,
        hooks: ErrorHandlers,
        functions: RecipeInterface,
        deliveries: Deliveries,
        pages: Pages | None = None,
    ) -> None:
        self._app = app
        self._pages = pages
        self._policy = policy
        self._hooks = hooks
        self._expired_status = policy.session_expired_status_code
        self._invalid_claim_status = policy.invalid_claim_status_code
        self._functions = functions
        self._deliveries = deliveries
        self._has_logged_duplicates = False
        theft_hook = self._hooks.on_token_theft_detected
        positional = frozenset(parameter_names(theft_hook) or ()) if theft_hook else frozenset[str]()
        self._theft_hook_takes_reason = theft_hook is not None and takes_argument(theft_hook, "reason")
        self._theft_hook_takes_recipe_user = len(positional - {"reason"}) == 5

    async def answer(
        self, error: Exception, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        """Return the response of a session error; tokens are cleared before a hook sees it."""
        answer = await self._answer(error, request, response, user_context)
        emit_refused(error)
        if self._app.debug:
            explain(str(getattr(error, "code", "application")), answer)
        challenge = challenge_of(error.payload) if isinstance(error, InvalidClaimsError) else None
        if answer.status_code == 401:
            challenge = challenge or "Bearer"  # RFC 9110, 15.5.2: strict clients refuse a 401 without it
        if challenge is not None and answer.get_header(CHALLENGE_HEADER) is None:
            answer.set_header(CHALLENGE_HEADER, challenge)
        return answer

    async def _answer(
        self, error: Exception, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
    ) -> BaseResponse:
        code = getattr(error, "code", None)
        log.debug("answering %s (%s): %s", type(error).__name__, code, error, extra={"code": code})
        for mutate in getattr(error, "response_mutators", ()):
            mutate(response, user_context)
        match error:
            case UnauthorisedError():
                await self._refuse(request, user_context, clear=error.clear_tokens)
                hook, status, body = "on_unauthorised", self._expired_status, UNAUTHORISED
            case TokenTheftError():
                await self._refuse(request, user_context, clear=True)
                return await self._theft(error, request, response, user_context)
            case InvalidClaimsError():
                return await self._invalid_claims(error, request, response)
            case SessionLimitError() | DeviceProofDelayedError():
                await self._refuse(request, user_context, clear=False)
                return await self._temporary(error, request, response)
            case AccessTokenTooLargeError():
                log.error("%s", error)
                return _message(response, 500, "the access token does not fit a cookie")
            case DuplicateSessionCookiesError():
                self._log_duplicates(error)
                return _message(response, 500, CONTAINS_MULTIPLE)
            case ClearDuplicateSessionCookiesError():
                hook, status, body = "on_clear_duplicate_session_cookies", 200, str(error)
            case _:
                await self._refuse(request, user_context, clear=False)
                hook, status, body = "on_try_refresh_token", self._expired_status, TRY_REFRESH_TOKEN
        answer = await self._ask(hook, request, str(error), response)
        return answer or self._page(error, request, response) or _message(response, status, body)

    async def _temporary(
        self, error: SessionLimitError | DeviceProofDelayedError, request: BaseRequest, response: BaseResponse
    ) -> BaseResponse:
        """Answer what may be otherwise in a while; the client keeps what it has."""
        if isinstance(error, SessionLimitError):
            answer = await self._ask("on_session_limit_reached", request, error, response)
            return answer or _limit_reached(error, response)
        response.set_header("Retry-After", RETRY_AFTER_S)
        answer = _message(response, 503, error.public_message)
        return answer if self._pages is None else as_page_of_wait(answer, request)

    def _page(self, error: Exception, request: BaseRequest, response: BaseResponse) -> BaseResponse | None:
        """Return what a browser that navigates gets, where the application renders pages."""
        return None if self._pages is None else self._pages.page_response(error, request, response)

    def _log_duplicates(self, error: DuplicateSessionCookiesError) -> None:
        # Every refresh of every browser in that state ends here, until a setting is changed.
        level = logging.DEBUG if self._has_logged_duplicates else logging.ERROR
        self._has_logged_duplicates = True
        log.log(level, "%s This is logged once per process.", error)

    async def _theft(
        self,
        error: TokenTheftError,
        request: BaseRequest,
        response: BaseResponse,
        user_context: dict[str, Any],
    ) -> BaseResponse:
        arguments: list[Any] = [request, error.session_handle, error.user_id]
        if self._theft_hook_takes_recipe_user:
            arguments.append(error.recipe_user_id)
        named = {"reason": error.reason} if self._theft_hook_takes_reason else {}
        answer = await self._ask("on_token_theft_detected", *arguments, response, **named)
        if answer is not None:
            return answer
        await _if_reachable(self._functions.revoke_session(error.session_handle, user_context))
        page = self._page(error, request, response)
        return page or _message(response, self._expired_status, str(error))

    async def _invalid_claims(
        self, error: InvalidClaimsError, request: BaseRequest, response: BaseResponse
    ) -> BaseResponse:
        answer = await self._ask("on_invalid_claim", request, error.payload, response)
        answer = answer or self._page(error, request, response)
        if answer is not None:
            return answer
        response.set_status_code(self._invalid_claim_status)
        failures = _plain_json([failure.to_json() for failure in error.payload])
        response.set_json_content({"message": "invalid claim", "claimValidationErrors": failures})
        return response

    async def _ask(self, name: str, *arguments: Any, **named: Any) -> BaseResponse | None:
        """Return the response of one of the application's hooks, or None where it has none."""
        hook = getattr(self._hooks, name)
        if hook is None:
            return None
        answer = await call_app(hook, *arguments, **named)
        _A_RESPONSE.require(answer, f"error_handlers.{name}", hook)
        return answer

    async def _refuse(self, request: BaseRequest, user_context: dict[str, Any], *, clear: bool) -> None:
        """Withhold new tokens and revoke what the request created; with `clear` also clear the client's."""
        request.refused = True
        may_clear = clear and self._may_clear(request)  # before what the request created is withdrawn
        await withdraw(self._app, request, user_context)
        if clear:
            request.set_session_as_none()
        if may_clear:
            writer = self._deliveries.writer(request, user_context)
            writer.clear_all()
            if RequestTokens(request).has_legacy_cookie:
                writer.clear_legacy()

    def _may_clear(self, request: BaseRequest) -> bool:
        """Return whether this response may clear the tokens of the client.

        Every page can send requests to a view that answers "log in first", and browsers withhold cookies from
        them. Such a request must have come with the session that it ends, and a view must have looked for it.
        """
        if not csrf.is_unasked(request, self._policy):
            return True
        if request.created_handles or not request.session_sought:
            return False
        return request.get_session() is not None or RequestTokens(request).uses("cookie")


def explain(code: str, answer: BaseResponse) -> None:
    """Have a response name the code of its refusal, also for scripts of other origins (with `debug` only)."""
    answer.set_header(REASON_HEADER, code)
    exposed = answer.get_header(EXPOSE_HEADER)
    answer.set_header(EXPOSE_HEADER, f"{exposed}, {REASON_HEADER}" if exposed else REASON_HEADER)


async def _if_reachable(revocation: Coroutine[Any, Any, object]) -> None:
    try:
        await revocation
    except EngineUnavailableError as error:
        # The response must clear the client's tokens all the same; an unused session expires.
        log.error("a session could not be revoked: %s", error)


def _plain_json(value: Any) -> Any:
    # A validator's reason may contain a date or a set; refusing to answer would turn its 403 into a 500.
    return json.loads(json.dumps(value, default=str, skipkeys=True), parse_constant=str)


def _limit_reached(error: SessionLimitError, response: BaseResponse) -> BaseResponse:
    if isinstance(error, SignInLimitError):
        response.set_json_content(GeneralErrorResponse(error.public_message).to_json())
        return response
    return _message(response, 409, error.public_message)


def _message(response: BaseResponse, status: int, message: str) -> BaseResponse:
    response.set_status_code(status)
    response.set_json_content({"message": message})
    return response
