"""The built-in providers as data. What needs code besides is in a module of its own, named by `behaviour`.

`{name}` stands for `additional_config["name"]` of the client.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from supertokens_py.types.providers import (
    ProviderConfigForClient,
    UserFields,
    UserInfoMap,
)

from .documents import WELL_KNOWN
from .failures import SignInFailedError

Behaviour: TypeAlias = Literal[
    "apple", "bitbucket", "facebook", "github", "microsoft", "workspaces", "basic_auth"
]


@dataclass(frozen=True, kw_only=True)
class BuiltIn:
    """What a client's configuration is filled in with, where it does not say otherwise."""

    name: str
    scope: tuple[str, ...] = ()
    document: str | None = None  #: the URL of the configuration document
    authorize: str | None = None
    token: str | None = None
    user_info: str | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])  #: of the authorisation URL
    user_info_params: Mapping[str, str] = field(default_factory=dict[str, str])
    fields: UserFields | None = None  #: of the user-info endpoint
    require_email: bool | None = None
    behaviour: Behaviour | None = None
    required: tuple[str, ...] = ()  #: names of `additional_config`
    issuer_aliases: tuple[str, ...] = ()
    may_replace: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  #: `additional_config` to `document`


_OPENID = ("openid", "email")
_GOOGLE = BuiltIn(
    name="Google",
    document="https://accounts.google.com/",
    scope=_OPENID,
    params={"include_granted_scopes": "true", "access_type": "offline"},
    issuer_aliases=("accounts.google.com",),
)

BUILT_IN: Mapping[str, BuiltIn] = {
    "google-workspaces": replace(
        _GOOGLE, name="Google Workspaces", params={**_GOOGLE.params, "hd": "{hd}"}, behaviour="workspaces"
    ),
    "google": _GOOGLE,
    "github": BuiltIn(
        name="Github",
        authorize="https://github.com/login/oauth/authorize",
        token="https://github.com/login/oauth/access_token",  # noqa: S106 - a URL
        user_info="https://api.github.com/user",
        scope=("read:user", "user:email"),
        fields=UserFields("user.id", "email.email", "email.verified"),
        behaviour="github",
    ),
    "apple": BuiltIn(
        name="Apple",
        document="https://appleid.apple.com/",
        scope=_OPENID,
        params={"response_mode": "form_post"},
        behaviour="apple",
        required=("keyId", "teamId", "privateKey"),
    ),
    "active-directory": BuiltIn(
        name="Active Directory",
        document="https://login.microsoftonline.com/{directoryId}/v2.0/",
        scope=_OPENID,
        behaviour="microsoft",
        required=("directoryId",),
    ),
    "okta": BuiltIn(name="Okta", document="{oktaDomain}", scope=_OPENID, required=("oktaDomain",)),
    "gitlab": BuiltIn(
        name="Gitlab",
        document="https://gitlab.com/",
        scope=_OPENID,
        may_replace={"gitlabBaseUrl": "{gitlabBaseUrl}"},
    ),
    "discord": BuiltIn(
        name="Discord",
        authorize="https://discord.com/oauth2/authorize",
        token="https://discord.com/api/oauth2/token",  # noqa: S106 - a URL
        user_info="https://discord.com/api/users/@me",
        scope=("identify", "email"),
        fields=UserFields("id", "email", "verified"),
    ),
    "facebook": BuiltIn(
        name="Facebook",
        authorize="https://www.facebook.com/v12.0/dialog/oauth",
        token="https://graph.facebook.com/v12.0/oauth/access_token",  # noqa: S106 - a URL
        user_info="https://graph.facebook.com/me",
        scope=("email",),
        user_info_params={"fields": "id,email"},
        fields=UserFields("id", "email", "email_verified"),
        behaviour="facebook",
    ),
    "linkedin": BuiltIn(
        name="Linkedin",
        authorize="https://www.linkedin.com/oauth/v2/authorization",
        token="https://www.linkedin.com/oauth/v2/accessToken",  # noqa: S106 - a URL
        user_info="https://api.linkedin.com/v2/userinfo",
        scope=("openid", "profile", "email"),
        fields=UserFields("sub", "email", "email_verified"),
    ),
    "bitbucket": BuiltIn(
        name="Bitbucket",
        authorize="https://bitbucket.org/site/oauth2/authorize",
        token="https://bitbucket.org/site/oauth2/access_token",  # noqa: S106 - a URL
        user_info="https://api.bitbucket.org/2.0/user",
        scope=("account", "email"),
        params={"audience": "api.atlassian.com"},
        fields=UserFields("user.uuid", "email.email", "email.is_confirmed"),
        behaviour="bitbucket",
    ),
    "twitter": BuiltIn(
        name="Twitter",
        authorize="https://twitter.com/i/oauth2/authorize",
        token="https://api.twitter.com/2/oauth2/token",  # noqa: S106 - a URL
        user_info="https://api.twitter.com/2/users/me",
        scope=("users.read", "tweet.read"),
        fields=UserFields("data.id", "data.email", "data.email_verified"),
        require_email=False,
        behaviour="basic_auth",
    ),
    "boxy-saml": BuiltIn(
        name="SAML",
        authorize="{boxyURL}/api/oauth/authorize",
        token="{boxyURL}/api/oauth/token",  # noqa: S106 - a URL
        user_info="{boxyURL}/api/oauth/userinfo",
        fields=UserFields("id", "email", "email_verified"),
        required=("boxyURL",),
    ),
}

