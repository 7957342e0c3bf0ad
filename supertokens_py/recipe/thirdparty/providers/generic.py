"""The provider that all others are variations of: OAuth 2 with a code, and OpenID Connect on top."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlencode, urlsplit, urlunsplit

from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    AuthorisationRedirect,
    Provider,
    RawUserInfoFromProvider,
    RedirectUriInfo,
    UserInfo,
    UserInfoEmail,
)
from supertokens_py.runtime.bridge import call_app
from supertokens_py.secret import SecretDict, SecretText, masked
from supertokens_py.types.providers import ProviderConfig, ProviderConfigForClient

from . import id_tokens, verifiers
from .built_in import filled, issuer_aliases
from .callbacks import check_callback, nonce_is_ours, token_texts
from .checks import Checks, checks_of
from .documents import Metadata, issuer_of
from .endpoints import origins_of
from .environment import Environment
from .failures import SignInFailedError
from .merging import client_of, each_client
from .redirect_uris import check_redirect_uri
from .user_fields import user_of

log: logging.Logger = logging.getLogger(__name__)


class GenericProvider(Provider):
    """One provider in one tenant for one request.

    What the code was exchanged for has to be asked of the same object: it remembers which nonce the ID token
    of that sign-in has.
    """

    def __init__(
        self,
        given: ProviderConfig,
        environment: Environment,
        *,
        type_: str,
        tenant_id: str,
        listed_origins: frozenset[str] = frozenset(),
        tenant_origins: frozenset[str] = frozenset(),
    ) -> None:
        # Before a request's client is known, overrides find the first one.
        super().__init__(given.third_party_id, each_client(given)[0], type_=type_, tenant_id=tenant_id)
        self._given = given
        self._environment = environment
        self._listed_origins, self._tenant_origins = listed_origins, tenant_origins
        self._trusted_origins: frozenset[str] | None = None
        self._nonce: str | None = None

    # -- what applications override --------------------------------------------------------------------

    async def get_config_for_client_type(
        self, client_type: str | None, user_context: dict[str, Any]
    ) -> ProviderConfigForClient:
        with self._failing(self._given.name or self.id):
            return self._prepared(filled(client_of(self._given, client_type)))

    async def get_authorisation_redirect_url(
        self, redirect_uri_on_provider_dashboard: str, user_context: dict[str, Any]
    ) -> AuthorisationRedirect:
        self._check_redirect_uri(redirect_uri_on_provider_dashboard, user_context)
        with self._failing():
            await self._metadata()
            checks = self._checks
            keys = await self._environment.verifier_keys(user_context)
            verifier = verifiers.new_verifier(
                keys[0], self._binding(redirect_uri_on_provider_dashboard), now_ms=self._environment.now_ms()
            )
            params: dict[str, str | None] = {
                "client_id": self.config.client_id,
                "redirect_uri": redirect_uri_on_provider_dashboard,
                "response_type": "code",
                "scope": " ".join(self.config.scope or ()) or None,
            }
            if checks.pkce:
                params |= {
                    "code_challenge": verifiers.challenge_of(verifier),
                    "code_challenge_method": "S256",
                }
            if nonce_is_ours(self.config, checks):
                params["nonce"] = verifiers.nonce_of(verifier)
            params |= self.config.authorization_endpoint_query_params or {}
            endpoint = self._endpoint("authorization")
            self._environment.check_url(endpoint, self._trusted)
            return AuthorisationRedirect(_with_query(endpoint, params), verifier)

    async def exchange_auth_code_for_oauth_tokens(
        self, redirect_uri_info: RedirectUriInfo, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        redirect_uri = redirect_uri_info.redirect_uri_on_provider_dashboard
        if not self._is_of_a_library(redirect_uri_info):
            self._check_redirect_uri(redirect_uri, user_context)
        with self._failing():
            checks, metadata = self._checks, await self._metadata()
            code = check_callback(redirect_uri_info.redirect_uri_query_params, metadata, checks)
            verifier = redirect_uri_info.pkce_code_verifier
            await self._check_verifier(verifier, redirect_uri, user_context)
            if verifier is not None and nonce_is_ours(self.config, checks):
                self._nonce = verifiers.nonce_of(verifier)
            form: dict[str, str | None] = {
                "client_id": self.config.client_id,
                "redirect_uri": redirect_uri,
                "code": code,
                "grant_type": "authorization_code",
            }
            if verifier is not None and checks.pkce:
                form["code_verifier"] = SecretText(verifier)
            form |= self.config.token_endpoint_body_params or {}
            with self._environment.exchanges.of(verifier):
                return await self._ask_for_tokens(form, metadata)

    async def get_user_info(self, oauth_tokens: dict[str, Any], user_context: dict[str, Any]) -> UserInfo:
        with self._failing():
            await self._metadata()
            id_token, access_token = token_texts(oauth_tokens, "id_token", "access_token")
            raw = RawUserInfoFromProvider()
            if id_token is not None and self.config.jwks_uri is not None:
                raw.from_id_token_payload = await self._checked_id_token(id_token, user_context)
            if access_token is not None:
                await self._validate(self.config.validate_access_token, access_token, user_context)
                if self.config.user_info_endpoint is not None:
                    raw.from_user_info_api = await self._ask_for_user(access_token)
            if raw.from_id_token_payload is None and raw.from_user_info_api is None:
                raise SignInFailedError("there is neither an ID token nor an answer of a user-info endpoint")
            self._check_user(raw)
            user_id, email = self._user_of(raw)
            return UserInfo(user_id, email, raw)

    # -- what variations of providers override ---------------------------------------------------------

    def _prepared(self, config: ProviderConfigForClient) -> ProviderConfigForClient:
        """Change what is not data of a built-in provider."""
        return config

    def _client_secret(self) -> str | None:
        return self.config.client_secret

    def _wants_basic_auth(self, metadata: Metadata | None) -> bool:
        """Return whether the token endpoint wants the client's secret in a header."""
        methods = () if metadata is None else metadata.token_auth_methods
        return "client_secret_basic" in methods and "client_secret_post" not in methods

    def _expected_issuer(self, document_url: str, published: str) -> str | None:
        """Return the issuer that the document has to name; None where its URL does not say."""
        return issuer_of(document_url)

    async def _ask_for_user(self, access_token: str) -> dict[str, Any]:
        """Return what the user-info endpoint says."""
        user = await self._get(self._endpoint("user_info"), access_token)
        if not isinstance(user, dict):
            raise SignInFailedError("the user-info endpoint answered with no JSON object")
        return cast("dict[str, Any]", user)

    def _check_user(self, raw: RawUserInfoFromProvider) -> None:
        """Refuse users whom the configuration does not mean."""

    def _user_of(self, raw: RawUserInfoFromProvider) -> tuple[str, UserInfoEmail | None]:
        return user_of(raw.from_id_token_payload, raw.from_user_info_api, self.config.user_info_map)

    async def _checked_id_token(self, token: str, user_context: dict[str, Any]) -> dict[str, Any]:
        checks, metadata = self._checks, await self._metadata()
        expected = id_tokens.Expected(
            client_id=self.config.client_id,
            parties=frozenset(self._parties(checks)),
            issuers=self._issuers_of_tokens(metadata, checks),
            nonce=self._nonce,
            now_s=self._environment.now_ms() / 1000,
        )
        url = self.config.jwks_uri or ""
        keys = await self._environment.keys(url, self._trusted)
        try:
            payload = id_tokens.verify(token, keys, expected)
        except id_tokens.UnknownKeyError:
            keys = await self._environment.keys(url, self._trusted, again=True)
            payload = id_tokens.verify(token, keys, expected)
        await self._validate(self.config.validate_id_token_payload, payload, user_context)
        return payload

    # -- what they share -------------------------------------------------------------------------------

    @property
    def _checks(self) -> Checks:
        return checks_of(self.config.additional_config)

    @property
    def _trusted(self) -> frozenset[str]:
        """Origins that the application's code names, in its list or in an override."""
        return self._trusted_origins or frozenset()

    async def _get(self, url: str, access_token: str, **headers: str) -> Any:
        from .http import Request  # noqa: PLC0415 - of the extra `thirdparty`, and slow to load

        own: dict[str, str | None] = {"authorization": SecretText(f"Bearer {access_token}"), **headers}
        own |= {name.lower(): value for name, value in (self.config.user_info_endpoint_headers or {}).items()}
        request = Request(
            url=url, headers=_set(own), query=_set(self.config.user_info_endpoint_query_params or {})
        )
        answer = await self._environment.send(request, self._trusted)
        return answer.successful().json()

    async def _ask_for_tokens(
        self, form: Mapping[str, str | None], metadata: Metadata | None
    ) -> dict[str, Any]:
        from .http import Request  # noqa: PLC0415 - see above

        secret, basic = masked(self._client_secret()), None
        sent = SecretDict(_set(form))
        if secret is not None and self._wants_basic_auth(metadata):
            basic = self.config.client_id, secret
            sent.pop("client_id", None)
        elif secret is not None:
            sent.setdefault("client_secret", secret)
        request = Request(url=self._endpoint("token"), form=sent, basic_auth=basic)
        answer = await self._environment.send(request, self._trusted)
        return answer.tokens()

    async def _metadata(self) -> Metadata | None:
        """Return the provider's configuration document, and fill in the endpoints that are not configured."""
        url, config = self.config.oidc_discovery_endpoint, self.config
        if self._trusted_origins is None:  # before the document adds some of its own
            self._trusted_origins = self._listed_origins | (origins_of(config) - self._tenant_origins)
        if url is None:
            return None
        found = await self._environment.metadata(url, self._trusted)
        checks = self._checks
        wanted = checks.expected_issuer or self._expected_issuer(url, found.issuer)
        if checks.issuer and (wanted is None or found.issuer.rstrip("/") != wanted.rstrip("/")):
            raise SignInFailedError(
                "the provider's configuration document names another issuer than its URL; if that is right, "
                "name it in additional_config['issuer']"
            )
        config.authorization_endpoint = config.authorization_endpoint or found.authorization_endpoint
        config.token_endpoint = config.token_endpoint or found.token_endpoint
        config.user_info_endpoint = config.user_info_endpoint or found.user_info_endpoint
        config.jwks_uri = config.jwks_uri or found.jwks_uri
        return found

    def _issuers_of_tokens(self, metadata: Metadata | None, checks: Checks) -> tuple[str, ...] | None:
        if not checks.issuer:
            return None
        issuer = checks.expected_issuer if metadata is None else metadata.issuer
        if issuer is None:
            raise SignInFailedError(
                "it is not configured who issues ID tokens: set oidc_discovery_endpoint or "
                "additional_config['issuer']"
            )
        return issuer, *issuer_aliases(self.type)

    def _parties(self, checks: Checks) -> Iterator[str]:
        """Return who may have asked for our ID tokens: any client of this provider."""
        yield from checks.authorized_parties
        yield from (client.client_id for client in self._given.clients or ())

    def _endpoint(self, kind: str) -> str:
        url = getattr(self.config, f"{kind}_endpoint")
        if url is None:
            raise SignInFailedError(f"{kind}_endpoint is not configured")
        return url

    def _binding(self, redirect_uri: str) -> verifiers.Binding:
        return verifiers.Binding(self.id, self.config.client_id, self.tenant_id, redirect_uri)

    async def _check_verifier(
        self, verifier: str | None, redirect_uri: str, user_context: dict[str, Any]
    ) -> None:
        if verifier is None:
            if self._checks.verifier:
                raise SignInFailedError("the request has no pkceCodeVerifier")
            return
        keys = await self._environment.verifier_keys(user_context)
        now_ms = self._environment.now_ms()
        verifiers.check_verifier(keys, self._binding(redirect_uri), verifier, now_ms=now_ms)

    def _check_redirect_uri(self, uri: str, user_context: dict[str, Any]) -> None:
        website = self._environment.website(user_context)
        check_redirect_uri(uri, website=website, listed=self._environment.redirect_uris)

    def _is_of_a_library(self, info: RedirectUriInfo) -> bool:
        """Return whether a provider's own library, on a phone, got the code: nobody was redirected then."""
        no_redirect = info.redirect_uri_on_provider_dashboard == "" and info.pkce_code_verifier is None
        with self._failing():
            return no_redirect and not self._checks.verifier

    async def _validate(
        self, hook: Callable[..., Any] | None, value: object, user_context: dict[str, Any]
    ) -> None:
        """Have the application look at what came; whatever it raises is a refusal."""
        if hook is None:
            return
        try:
            await call_app(hook, value, self.config, user_context)
        except SignInFailedError:
            raise
        except Exception as error:
            name = getattr(hook, "__name__", "a check of the application")
            raise SignInFailedError(f"{name} refused with {type(error).__name__}") from error

    @contextmanager
    def _failing(self, name: str | None = None) -> Generator[None]:
        """Turn failures into the error of this provider, and log why."""
        try:
            yield
        except SignInFailedError as failure:
            shown = name or self.config.name or self.id
            log.warning("sign-in with %s (tenant %s) failed: %s", self.id, self.tenant_id, failure)
            raise ProviderError(str(failure), provider_name=shown) from failure


def _set(params: Mapping[str, str | None]) -> dict[str, str]:
    """Return the parameters that have a value: None removes one."""
    return {name: value for name, value in params.items() if value is not None}


def url_below(url: str, path: str) -> str:
    """Return a URL with more segments, before its query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{path}", parts.query, ""))


def _with_query(url: str, params: Mapping[str, str | None]) -> str:
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(_set(params))) if part)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))
