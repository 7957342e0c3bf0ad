"""What sign-in recipes need for their messages: where the service is, and links to the website."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlencode

from supertokens_py.recipe.base import APIOptions as BaseAPIOptions
from supertokens_py.secret import SecretText

if TYPE_CHECKING:
    from supertokens_py.config import AppInfo
    from supertokens_py.framework.request import BaseRequest
    from supertokens_py.framework.response import BaseResponse
    from supertokens_py.ingredients.emaildelivery.types import EmailDeliveryInterface
    from supertokens_py.ingredients.smsdelivery.types import SMSDeliveryInterface

_T = TypeVar("_T")

#: Longer texts are no token of ours.
LONGEST_TOKEN = 512


class EmailDeliveryIngredient(Generic[_T]):
    """Where an API finds what delivers e-mails."""

    def __init__(self, ingredient_interface_impl: EmailDeliveryInterface[_T]) -> None:
        self.ingredient_interface_impl = ingredient_interface_impl


class SMSDeliveryIngredient(Generic[_T]):
    """Where an API finds what delivers text messages."""

    def __init__(self, ingredient_interface_impl: SMSDeliveryInterface[_T]) -> None:
        self.ingredient_interface_impl = ingredient_interface_impl


class APIOptions(BaseAPIOptions):
    """What an API gets to know of its request."""

    #: bytes of what the application passed of a form of its own, whose body it has read; None: it has not
    form_size: int | None = None

    def __init__(
        self,
        request: BaseRequest,
        response: BaseResponse,
        recipe_id: str,
        config: Any,
        recipe_implementation: Any,
        app_info: AppInfo,
        email_delivery: EmailDeliveryIngredient[Any],
    ) -> None:
        super().__init__(request, response, recipe_id, config, recipe_implementation)
        self.app_info = app_info
        self.email_delivery = email_delivery


def website_link(
    page: str,
    app_info: AppInfo,
    token: str,
    tenant_id: str,
    request: BaseRequest | None,
    user_context: dict[str, Any],
) -> str:
    """Return a link to a page of the website that is configured, never of the one that a request names."""
    origin = app_info.get_origin(request, user_context)
    query = SecretText(urlencode({"token": token, "tenantId": tenant_id}))
    return SecretText(f"{origin}{app_info.website_base_path}/{page}?{query}")
