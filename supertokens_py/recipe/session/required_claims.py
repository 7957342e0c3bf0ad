"""What a route asks of a session besides the global validators, as `override_global_claim_validators`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from supertokens_py.exceptions import ConfigError

from .claim_base_classes.claim import SessionClaimValidator
from .claim_validation.authentication import AuthenticationClaim
from .container import SessionContainer
from .functions import OverrideValidators
from .recipe import SessionRecipe

_OVERRIDE: Final = "override_global_claim_validators"

_NO_VALIDATORS: Final = "required claims are validators: UserRoleClaim.validators.includes(...)"

#: Seconds since the authentication for which a session is fresh where a route says nothing else.
FRESH_S: Final = 900


def requiring(*validators: SessionClaimValidator, fresh: float | None = None) -> OverrideValidators:
    """Return what has a route require these claims besides the global ones.

    Args:
        validators: those that must pass.
        fresh: at most so many seconds ago the user must have authenticated; None asks for no time.

    Raises:
        ConfigError: nothing is required, or a validator is something else, or `fresh` is no positive number.
    """
    if not all(isinstance(one, SessionClaimValidator) for one in validators):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError(_NO_VALIDATORS)
    if fresh is None:
        if not validators:
            raise ConfigError(_NO_VALIDATORS)
        required = validators
    else:
        required = (*validators, AuthenticationClaim.validators.fresh(fresh))

    def with_ours(
        global_validators: list[SessionClaimValidator], session: SessionContainer, _: dict[str, Any]
    ) -> list[SessionClaimValidator]:
        if fresh is not None:
            require_noted(session)
        return [*global_validators, *required]

    return with_ours


def with_requirements(
    options: dict[str, Any], *, claims: Sequence[SessionClaimValidator] | None, fresh: float | None
) -> dict[str, Any]:
    """Return the options of `verify_session` that also require claims and a recent authentication.

    Args:
        options: those that were given.
        claims: validators of claims, at least one; None for none.
        fresh: seconds, as for `requiring`.

    Raises:
        ConfigError: the requirements are wrong, or there are `override_global_claim_validators` besides.
    """
    if claims is None and fresh is None:
        return options
    if options.get(_OVERRIDE) is not None:
        raise ConfigError(f"claims= and fresh= are added to the global validators: leave out {_OVERRIDE}")
    if claims is not None and (not isinstance(claims, Sequence) or not claims):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigError("claims takes a list: claims=[UserRoleClaim.validators.includes(...)]")
    return {**options, _OVERRIDE: requiring(*(claims or ()), fresh=fresh)}


def require_noted(session: SessionContainer) -> None:
    """Raise if no session can be fresh because this app does not record authentications.

    Raises:
        ConfigError: the settings lack what notes it.
    """
    if AuthenticationClaim.key in session.get_access_token_payload():
        return
    if not SessionRecipe.get_instance().config.optional_features.notes_authentication:
        raise ConfigError("fresh sessions need session.init(step_up=True): no session says how old it is")
