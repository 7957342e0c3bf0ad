"""The adapter contract: the stable API that adapters, here and elsewhere, are written against.

An adapter has four parts:

* a subclass of `BaseRequest`,
* a middleware: `answer_route` before the application, `answer_error` for an error that ends a request,
* a hook that calls `deliver`, or `finish` for frameworks with cookie objects, once for every response,
* `verify_session` in the framework's idiom, as a subclass of `SessionCheck`.

`framework.asgi` and `framework.wsgi` have the first three for any framework on ASGI or WSGI. What must not be
forgotten (withdrawing tokens of failed responses, cache headers, origins of WebSockets) is done in here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from supertokens_py.app import Supertokens, request_context
from supertokens_py.engine.uris import kind_of
from supertokens_py.events import emit_refused
from supertokens_py.exceptions import ConfigError, EngineUnavailableError, SuperTokensError
from supertokens_py.failed_requests import revoke_undelivered, withdraw
from supertokens_py.recipe.session import AuthenticationClaim, SessionContainer, SessionRecipe
from supertokens_py.recipe.session.claim_base_classes.claim import SessionClaimValidator
from supertokens_py.recipe.session.exceptions import ANSWERED, SuperTokensSessionError, UnauthorisedError
from supertokens_py.recipe.session.required_claims import FRESH_S, require_noted, requiring, with_requirements
from supertokens_py.recipe.session.session_tokens.typed_payloads import require_readable
from supertokens_py.recipe.session.verification.claim_checks import OverrideValidators
from supertokens_py.recipe.session.verification.revocation_watch import are_revocations_watched, on_revoked
from supertokens_py.recipe.session.verification.verification import VerifyOptions
from supertokens_py.runtime.bridge import AppBridge, blocking, completed, lend, offload, running_loop
from supertokens_py.settings import explains_unknown_arguments

from .forms import form_fields
from .request import BaseRequest
from .request_registry import register
from .response import PERSONAL, BaseResponse, Changes

__all__ = [
    "ANSWERED",
    "FRESH_S",
    "PERSONAL",
    "AppBridge",
    "AuthenticationClaim",
    "BaseRequest",
    "BaseResponse",
    "Changes",
    "ConfigError",
    "EngineUnavailableError",
    "OverrideValidators",
    "SessionCheck",
    "SessionClaimValidator",
    "SessionContainer",
    "SuperTokensError",
    "SuperTokensSessionError",
    "answer_error",
    "answer_error_blocking",
    "answer_route",
    "answer_route_blocking",
    "api_domain",
    "are_revocations_watched",
    "base_path",
    "blocking",
    "close_engine",
    "closing_reason",
    "completed",
    "deliver",
    "deliver_at_once",
    "deliver_blocking",
    "finish",
    "finish_blocking",
    "flush",
    "form_fields",
    "impersonation_seconds_left",
    "initialise",
    "is_sdk_path",
    "keeps_sessions_in_a_file",
    "lend",
    "on_revoked",
    "open_engine",
    "refusal_reason",
    "refusal_statuses",
    "register",
    "require_noted",
    "requiring",
    "running_loop",
    "sdk_methods",
    "settle",
    "settle_blocking",
    "with_requirements",
]


Line: TypeAlias = tuple[str, str]  # name and value of a header

is_sdk_path: Final = Supertokens.is_sdk_path


def sdk_methods(path: str) -> list[str]:
    """Return the methods that the SDK answers at a path: for preflights, and for routers that must know."""
    return Supertokens.get_instance().methods_of(path)


async def answer_route(request: BaseRequest) -> BaseResponse | None:
    """Return the answer to a request for one of the SDK's routes; None leaves it to the application."""
    return await Supertokens.get_instance().handle(request)


async def answer_error(request: BaseRequest, error: Exception) -> BaseResponse:
    """Return the response of an error that ended a request.

    Raises:
        Exception: the error itself, where it is the application's; the request then delivers no tokens.
    """
    context = request_context(request)
    try:
        return await Supertokens.get_instance().handle_supertokens_error(
            request, error, BaseResponse({}), context
        )
    except Exception:
        await settle(request, 500)
        raise


