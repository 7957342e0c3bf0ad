"""`verify_session` as a FastAPI dependency, for HTTP routes and WebSockets."""

# Without `from __future__ import annotations`: the oldest FastAPI cannot resolve the text of a callable
# object's annotations and would take `connection` for a query parameter.
import inspect
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, Literal, TypeVar, overload

from fastapi import Depends, params
from fastapi.openapi.models import HTTPBearer
from fastapi.openapi.models import SecurityBase as SecurityBaseModel
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from supertokens_py.framework.adapter import (
    PERSONAL,
    ConfigError,
    OverrideValidators,
    SessionCheck,
    SessionContainer,
    SuperTokensError,
    running_loop,
)
from supertokens_py.framework.starlette import error_response, refusal

from .fastapi_request import FastApiRequest

P = TypeVar("P")

SCHEME: Final = "SuperTokens"  #: the security scheme in the OpenAPI document


class SessionDependency(SessionCheck, SecurityBase, params.Depends):
    """Verifies the session of a connection; shows up as a security scheme in the OpenAPI document.

    It is a `Depends` of itself: `= verify_session()` would else be a query parameter with it as its default,
    and the route open to everybody.
    """

    def __init__(self, *options: Any, **named: Any) -> None:
        SessionCheck.__init__(self, *options, **named)
        params.Depends.__init__(self, dependency=self)
        self.model: SecurityBaseModel = HTTPBearer(
            bearerFormat="JWT",
            description="SuperTokens session: header or cookie. Without one: 401, `WWW-Authenticate: Bearer`",
        )
        self.scheme_name = SCHEME
        # FastAPI awaits a dependency whose attribute `__call__` is a coroutine function; the class's own is
        # none, so that it can refuse before there is a coroutine that nobody awaits.
        self.__call__ = self._verify

    def __eq__(self, other: object) -> bool:
        """Return whether another dependency does the same.

        FastAPI then verifies once for both of one request, and `app.dependency_overrides` finds this one:
        under `verify_session()` with the same arguments, or under `verify_session`, which means all of them.
        """
        return True if other is verify_session else super().__eq__(other)

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
        try:
            session = await self.verify(request)
        except SuperTokensError as error:
            raise refusal(request, error) from error.__cause__
        if response is not None and request.session_sought and not request.delivers:
            response.headers.update(dict(PERSONAL.merged({})))  # the middleware does it, where there is one
        return session


class _ForgottenParentheses:
    """A dependency of `verify_session` itself, which only `Depends(verify_session)` can come across.

    FastAPI would take that for a dependency with query parameters: it would protect nothing. This one
    refuses to tell its parameters, so the mistake is found where the route is written.
    """

    @property
    def __signature__(self) -> inspect.Signature:
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
    allow_guests: bool | None = None,
    require_bound: bool = False,
    *,
    payload: None = None,
) -> Callable[..., Coroutine[Any, Any, SessionContainer]]: ...


@overload
def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
    allow_guests: bool | None = None,
    require_bound: bool = False,
    *,
    payload: None = None,
) -> Callable[..., Coroutine[Any, Any, SessionContainer | None]]: ...


@overload
def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: Literal[True] = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
    allow_guests: bool | None = None,
    require_bound: bool = False,
    *,
    payload: type[P],
) -> Callable[..., Coroutine[Any, Any, SessionContainer[P]]]: ...


@overload
def verify_session(
    anti_csrf_check: bool | None = None,
    session_required: bool = True,
    check_database: bool = False,
    override_global_claim_validators: OverrideValidators | None = None,
    user_context: dict[str, Any] | None = None,
    vary: bool = True,
    allow_guests: bool | None = None,
    require_bound: bool = False,
    *,
    payload: type[P],
) -> Callable[..., Coroutine[Any, Any, SessionContainer[P] | None]]: ...


def verify_session(*options: Any, **named: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Make a dependency that yields the verified session: `Depends(verify_session())`.

    Its arguments are those of `SessionCheck`; it yields None where an optional session is missing.
    """
    return SessionDependency(*options, **named)


_parameters = dict(inspect.signature(SessionCheck).parameters)
_parameters["user_context"] = _parameters["user_context"].replace(
    annotation=Annotated[Any, Depends(_ForgottenParentheses())]
)
# Equal ones have equal hashes, and an application has few. FastAPI asks three times per request: no frame.
SessionDependency.__hash__ = hash(verify_session).__index__  # type: ignore[assignment,method-assign]
verify_session.__signature__ = inspect.Signature(list(_parameters.values()))  # type: ignore[attr-defined]


async def session_exception_handler(request: Request, exc: Exception) -> Response:
    """Answer session errors without the middleware: `app.add_exception_handler(SuperTokensError, …)`."""
    return await error_response(FastApiRequest.of(request), exc)
