"""`verify_session` as a FastAPI dependency, for HTTP routes and WebSockets."""

# Without `from __future__ import annotations`: the oldest FastAPI cannot resolve the text of a callable
# object's annotations and would take `connection` for a query parameter.
from collections.abc import Callable, Coroutine
from dataclasses import replace
from inspect import Signature
from typing import Annotated, Any, Literal, overload

from fastapi import Depends, params
from fastapi.openapi.models import HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityBaseModel
from fastapi.security.base import SecurityBase
from starlette.exceptions import WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.status import WS_1008_POLICY_VIOLATION, WS_1013_TRY_AGAIN_LATER

from supertokens_py.app import request_context
from supertokens_py.bridge import running_loop
from supertokens_py.exceptions import ConfigError, EngineUnavailableError, SuperTokensError
from supertokens_py.framework.response import PERSONAL
from supertokens_py.recipe.session import SessionContainer, SessionRecipe
from supertokens_py.recipe.session.claim_checks import OverrideValidators
from supertokens_py.recipe.session.exceptions import SuperTokensSessionError
from supertokens_py.recipe.session.flows import VerifyOptions

from .fastapi_request import FastApiRequest
from .middleware import error_response


class SessionDependency(SecurityBase, params.Depends):
    """Verifies the session of a connection; shows up as a security scheme in the OpenAPI document.

    It is a `Depends` of itself: `= verify_session()` would else be a query parameter with it as its default,
    and the route open to everybody.
    """

    def __init__(self, options: VerifyOptions, user_context: dict[str, Any] | None) -> None:
        params.Depends.__init__(self, dependency=self)
        self.model: SecurityBaseModel = HTTPBearer(
            bearerFormat="JWT",
            description="SuperTokens session: header or cookie. Without one: 401, `WWW-Authenticate: Bearer`",
        )
        self.scheme_name = "SuperTokens"
        self._options = options
        self._user_context = user_context
        # FastAPI awaits a dependency whose attribute `__call__` is a coroutine function; the class's own is
        # none, so that it can refuse before there is a coroutine that nobody awaits.
        self.__call__ = self._verify
        override = options.override_global_claim_validators
        self._key = replace(options, override_global_claim_validators=None), id(override)

    def __eq__(self, other: object) -> bool:
        """Return whether another dependency does the same.

        FastAPI then verifies once for both of one request, and `app.dependency_overrides` finds this one:
        under `verify_session()` with the same arguments, or under `verify_session`, which means all of them.
        """
        if other is verify_session:
            return True
        if not isinstance(other, SessionDependency):
            return NotImplemented
        return self._key == other._key and self._user_context == other._user_context

    def __hash__(self) -> int:
        return hash(verify_session)  # equal ones have equal hashes, and an application has few

    def __call__(
        self,
        connection: HTTPConnection,
        response: Response = None,  # type: ignore[assignment]  # FastAPI knows no optional one
    ) -> Coroutine[Any, Any, SessionContainer | None]:
        """Return the session, or None where it is optional and there is none."""
        if callable(connection):
            raise ConfigError(
                "verify_session() is no decorator in FastAPI: give your route a parameter "
                "`session: SessionContainer = Depends(verify_session())`"
            )
        if running_loop() is None:
            # Taken for a sync dependency it would be called in a thread, and its coroutine, which nobody
            # awaits, would pass for a session.
            raise ConfigError(
                "the dependency verify_session() is a coroutine function: await it in an event loop"
            )
        return self._verify(connection, response)

    async def _verify(
        self, connection: HTTPConnection, response: Response | None = None
    ) -> SessionContainer | None:
        request = FastApiRequest.of(connection)
        recipe = SessionRecipe.get_instance()
        context = request_context(request, self._user_context)
        if connection.scope["type"] == "websocket":
            return await self._of_websocket(recipe, request, context)
        try:
            session = await recipe.verify(request, self._options, context)
        except SuperTokensError:
            request.require_delivery()  # says what is missing, where the error alone would be a bare 500
            raise
        if response is not None and request.session_sought and not request.delivers:
            response.headers.update(dict(PERSONAL.merged({})))  # the middleware does it, where there is one
        return session

    async def _of_websocket(
        self, recipe: SessionRecipe, request: FastApiRequest, context: dict[str, Any]
    ) -> SessionContainer | None:
        try:
            return await recipe.verify(request, self._options, context)
        except SuperTokensSessionError as error:
            raise WebSocketException(WS_1008_POLICY_VIOLATION, str(error)[:100]) from error
        except EngineUnavailableError as error:
            raise WebSocketException(
                WS_1013_TRY_AGAIN_LATER, "the session store cannot be reached"
            ) from error


class _ForgottenParentheses:
    """A dependency of `verify_session` itself, which only `Depends(verify_session)` can come across.

    FastAPI would take that for a dependency with query parameters: it would protect nothing. This one
    refuses to tell its parameters, so the mistake is found where the route is written.
    """

    @property
    def __signature__(self) -> Signature:
        raise ConfigError("verify_session has to be called: write Depends(verify_session())")

    def __call__(self) -> None:
        """Never called."""


@overload
def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: Literal[True] = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[..., Coroutine[Any, Any, SessionContainer]]: ...


@overload
def verify_session(
    anti_csrf_check: bool | None = None,
    *,
    session_required: Literal[False],
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[..., Coroutine[Any, Any, SessionContainer | None]]: ...


@overload
def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
) -> Callable[..., Coroutine[Any, Any, SessionContainer | None]]: ...


def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: Annotated[dict[str, Any] | None, Depends(_ForgottenParentheses())] = None,
    vary: bool = True,
) -> Callable[..., Coroutine[Any, Any, SessionContainer | None]]:
    """Make a dependency that yields the verified session: `Depends(verify_session())`.

    Args:
        anti_csrf_check: None checks all but GET and HEAD; never in header mode.
        session_required: False yields None instead of 401 where no token was sent.
        check_database: also ask the store, so that a revoked session is seen at once.
        override_global_claim_validators: `(global_validators, session, user_context)` to the validators
            of this route; sync or async.
        user_context: copied into the user context of each request.
        vary: False where the response is the same for everybody, also for visitors without a session:
            it gets no `Vary`, and its `Cache-Control` stays as the view wrote it. Error responses do.
    """
    options = VerifyOptions(
        anti_csrf_check, session_required, check_database, override_global_claim_validators, vary
    )
    return SessionDependency(options, user_context)


async def session_exception_handler(request: Request, exc: Exception) -> Response:
    """Answer session errors without the middleware: `app.add_exception_handler(SuperTokensError, …)`."""
    return await error_response(FastApiRequest.of(request), exc)