def refusal_reason(error: SuperTokensSessionError) -> str:
    """Return what a client without a response may know of its refusal, and emit the refusal as an event.

    That is the code of the error with `init(debug=True)`, else what the body of the response would say.
    """
    emit_refused(error)
    return str(error.code) if Supertokens.get_instance().debug else error.public_message


def closing_reason() -> str:
    """Return what the client of a WebSocket is told whose session was revoked; see `refusal_reason`."""
    return refusal_reason(UnauthorisedError("the session was revoked", code="session_revoked"))


def impersonation_seconds_left(session: SessionContainer[Any]) -> float | None:
    """Return the seconds until the access token of an impersonation expires; None for any other session."""
    if session.impersonator is None:
        return None
    return session.get_access_token_payload()["exp"] - Supertokens.get_instance().now_ms() / 1000


async def settle(request: BaseRequest, status: int) -> None:
    """Withdraw tokens that a response of this status may not carry, and revoke their sessions."""
    if request.must_withdraw(status):
        await withdraw(Supertokens.get_instance(), request, request_context(request))


answer_route_blocking: Final = blocking(answer_route)
answer_error_blocking: Final = blocking(answer_error)
settle_blocking: Final = blocking(settle)


def flush() -> None:
    """Do what is otherwise left to background threads.

    For environments that freeze a process between requests, at the end of each; failures are logged only.
    """
    Supertokens.get_instance().flush()


def initialise(arguments: Mapping[str, Any], *, place: str = "the settings of the framework") -> None:
    """Call `init` for an adapter that takes its arguments from settings, unless it has been called.

    `place` is what the warning of a later `init` names as the place of the first.

    Raises:
        ConfigError: the arguments cannot work; the message names the one at fault.
    """
    if Supertokens.current() is None:
        try:
            Supertokens.init(**arguments)
        except TypeError as error:
            raise ConfigError(f"the settings are not the arguments of supertokens_py.init: {error}") from None
        Supertokens.get_instance().made_at = place


def api_domain() -> str | None:
    """Return the API domain of the current app, such as "https://api.example.com"; None before `init`."""
    app = Supertokens.current()
    return None if app is None else app.app_info.api_domain


def base_path() -> str:
    """Return the path below which the SDK's routes are, such as "/auth", without what a gateway strips."""
    return Supertokens.get_instance().app_info.path_behind_gateway


def refusal_statuses() -> tuple[int, int]:
    """Return the statuses of a request without a valid session, and of a session whose claims fail."""
    config = SessionRecipe.get_instance().config
    return config.session_expired_status_code, config.invalid_claim_status_code


def keeps_sessions_in_a_file() -> bool:
    """Return whether the current app's sessions are in a SQLite file of this machine, or in its memory."""
    app = Supertokens.current()
    return app is not None and kind_of(app.supertokens_config.engine_uri) == "sqlite"


async def open_engine() -> None:
    """Create the tables and keys that are missing, or load the keys of a core, before a request needs them.

    Raises:
        EngineUnavailableError: the database or the core is out of reach.
    """
    await offload(Supertokens.get_instance().engine.keys.jwks)


async def close_engine() -> None:
    """Do what is left to background threads and close connections, which open again when they are needed."""
    app = Supertokens.get_instance()
    await offload(app.flush)
    await offload(app.close)


async def finish(request: BaseRequest, status: int) -> Changes | None:
    """Return what to add to the response that starts now; None: nothing. `deliver` is for header lines."""
    if request.must_withdraw(status):
        await settle(request, status)
    return request.finish()


def finish_blocking(request: BaseRequest, status: int) -> Changes | None:
    """Do the same as `finish` without an event loop."""
    if request.must_withdraw(status):
        settle_blocking(request, status)
    return request.finish()


