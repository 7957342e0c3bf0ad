"""Begin and end acting as another user (docs: Impersonation)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any, cast

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.records import StoredSession
from supertokens_py.engine.session_records import Actor, Lifetime, Replaces
from supertokens_py.events import ImpersonationStarted, emit
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.base import APIOptions
from supertokens_py.recipe_module import App
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import masked
from supertokens_py.types.response import APIResponse, Shown

from ..claim_validation.authentication import AuthenticationClaim
from ..claim_validation.refusals import ImpersonationRefusedError, refuse_guest, refuse_impersonation
from ..constants import TokenTransferMethod
from ..container import GONE, SessionContainer
from ..exceptions import UnauthorisedError
from ..features.creation_options import (
    CreationOptions,
    Replacement,
    changing_options,
    creating_with,
    current_options,
)
from ..functions import FunctionParts, RecipeInterface
from ..policy import csrf
from ..session_tokens.reserved_claims import ACTOR_KEY, RESERVED_WITH_ACTOR
from ..verification.verification import VerifyOptions, no_validators
from .flows import SessionFlows
from .impersonation_settings import Impersonation
from .replacement import Replacements
from .return_tokens import ReturnTokens, emit_end

log: logging.Logger = logging.getLogger(__name__)

MAX_REASON = 500
_THIS_SESSION = VerifyOptions(
    check_database=True, override_global_claim_validators=no_validators, allow_guests=False
)


class Impersonations:
    """Lets some users of one app act as others.

    Args:
        parts: those of the plain functions.
        functions: the functions, overrides included.
        flows: creates the sessions of requests.
        replacements: creates sessions in the place of others.
        returns: what leads back to the sessions of actors.
        settings: what the application allows; None: nobody acts as anybody.
    """

    def __init__(
        self,
        parts: FunctionParts,
        functions: RecipeInterface,
        flows: SessionFlows,
        replacements: Replacements,
        returns: ReturnTokens,
        settings: Impersonation | None,
    ) -> None:
        self._app: App = parts.app
        self._issuers = parts.issuers
        self._functions = functions
        self._bindings = parts.bindings
        self._flows = flows
        self._replacements = replacements
        self._returns = returns
        self._settings = settings

    async def begin(
        self,
        request: BaseRequest,
        user_id: str,
        *,
        actor: SessionContainer,
        reason: str,
        max_age: int | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> SessionContainer:
        """Create a session of a user in which an actor acts; see `create_impersonation_session`."""
        settings = self._required()
        reason = _checked_reason(reason)
        age_s = settings.max_age if max_age is None else _checked_age(max_age, settings.max_age)
        # A user may be named by several ids: what is asked of one must hold for all of them.
        primary_id = await call_engine(user_context, self._app.engine.users.primary_id, user_id)
        await self._require_permission(settings, actor, primary_id, user_context)
        by = Actor(user_id=actor.user_id, handle=actor.session_handle, reason=reason)
        with creating_with(self._options(by, age_s)):
            session = await self._flows.create(
                request,
                tenant_id=tenant_id,
                user_id=user_id,
                payload=None,
                data=None,
                user_context=user_context,
            )
        refusal = _refusal(session, user_id=primary_id, actor_id=by.user_id)
        if refusal is not None:
            await session.revoke_session(user_context)
            raise refusal
        await self._returns.give(request, session, by.handle, user_context)
        emit(
            ImpersonationStarted(
                handle=session.session_handle,
                user_id=session.user_id,
                tenant_id=session.tenant_id,
                actor_id=by.user_id,
                actor_handle=by.handle,
                reason=reason,
            )
        )
        return session

    async def end(
        self,
        request: BaseRequest,
        user_context: dict[str, Any],
        *,
        return_token: str | None,
        by_sdk_route: bool = False,
    ) -> SessionContainer | None:
        """Go back to the session of the actor; see `end_impersonation`.

        Pages of subdomains may have an application's own route do that, and the SDK's not.
        """
        self._required()
        options = replace(_THIS_SESSION, changes_session=by_sdk_route)
        session = await self._flows.verify(request, options, user_context, guards=False)
        actor_id = None if session is None else session.impersonator
        if session is None or actor_id is None:
            raise BadInputError("the session of this request is no impersonation, so there is none to end")
        restored = await self._restored(session, request, return_token, user_context)
        self._returns.forget(request, user_context)
        if restored is None:
            await self._flows.sign_out(session, request, user_context)
        else:
            emit_end(session, actor_id, restored=restored)
        return restored

    def _options(self, by: Actor, age_s: int) -> CreationOptions:
        """Return what an impersonation is like: it is bound to the device of the actor's session."""
        return replace(
            current_options(),
            claims={ACTOR_KEY: {"sub": by.user_id}},
            counts=False,
            actor=by,
            lifetime=Lifetime(absolute_ms=age_s * 1000, persistent=False),
            bind_like_handle=None if self._bindings is None else by.handle,
        )

    def _required(self) -> Impersonation:
        if self._settings is None:
            raise ConfigError(
                "acting as another user needs session.init(impersonation=Impersonation(may=...))"
            )
        return self._settings

    async def _require_permission(
        self, settings: Impersonation, actor: SessionContainer, user_id: str, user_context: dict[str, Any]
    ) -> None:
        """Refuse whoever may not act as a user, or not from this session.

        Raises:
            InvalidClaimsError: says why.
            UnauthorisedError: the actor's session has ended.
        """
        refuse_guest(actor)
        refuse_impersonation(actor.impersonator, RESERVED_WITH_ACTOR)
        if user_id == actor.user_id:
            raise BadInputError("user_id is the actor's own")
        await actor.assert_claims([AuthenticationClaim.validators.fresh(settings.fresh)], user_context)
        if await self._functions.get_session_information(actor.session_handle, user_context) is None:
            raise UnauthorisedError(GONE, code="session_gone")
        if await call_app(settings.may, actor, user_id, user_context) is not True:
            raise ImpersonationRefusedError("not allowed to act as this user")

    async def _restored(
        self,
        session: SessionContainer,
        request: BaseRequest,
        return_token: str | None,
        user_context: dict[str, Any],
    ) -> SessionContainer | None:
        """Put a new session of the actor in the place of theirs and of this one.

        None if theirs has ended, or whoever asks has nothing but the tokens of this one.
        """
        actor = await self._returning_actor(session, request, return_token, user_context)
        info = session.req_res_info
        if actor is None or info is None:
            return None
        stored = await call_engine(user_context, self._app.engine.sessions.information, actor.handle)
        if stored is None:
            return None
        key = None
        if self._bindings is not None:
            key = await call_engine(user_context, self._bindings.keys.of_session, actor.handle)
            if not await self._bindings.may_restore(request, session, key, user_context):
                return None
        request.require_delivery()
        create = self._creation(stored, info.transfer_method, user_context)
        replacement = Replacement(
            Replaces(
                handle=actor.handle,
                must_exist=True,
                copies=True,
                keeps_end=True,
                also=session.session_handle,
            ),
            keeps_device=self._bindings is not None,
        )
        try:
            with changing_options(claims={}):
                restored = await self._replacements.create(replacement, create, user_context)
        except UnauthorisedError:  # the actor's session ended a moment ago: signed out by this error
            await self._functions.revoke_session(session.session_handle, user_context)
            raise
        request.note_creation(restored.session_handle, is_sign_in=False)
        restored.attach(request, info.transfer_method, user_context)
        if key is not None:
            key = replace(key, handle=session.session_handle)  # of which the browser has the bound cookie
        await self._replacements.carry_over_or_offer(request, restored, key, user_context, offers=False)
        return restored

    async def _returning_actor(
        self,
        session: SessionContainer,
        request: BaseRequest,
        return_token: str | None,
        user_context: dict[str, Any],
    ) -> Actor | None:
        """Return who acts in a session; None if nothing shows that the request is theirs."""
        details = await call_engine(user_context, self._app.engine.sessions.details, session.session_handle)
        actor = None if details is None else details.actor
        if actor is None:
            return None
        if not await self._returns.is_given(request, session, actor.handle, return_token, user_context):
            self._log_signed_out(session, request, return_token)
            return None
        return actor

    def _log_signed_out(
        self, session: SessionContainer, request: BaseRequest, return_token: str | None
    ) -> None:
        info, returns = session.req_res_info, self._returns
        is_cookie = info is not None and info.transfer_method == "cookie"
        if is_cookie and return_token is None and not returns.can_come_with(request):
            log.warning(
                "end_impersonation was called at %r, but browsers send its cookie to %s only, so the actor "
                "was signed out: say where your route is, Impersonation(end_path=...)",
                *(request.get_path(), returns.path),
            )
            return
        log.info("an impersonation ends without its return token, so the actor is signed out")

    def _creation(
        self, stored: StoredSession, method: TokenTransferMethod, user_context: dict[str, Any]
    ) -> Any:
        def create() -> Awaitable[SessionContainer]:
            return self._functions.create_new_session(
                stored.recipe_user_id,
                {"iss": self._issuers.own},
                None,
                method == "header",
                stored.tenant_id,
                user_context=user_context,
            )

        return create