_NAME = re.compile(r"\{(\w+)\}")
_DEFAULTS: Mapping[str, str] = {"hd": "*"}


def type_of(third_party_id: str) -> str | None:
    """Return the built-in id that a provider's id begins with, the longest one; None of a custom provider."""
    found = [name for name in BUILT_IN if third_party_id.startswith(name)]
    return max(found, key=len, default=None)


def issuer_aliases(kind: str) -> tuple[str, ...]:
    """Return what a built-in provider may call itself in ID tokens besides its issuer."""
    return BUILT_IN[kind].issuer_aliases if kind in BUILT_IN else ()


_OPENID_SCOPES = ("openid", "email")


def filled(config: ProviderConfigForClient) -> ProviderConfigForClient:
    """Fill in what is not configured, in the record itself, and return it.

    Raises:
        SignInFailedError: the built-in behaviour needs a member of `additional_config` that is missing.
    """
    kind = type_of(config.third_party_id)
    if kind is None:
        if config.scope is None:  # without "openid" an OpenID provider issues no ID token, or refuses
            config.scope = list(_OPENID_SCOPES) if config.oidc_discovery_endpoint else []
        config.name = config.name or config.third_party_id
        return config
    built_in = BUILT_IN[kind]
    own: dict[str, Any] = {**_DEFAULTS, **(config.additional_config or {})}

    def text(template: str | None) -> str | None:
        return None if template is None else _NAME.sub(lambda name: _own_text(own, name[1], config), template)

    config.name = config.name or built_in.name
    config.scope = list(built_in.scope) if config.scope is None else config.scope
    if config.require_email is None:
        config.require_email = built_in.require_email
    _fill_endpoints(config, built_in, own, text)
    config.authorization_endpoint_query_params = {
        **{name: text(value) for name, value in built_in.params.items()},
        **(config.authorization_endpoint_query_params or {}),
    }
    config.user_info_endpoint_query_params = {
        **built_in.user_info_params,
        **(config.user_info_endpoint_query_params or {}),
    }
    config.user_info_map = _fields(config.user_info_map, built_in.fields)
    return config


def check_required(config: ProviderConfigForClient) -> None:
    """Refuse a client that lacks what the built-in behaviour needs. Raises SignInFailedError."""
    kind = type_of(config.third_party_id)
    if kind is None or (config.oidc_discovery_endpoint is not None and kind != "apple"):
        return
    if kind == "apple" and config.client_secret is not None:
        return  # the application makes it
    own: dict[str, Any] = config.additional_config or {}
    for name in BUILT_IN[kind].required:
        _own_text(own, name, config)


def _fill_endpoints(
    config: ProviderConfigForClient, built_in: BuiltIn, own: Mapping[str, Any], text: Any
) -> None:
    document = built_in.document
    for name, replacement in built_in.may_replace.items():
        document = replacement if own.get(name) else document
    if config.oidc_discovery_endpoint is None and document is not None:
        config.oidc_discovery_endpoint = text(document)
    if config.oidc_discovery_endpoint is not None and "/.well-known/" not in config.oidc_discovery_endpoint:
        config.oidc_discovery_endpoint = config.oidc_discovery_endpoint.rstrip("/") + WELL_KNOWN
    config.authorization_endpoint = config.authorization_endpoint or text(built_in.authorize)
    config.token_endpoint = config.token_endpoint or text(built_in.token)
    config.user_info_endpoint = config.user_info_endpoint or text(built_in.user_info)


def _fields(given: UserInfoMap | None, built_in: UserFields | None) -> UserInfoMap | None:
    if built_in is None:
        return given
    given = given or UserInfoMap()
    own = given.from_user_info_api
    merged = UserFields(
        own.user_id or built_in.user_id,
        own.email or built_in.email,
        own.email_verified or built_in.email_verified,
    )
    return UserInfoMap(given.from_id_token_payload, merged)


def _own_text(own: Mapping[str, Any], name: str, config: ProviderConfigForClient) -> str:
    value = own.get(name)
    if not isinstance(value, str) or not value:
        raise SignInFailedError(f"additional_config of the provider {config.third_party_id!r} needs {name!r}")
    text = value
    if name.endswith(("Domain", "URL", "Url")) and "://" not in text:
        text = f"https://{text}"
    return text.rstrip("/") if "://" in text else text