async def deliver(request: BaseRequest, status: int, headers: Iterable[Line]) -> list[Line] | None:
    """Return the header lines of the response that starts now, tokens included; None: unchanged.

    Tokens and cookies are added as lines of their own, since a framework's cookie jar may lose one of two
    cookies of one name. A response that may not carry tokens, as a server error, gets none.
    """
    changes = await finish(request, status)
    return None if changes is None else changes.apply_to(headers)


def deliver_blocking(request: BaseRequest, status: int, headers: Iterable[Line]) -> list[Line] | None:
    """Do the same as `deliver` without an event loop."""
    changes = finish_blocking(request, status)
    return None if changes is None else changes.apply_to(headers)


def deliver_at_once(
    request: BaseRequest,
    status: int,
    headers: Iterable[Line],
    later: Callable[[Coroutine[Any, Any, None]], Any],
) -> list[Line] | None:
    """Do the same as `deliver` in a blocking function under an event loop, for frameworks with such hooks.

    `later` runs what would have to be awaited: sessions of a response that failed are revoked then.
    """
    if request.must_withdraw(status):
        handles = request.withdraw()
        later(revoke_undelivered(Supertokens.get_instance(), handles, request_context(request)))
    changes = request.finish()
    return None if changes is None else changes.apply_to(headers)


@explains_unknown_arguments("verify_session")
class SessionCheck:
    """The arguments of every `verify_session`, checked where the route is written.

    Equal ones do the same, so a framework verifies once for both, and tests can replace one by another.
    """

    def __init__(
        self,
        anti_csrf_check: bool | None = None,
        session_required: bool = True,
        check_database: bool = False,
        override_global_claim_validators: OverrideValidators | None = None,
        user_context: dict[str, Any] | None = None,
        vary: bool = True,
        allow_guests: bool | None = None,
        require_bound: bool = False,
        *,
        payload: type[Any] | None = None,
    ) -> None:
        """Take the options of a route.

        Args:
            anti_csrf_check: None checks all but GET and HEAD; never in header mode.
            session_required: False finds None instead of answering 401 where no token was sent.
            check_database: also look the session up, so that a revoked one is refused at once.
            override_global_claim_validators: `(global_validators, session, user_context)` to the validators
                of this route; sync or async.
            user_context: copied into the user context of each request.
            vary: False where the response is the same for everybody, also for visitors without a session:
                it gets no `Vary`, and its `Cache-Control` stays as the view wrote it. Error responses do.
            allow_guests: whether the session of a guest passes; None: as `session.init(guests=)` says. To
                other routes a guest has no session: 403, or None where it is optional.
            require_bound: refuse a session that is not bound to a device (`device_binding`) with 403.
            payload: what `session.payload` is: a dataclass or pydantic model, which is checked (one that
                does not fit is a PayloadTypeError, and so a 500), or a TypedDict for type checkers.
        """
        options = VerifyOptions(
            anti_csrf_check,
            session_required,
            check_database,
            override_global_claim_validators,
            vary,
            allow_guests,
            require_bound,
        )
        self._options = options
        self._user_context = user_context
        override = options.override_global_claim_validators
        if payload is not None:
            require_readable(payload)
        self._payload = payload
        self._key = replace(options, override_global_claim_validators=None), id(override), payload

    def verify(self, request: BaseRequest) -> Coroutine[Any, Any, SessionContainer | None]:
        """Verify the session of a request and attach it.

        Raises:
            SuperTokensError: when awaited; `answer_error` makes its response.
        """
        context = request_context(request, self._user_context)
        if self._payload is not None:
            return self._verify_typed(request, context)
        return Supertokens.get_instance().recipe(SessionRecipe).verify(request, self._options, context)

    async def _verify_typed(self, request: BaseRequest, context: dict[str, Any]) -> SessionContainer | None:
        recipe = Supertokens.get_instance().recipe(SessionRecipe)
        session = await recipe.verify(request, self._options, context)
        if session is not None and self._payload is not None:
            session.type_payload(self._payload)
        return session

    verify_blocking: Final = blocking(verify)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SessionCheck):
            return NotImplemented
        return self._key == other._key and self._user_context == other._user_context

    def __hash__(self) -> int:
        return hash(self._key)
