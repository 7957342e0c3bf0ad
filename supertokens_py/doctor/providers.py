"""What is noteworthy about providers before anybody signs in with one. Pure: settings in, findings out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe.thirdparty.provider import (
    ProviderClientConfig,
    ProviderConfigForClient,
    ProviderInput,
)
from supertokens_py.recipe.thirdparty.providers.built_in import filled, type_of
from supertokens_py.recipe.thirdparty.providers.checks import checks_of
from supertokens_py.recipe.thirdparty.providers.merging import each_client
from supertokens_py.recipe.thirdparty.providers.redirect_uris import check_listed
from supertokens_py.recipe.thirdparty.providers.source import check_inputs
from supertokens_py.recipe.thirdparty.recipe import ThirdPartyRecipe
from supertokens_py.urls import api_origin, host_of, is_local, scheme_of

from .findings import Finding

_TOPIC = "providers"
_ENDPOINTS = (
    "oidc_discovery_endpoint",
    "authorization_endpoint",
    "token_endpoint",
    "user_info_endpoint",
    "jwks_uri",
)
#: The scope that makes a built-in provider tell the address, where there is one.
_EMAIL_SCOPES = {"github": "user:email", "boxy-saml": None, "twitter": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSettings:
    """The arguments of `init` and `thirdparty.init` that providers are affected by."""

    api_domain: str
    website_domain: str
    providers: Sequence[ProviderInput]
    allowed_redirect_uris: Sequence[str] = ()
    api_base_path: str = "/auth"
    website_base_path: str = "/auth"


def settings_of(app: Supertokens, website_domain: str | None = None) -> ProviderSettings:
    """Return what an app's `init` was given.

    Args:
        website_domain: its website, where that is decided request by request.

    Raises:
        ConfigError: `thirdparty` is not in its `recipe_list`, or the website is not known.
    """
    if not app.has_recipe(ThirdPartyRecipe.recipe_id):
        raise ConfigError("the app has no thirdparty.init() in recipe_list")
    recipe, website = app.recipe(ThirdPartyRecipe), website_domain or app.app_info.fixed_origin
    if website is None:
        raise ConfigError("the app decides by a function what its website is: name one with --website-domain")
    return ProviderSettings(
        api_domain=app.app_info.api_domain,
        website_domain=website,
        providers=recipe.providers,
        allowed_redirect_uris=recipe.config.allowed_redirect_uris,
        api_base_path=app.app_info.api_base_path,
        website_base_path=app.app_info.website_base_path,
    )


def check_providers(settings: ProviderSettings) -> list[Finding]:
    """Return everything that is noteworthy about the settings, without asking any provider."""
    try:
        api, website = api_origin(settings.api_domain), api_origin(settings.website_domain)
        check_listed(settings.allowed_redirect_uris)
        check_inputs(settings.providers)
    except (BadInputError, ConfigError) as error:
        return [Finding("error", _TOPIC, str(error), "correct the setting; `init` refuses it too")]
    found = [finding for one in settings.providers for finding in _one(one, api, website, settings)]
    return [*found, *_listed_addresses(settings.allowed_redirect_uris)]


def _one(one: ProviderInput, api: str, website: str, settings: ProviderSettings) -> Iterator[Finding]:
    name, kind = one.config.third_party_id, type_of(one.config.third_party_id)
    if not one.config.clients:
        yield Finding(
            "error", _TOPIC, f"{name} has no client, so nobody can sign in with it", "add it to `clients`"
        )
        return
    yield from _clients(name, kind, one.config.clients)
    at_api = kind == "apple"
    origin, base = (api, settings.api_base_path) if at_api else (website, settings.website_base_path)
    path = f"{base.rstrip('/')}/callback/{'apple' if at_api else name}"
    yield Finding("ok", _TOPIC, f"{name} sends browsers back to {origin}{path}: register that address there")
    yield from _origin(name, kind, origin)
    for client in each_client(one.config):
        complete = filled(client)
        if one.override is None:  # which may go without
            yield from _unknown(complete)
        yield from _client(complete)


def _clients(name: str, kind: str | None, clients: Sequence[ProviderClientConfig]) -> Iterator[Finding]:
    types = [client.client_type for client in clients]
    if len({*types}) < len(types) or (len(types) > 1 and None in types):
        text = f"{name} has clients that requests cannot tell apart"
        yield Finding("error", _TOPIC, text, "give each a `client_type` of its own")
    for client in clients:
        if not client.client_id.strip():
            yield Finding("error", _TOPIC, f"{name} has a client without a client_id", "register it there")
        if client.client_secret is not None and not client.client_secret.strip():
            text = f"the client_secret of {name} is empty"
            yield Finding("error", _TOPIC, text, "look for the variable that it is read from")
        if kind == "apple" and client.client_secret is not None:
            text = f"the client_secret of {name} is fixed: Apple's expire after six months at most"
            yield Finding("warning", _TOPIC, text, "leave it out; it is made of `additional_config`")


def _origin(name: str, kind: str | None, origin: str) -> Iterator[Finding]:
    local = is_local(host_of(origin))
    if kind == "apple" and (local or scheme_of(origin) == "http"):
        text = f"{name} sends browsers to https and real domains only, not to {origin}"
        yield Finding("error", _TOPIC, text, "try it with a domain that leads to this machine")
    elif scheme_of(origin) == "http" and not local:
        text = f"{name} is to send codes to {origin}, where anybody on the way can read them"
        yield Finding("error", _TOPIC, text, "serve it over https; most providers refuse http")


def _unknown(config: ProviderConfigForClient) -> Iterator[Finding]:
    name = config.third_party_id
    if config.oidc_discovery_endpoint is None and None in (
        config.authorization_endpoint,
        config.token_endpoint,
    ):
        text = f"{name} is no built-in provider, and has no endpoints to send anybody to"
        advice = "correct its id, or set oidc_discovery_endpoint or authorization and token endpoint"
        yield Finding("error", _TOPIC, text, advice)


def _client(config: ProviderConfigForClient) -> Iterator[Finding]:
    name, scope = config.third_party_id, config.scope or []
    for member in _ENDPOINTS:
        url = getattr(config, member)
        if url is not None and not url.startswith("https://") and not is_local(host_of(url)):
            text = f"{member} of {name} is {url}, which would get secrets unencrypted"
            yield Finding("error", _TOPIC, text, "use its https address; http is refused")
    yield from _scopes(config, scope)
    checks = checks_of(config.additional_config)
    skipped = [one for one in ("verifier", "pkce", "nonce", "issuer") if not getattr(checks, one)]
    if skipped:
        text = f"checks of {name} are switched off: {', '.join(skipped)}"
        yield Finding("warning", _TOPIC, text, "leave them on unless the provider cannot pass them")
    if checks.access_token_sign_in:
        text = f"{name} accepts access tokens that were issued to other applications"
        yield Finding("warning", _TOPIC, text, "use ID tokens, or configure validate_access_token")


def _scopes(config: ProviderConfigForClient, scope: Sequence[str]) -> Iterator[Finding]:
    name = config.third_party_id
    if config.oidc_discovery_endpoint is not None and "openid" not in scope:
        text = f"{name} is asked for no ID token: the scope has no 'openid'"
        yield Finding("warning", _TOPIC, text, "add it: `scope` replaces the default scopes")
    wanted = _EMAIL_SCOPES.get(type_of(name) or "", "email")
    is_known = type_of(name) is not None or config.oidc_discovery_endpoint is not None
    if is_known and wanted is not None and config.require_email is not False and wanted not in scope:
        text = f"{name} is not asked for addresses: the scope has no {wanted!r}"
        yield Finding("warning", _TOPIC, text, "add it, or set require_email=False")


def _listed_addresses(uris: Sequence[str]) -> Iterator[Finding]:
    for uri in uris:
        if uri.startswith("http://") and not is_local(host_of(uri)):
            text = f"allowed_redirect_uris has {uri}, where anybody on the way can read codes"
            yield Finding("error", _TOPIC, text, "use https")
