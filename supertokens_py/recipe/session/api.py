"""`APIInterface`: the HTTP APIs of the session recipe. Applications replace methods of an instance."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, TypeAlias

from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.base import APIOptions
from supertokens_py.types.response import APIResponse, GeneralErrorResponse, Shown

from .claim_validation.refusals import refuse_unbound
from .container import SessionContainer
from .features.guests import guests_may_pass
from .features.limits import SessionLimit
from .lifecycle.flows import SessionFlows
from .policy import csrf
from .responses.device_results import LimitUsed, SessionsGetOkResult, SessionsRevokePostOkResult
from .results import SessionInformationResult, SignOutOkayResponse
from .verification.verification import OverrideValidators, VerifyOptions, no_validators

__all__ = ["APIInterface", "APIOptions"]

#: What adapters call: `(request, options, user_context)` to the session, or None where it is optional.
VerifyForRoute: TypeAlias = Callable[
    [BaseRequest, VerifyOptions, dict[str, Any]], Coroutine[Any, Any, SessionContainer | None]
]

_NO_CLAIMS = VerifyOptions(
    override_global_claim_validators=no_validators, allow_guests=True, changes_session=True
)


class APIInterface:
    """The APIs, with their default behaviour; set a `disable_…` flag to leave a path to the application."""

    def __init__(self, flows: SessionFlows) -> None:
        self.flows = flows  #: a subclass passes on those of the instance that the override receives
        self.disable_refresh_post = False
        self.disable_signout_post = False
        self.disable_sessions_get = False
        self.disable_sessions_revoke_post = False

    async def refresh_post(self, api_options: APIOptions, user_context: dict[str, Any]) -> SessionContainer:
        """POST /session/refresh."""
        return await self.flows.refresh(api_options.request, user_context)

    async def signout_post(
        self, session: SessionContainer | None, api_options: APIOptions, user_context: dict[str, Any]
    ) -> SignOutOkayResponse | GeneralErrorResponse:
        """POST /signout."""
        if session is not None:
            await self.flows.sign_out(session, api_options.request, user_context)
        return SignOutOkayResponse()

    async def sessions_get(
        self, session: SessionContainer, api_options: APIOptions, user_context: dict[str, Any]
    ) -> SessionsGetOkResult | GeneralErrorResponse:
        """GET /sessions, where `devices` are on: the user's sessions, in every tenant."""
        found = await session.list_sessions(user_context)
        limit = await self.flows.limit_of(session, user_context)
        return SessionsGetOkResult(found, None if limit is None else _used(limit, session, found))

    async def sessions_revoke_post(
        self,
        session: SessionContainer,
        handles: list[str] | None,
        which: Literal["others", "all"] | None,
        api_options: APIOptions,
        user_context: dict[str, Any],
    ) -> SessionsRevokePostOkResult | GeneralErrorResponse:
        """POST /sessions/revoke, where `devices` are on: end the user's sessions, by handle or by a word.

        A handle of another user's session is answered like one of no session.
        """
        if which == "all":
            return SessionsRevokePostOkResult(await session.revoke_all(user_context))
        if which == "others":
            return SessionsRevokePostOkResult(await session.revoke_others(user_context))
        return SessionsRevokePostOkResult(await session.revoke_some(handles or [], user_context))

    async def verify_session(
        self,
        api_options: APIOptions,
        anti_csrf_check: bool | None,
        session_required: bool,
        check_database: bool,
        override_global_claim_validators: OverrideValidators | None,
        user_context: dict[str, Any],
    ) -> SessionContainer | None:
        """Verify the session of a request; replacing this changes every framework's `verify_session`."""
        options = VerifyOptions(
            anti_csrf_check, session_required, check_database, override_global_claim_validators
        )
        return await self.flows.verify(api_options.request, options, user_context)


def _used(
    limit: SessionLimit, session: SessionContainer, found: Sequence[SessionInformationResult]
) -> LimitUsed:
    """Count the sessions that a limit counts; those in which somebody else acts do not."""
    everywhere = limit.per == "user"
    used = sum(
        (everywhere or one.tenant_id == session.tenant_id) and not (one.device and one.device.impersonated)
        for one in found
    )
    return LimitUsed(used, limit.max_sessions)


class RefreshedResponse(Shown, APIResponse):
    """The tokens are in the headers."""

    def to_json(self) -> dict[str, Any]:
        return {}


async def answer_refresh(
    apis: APIInterface, options: APIOptions, user_context: dict[str, Any]
) -> RefreshedResponse:
    """Answer POST /session/refresh."""
    await apis.refresh_post(options, user_context)
    return RefreshedResponse()


async def answer_signout(
    apis: APIInterface, flows: SessionFlows, options: APIOptions, user_context: dict[str, Any]
) -> APIResponse:
    """Answer POST /signout; a session that fails its claims can be left all the same."""
    csrf.refuse_foreign_form(options.request)
    session = await flows.verify(options.request, _NO_CLAIMS, user_context, guards=False)
    return await apis.signout_post(session, options, user_context)


def verify_by(
    apis: APIInterface, options_of: Callable[[BaseRequest, Any], APIOptions], *, binds_devices: bool
) -> VerifyForRoute:
    """Return the verification of applications that replaced the API `verify_session`."""

    async def verify(
        request: BaseRequest, options: VerifyOptions, user_context: dict[str, Any]
    ) -> SessionContainer | None:
        varies = options.vary or request.session_sought
        request.session_sought = True
        with guests_may_pass(options.allow_guests):
            session = await apis.verify_session(
                options_of(request, None),
                options.anti_csrf_check,
                options.session_required,
                options.check_database,
                options.override_global_claim_validators,
                user_context,
            )
        if session is None:
            options.allow_none()
            request.set_session_as_none()
        elif options.require_bound:  # which the API is not told
            refuse_unbound(session, is_on=binds_devices)
        request.session_sought = varies
        return session

    return verify
