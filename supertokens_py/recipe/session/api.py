"""`APIInterface`: the HTTP APIs of the session recipe. Applications replace methods of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .container import SessionContainer
from .flows import VerifyOptions, refresh_in_request, session_of_request
from .results import SignOutOkayResponse
from .token_transport import carries, other

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.framework.response import BaseResponse
    from supertokens_py.types.response import GeneralErrorResponse

    from .claim_checks import OverrideValidators
    from .functions import RecipeInterface
    from .policy import SessionPolicy
    from .recipe import SessionRecipe


class APIOptions:
    """What an API gets to know of its request. `response` is None for `verify_session`."""

    def __init__(
        self,
        request: BaseRequest,
        response: BaseResponse | None,
        recipe_id: str,
        config: SessionPolicy,
        recipe_implementation: RecipeInterface,
    ) -> None:
        self.request = request
        self.response = response
        self.recipe_id = recipe_id
        self.config = config
        self.recipe_implementation = recipe_implementation


class APIInterface:
    """The APIs, with their default behaviour; set a `disable_…` flag to leave a path to the application."""

    def __init__(self, recipe: SessionRecipe) -> None:
        self._recipe = recipe
        self.disable_refresh_post = False
        self.disable_signout_post = False

    async def refresh_post(self, api_options: APIOptions, user_context: dict[str, Any]) -> SessionContainer:
        """POST /session/refresh."""
        return await refresh_in_request(self._recipe, api_options.request, user_context)

    async def signout_post(
        self, session: SessionContainer | None, api_options: APIOptions, user_context: dict[str, Any]
    ) -> SignOutOkayResponse | GeneralErrorResponse:
        """POST /signout."""
        if session is not None:
            await session.revoke_session(user_context)
            if session.req_res_info and carries(
                api_options.request, other(session.req_res_info.transfer_method)
            ):
                writer = self._recipe.writer(api_options.request, user_context)
                writer.clear(other(session.req_res_info.transfer_method))
        return SignOutOkayResponse()

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
        request = api_options.request
        return await session_of_request(self._recipe, request, options, user_context, refreshes=True)
