"""`GET {base}/sessions` and `POST {base}/sessions/revoke`: a user's own devices."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, cast

from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.base import APIOptions
from supertokens_py.types.response import APIResponse

from ..api import APIInterface
from ..claim_base_classes.claim import SessionClaimValidator
from ..claim_validation.authentication import AuthenticationClaim
from ..claim_validation.refusals import NotImpersonated
from ..container import SessionContainer
from ..devices.settings import DeviceSettings
from ..lifecycle.flows import SessionFlows
from ..policy import csrf
from ..session_tokens.reserved_claims import ACTOR_KEY
from ..verification.verification import VerifyOptions

#: Which of a user's sessions to end, where they are not named.
Which: TypeAlias = Literal["others", "all"]

#: How many sessions may be named at once.
MAX_HANDLES = 1000


def options_with(*validators: SessionClaimValidator) -> VerifyOptions:
    """Return how both routes verify: no claims but these; a session that has been ended ends no others."""

    def chosen(*_: Any) -> list[SessionClaimValidator]:
        return [*validators]

    return VerifyOptions(check_database=True, override_global_claim_validators=chosen, changes_session=True)


_LISTING = options_with()


def options_of_revoke(devices: DeviceSettings, reserved: frozenset[str]) -> VerifyOptions:
    """Return what ending sessions asks for: the user in person, and lately if the settings say so.

    Where `act` is not among the reserved claims, it is the application's own, and says nothing.
    """
    in_person = [NotImpersonated()] if ACTOR_KEY in reserved else []
    if devices.require_fresh is None:
        return options_with(*in_person)
    return options_with(*in_person, AuthenticationClaim.validators.fresh(devices.require_fresh))


async def answer_sessions(
    apis: APIInterface, flows: SessionFlows, options: APIOptions, user_context: dict[str, Any]
) -> APIResponse:
    """Answer GET /sessions."""
    session = await _session(flows, options, _LISTING, user_context)
    return await apis.sessions_get(session, options, user_context)


async def answer_revoke(
    apis: APIInterface,
    flows: SessionFlows,
    verify: VerifyOptions,
    options: APIOptions,
    user_context: dict[str, Any],
) -> APIResponse:
    """Answer POST /sessions/revoke; `verify` is what `options_of_revoke` returns."""
    csrf.refuse_foreign_form(options.request)
    session = await _session(flows, options, verify, user_context)
    handles, which = read_choice(await options.request.json())
    return await apis.sessions_revoke_post(session, handles, which, options, user_context)


async def _session(
    flows: SessionFlows, options: APIOptions, verify: VerifyOptions, user_context: dict[str, Any]
) -> SessionContainer:
    session = await flows.verify(options.request, verify, user_context, guards=False)
    return cast("SessionContainer", session)  # it is required


def read_choice(body: Any) -> tuple[list[str] | None, Which | None]:
    """Return the handles or the word of a request to end sessions; one of the two is None.

    Raises:
        BadInputError: it has neither, or both, or something else.
    """
    given = cast("dict[str, Any]", body if isinstance(body, dict) else {})
    handles, which = given.get("handles"), given.get("which")
    if handles is None and which in ("others", "all"):
        return None, which
    named = _texts(handles)
    if which is not None or named is None:
        raise BadInputError('Please provide either handles, a list of strings, or which: "others" or "all"')
    if len(named) > MAX_HANDLES:
        raise BadInputError(f"handles must not name more than {MAX_HANDLES} sessions")
    return named, None


def _texts(value: Any) -> list[str] | None:
    """Return a list of strings as it is, and None for anything else."""
    given = cast("list[Any]", value if isinstance(value, list) else [None])
    return given if all(isinstance(one, str) for one in given) else None
