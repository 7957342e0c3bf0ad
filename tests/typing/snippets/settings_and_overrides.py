"""`init`, the settings of recipes, and overrides written as the documents show them."""

from typing import Any, assert_type

from supertokens_py import EngineConfig, InputAppInfo, SupertokensConfig, get_all_cors_headers, init
from supertokens_py.framework import BaseRequest, BaseResponse
from supertokens_py.recipe import jwt, multitenancy, openid, session, usermetadata, userroles
from supertokens_py.recipe.session import InputErrorHandlers, SessionContainer
from supertokens_py.recipe.session.exceptions import ClaimValidationError
from supertokens_py.recipe.session.interfaces import (
    APIInterface,
    APIOptions,
    RecipeInterface,
    SessionClaimValidator,
)


def functions(original_implementation: RecipeInterface) -> RecipeInterface:
    original_create = original_implementation.create_new_session

    async def create_new_session(
        user_id: str,
        access_token_payload: dict[str, Any] | None,
        session_data_in_database: dict[str, Any] | None,
        disable_anti_csrf: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> SessionContainer:
        payload = {**(access_token_payload or {}), "key": "value"}
        made = await original_create(
            user_id, payload, session_data_in_database, disable_anti_csrf, tenant_id, user_context
        )
        assert_type(made, SessionContainer)
        return made

    def validators(
        tenant_id: str,
        user_id: str,
        claim_validators_added_by_other_recipes: list[SessionClaimValidator],
        user_context: dict[str, Any],
    ) -> list[SessionClaimValidator]:
        return [*claim_validators_added_by_other_recipes]

    original_implementation.create_new_session = create_new_session  # mypy: method-assign
    original_implementation.get_global_claim_validators = validators  # mypy: method-assign
    return original_implementation


def apis(original_implementation: APIInterface) -> APIInterface:
    original_refresh = original_implementation.refresh_post

    async def refresh_post(api_options: APIOptions, user_context: dict[str, Any]) -> SessionContainer:
        return await original_refresh(api_options, user_context)

    original_implementation.refresh_post = refresh_post  # mypy: method-assign
    original_implementation.disable_signout_post = True
    return original_implementation


async def on_unauthorised(request: BaseRequest, message: str, response: BaseResponse) -> BaseResponse:
    response.set_status_code(401)
    response.set_json_content({"message": message})
    return response


def on_invalid_claim(
    request: BaseRequest, errors: list[ClaimValidationError], response: BaseResponse
) -> BaseResponse:
    return response


def transfer(request: BaseRequest, for_create_new_session: bool, user_context: dict[str, Any]) -> Any:
    return "cookie"


async def domains(tenant_id: str, user_context: dict[str, Any]) -> list[str] | None:
    return None


init(
    app_info=InputAppInfo(app_name="Shop", api_domain="http://a.com", website_domain="http://b.com"),
    framework="fastapi",
    supertokens_config=SupertokensConfig("sqlite://", engine=EngineConfig(access_token_validity=60)),
    recipe_list=[
        session.init(
            anti_csrf="VIA_TOKEN",
            cookie_same_site="lax",
            get_token_transfer_method=transfer,
            error_handlers=InputErrorHandlers(
                on_unauthorised=on_unauthorised, on_invalid_claim=on_invalid_claim
            ),
            override=session.InputOverrideConfig(
                functions=functions,
                apis=apis,
                openid_feature=openid.InputOverrideConfig(jwt_feature=jwt.OverrideConfig()),
            ),
        ),
        userroles.init(skip_adding_permissions_to_access_token=True),
        usermetadata.init(override=usermetadata.utils.InputOverrideConfig()),
        multitenancy.init(get_allowed_domains_for_tenant_id=domains),
        jwt.init(jwt_validity_seconds=60),
        openid.init(issuer="http://a.com/auth"),
    ],
)
assert_type(get_all_cors_headers(), list[str])

session.init(anti_csrf="SOMETIMES")  # error: reportArgumentType; mypy: arg-type
session.init(cookie_same_site="Lax")  # error: reportArgumentType; mypy: arg-type
init(InputAppInfo("a", "b"), "bottle")  # error: reportArgumentType; mypy: arg-type
userroles.init(override=functions)  # error: reportArgumentType; mypy: arg-type