def _refusal(session: SessionContainer, *, user_id: str, actor_id: str) -> Exception | None:
    """Return why a new session is not the one that was asked for, as overrides can make it."""
    if session.impersonator != actor_id:
        return ConfigError(
            "an impersonation needs the original create_new_session, which the application's own one "
            "did not call: nothing would say who acts"
        )
    if session.user_id != user_id:
        return ImpersonationRefusedError("the session would be another user's")
    return None


def _checked_reason(reason: Any) -> str:
    text = reason.strip() if isinstance(reason, str) else ""
    if not text or len(text) > MAX_REASON or not text.isprintable():
        raise BadInputError(
            f"reason must say in 1 to {MAX_REASON} characters why somebody acts as another user"
        )
    return text


def _checked_age(given: Any, longest: int) -> int:
    if type(given) is not int or not 1 <= given <= longest:
        raise BadInputError(f"max_age must be 1 to {longest} seconds, as Impersonation says, not {given!r}")
    return given


class EndedResponse(Shown, APIResponse):
    """`restored` says whether the actor's own session goes on, or they are signed out."""

    def __init__(self, *, restored: bool) -> None:
        self.restored = restored

    def to_json(self) -> dict[str, Any]:
        return {"status": "OK", "restored": self.restored}


async def answer_end(
    impersonations: Impersonations, options: APIOptions, user_context: dict[str, Any]
) -> EndedResponse:
    """Answer POST /impersonation/end."""
    csrf.refuse_foreign_form(options.request)
    token = _return_token_in(await options.request.json())
    restored = await impersonations.end(options.request, user_context, return_token=token, by_sdk_route=True)
    return EndedResponse(restored=restored is not None)


def _return_token_in(body: Any) -> str | None:
    given = cast("dict[str, Any]", body).get("returnToken") if isinstance(body, dict) else None
    return masked(given) if isinstance(given, str) else None
