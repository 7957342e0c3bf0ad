"""Tokens from applications on phones, which have no code, and addresses for users without one."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.thirdparty.provider import Provider, UserInfo, UserInfoEmail
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import SecretDict
from supertokens_py.types.emails import is_address

from .checks import checks_of

#: Nobody receives e-mails there; `is_made_up` knows such addresses.
_NOBODY = "@stfakeemail.supertokens.com"


def accepted_tokens(provider: Provider, oauth_tokens: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the tokens of a request that may sign somebody in.

    An ID token says whom it was issued to. An access token does not: only one that `validate_access_token`
    looks at is accepted, or any where the application says so (`checks`).

    Raises:
        BadInputError: there is none, or this client takes none from frontends.
    """
    config = provider.config
    checks = checks_of(config.additional_config)
    if not checks.frontend_tokens:
        raise BadInputError("this client of the provider takes no oAuthTokens; send redirectURIInfo")
    known = config.validate_access_token is not None or checks.access_token_sign_in
    names = ("id_token", "access_token") if known else ("id_token",)
    tokens = {name: value for name, value in oauth_tokens.items() if name in names and value is not None}
    if not tokens or not all(isinstance(value, str) and value for value in tokens.values()):
        raise BadInputError(
            "oAuthTokens needs an id_token; an access_token counts where validate_access_token is configured"
        )
    return SecretDict(tokens)


async def email_of(
    provider: Provider, user: UserInfo, tenant_id: str, user_context: dict[str, Any]
) -> UserInfoEmail | None:
    """Return the user's address, or one that is made up where the provider need not have one; else None."""
    if user.email is not None or provider.config.require_email is not False:
        return user.email
    make = provider.config.generate_fake_email
    if make is None:
        return UserInfoEmail(made_up_address(provider.id, user.third_party_user_id), True)
    return UserInfoEmail(await call_app(make, tenant_id, user.third_party_user_id, user_context), True)


def made_up_address(third_party_id: str, third_party_user_id: str) -> str:
    """Return the address of a user without one. An id that does not fit an address is hashed.

    Users choose their id at some providers, and "eve <victim@example.com>" must not become a recipient.
    """
    local = f"{third_party_user_id}.{third_party_id}"
    if not is_address(f"{local}{_NOBODY}"):
        local = sha256(local.encode(errors="surrogatepass")).hexdigest()
    return f"{local}{_NOBODY}"
