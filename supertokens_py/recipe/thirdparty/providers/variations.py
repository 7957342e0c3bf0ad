"""Providers that differ from the generic one by more than data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from supertokens_py.recipe.thirdparty.provider import RawUserInfoFromProvider, UserInfoEmail
from supertokens_py.secret import SecretText
from supertokens_py.types.providers import ProviderConfigForClient

from .apple import client_secret
from .built_in import BUILT_IN, Behaviour, type_of
from .documents import Metadata, issuer_of
from .failures import SignInFailedError
from .generic import GenericProvider, url_below
from .user_fields import is_true

_DIRECTORY = re.compile(r"/(\{tenantid\}|[0-9a-fA-F-]{36})(?=/)")


class AppleProvider(GenericProvider):
    """Apple: the client's secret is a JWT that we sign."""

    def _client_secret(self) -> str | None:
        config = self.config
        if config.client_secret is not None:
            return config.client_secret
        own = cast("dict[str, str]", config.additional_config or {})
        return client_secret(config.client_id, own, now_s=self._environment.now_ms() // 1000)


class GithubProvider(GenericProvider):
    """GitHub: addresses are at an endpoint of their own, and access tokens can be looked up."""

    def _prepared(self, config: ProviderConfigForClient) -> ProviderConfigForClient:
        config.validate_access_token = config.validate_access_token or self._look_up
        return config

    async def _ask_for_user(self, access_token: str) -> dict[str, Any]:
        url, kind = self._endpoint("user_info"), "application/vnd.github.v3+json"
        user = await self._get(url, access_token, accept=kind)
        emails = await self._get(url_below(url, "emails"), access_token, accept=kind)
        listed = cast("list[Any]", emails) if isinstance(emails, list) else []
        return {"user": user, "emails": listed, "email": _first(listed, "primary")}

    async def _look_up(
        self, access_token: str, config: ProviderConfigForClient, user_context: dict[str, Any]
    ) -> None:
        """Refuse an access token that was issued to another application."""
        from .http import Request  # noqa: PLC0415 - of the extra `thirdparty`, and slow to load

        if config.client_secret is None:
            raise SignInFailedError("looking up an access token needs the client's secret")
        base = self._endpoint("user_info").removesuffix("/user")
        request = Request(
            url=url_below(base, f"applications/{config.client_id}/token"),
            json={"access_token": access_token},
            basic_auth=(config.client_id, config.client_secret),
            headers={"accept": "application/vnd.github.v3+json"},
        )
        answer = (await self._environment.send(request, self._trusted)).successful().json_object()
        app: Any = answer.get("app")
        if not isinstance(app, dict) or cast("dict[str, Any]", app).get("client_id") != config.client_id:
            raise SignInFailedError("the access token was issued to another application")


class BitbucketProvider(GenericProvider):
    """Bitbucket: addresses are at an endpoint of their own."""

    async def _ask_for_user(self, access_token: str) -> dict[str, Any]:
        url = self._endpoint("user_info")
        user = await self._get(url, access_token)
        emails = await self._get(url_below(url, "emails"), access_token)
        values: Any = cast("dict[str, Any]", emails).get("values") if isinstance(emails, dict) else None
        listed = cast("list[Any]", values) if isinstance(values, list) else []
        return {"user": user, "emails": emails, "email": _first(listed, "is_primary")}


class FacebookProvider(GenericProvider):
    """Facebook: the access token is a parameter."""

    async def _ask_for_user(self, access_token: str) -> dict[str, Any]:
        from .http import Request  # noqa: PLC0415 - see above

        params = {
            **(self.config.user_info_endpoint_query_params or {}),
            "access_token": SecretText(access_token),
        }
        query = {name: value for name, value in params.items() if value is not None}
        request = Request(url=self._endpoint("user_info"), query=query)
        answer = await self._environment.send(request, self._trusted)
        return answer.successful().json_object()


class MicrosoftProvider(GenericProvider):
    """Microsoft Entra: directories share keys and the template of an issuer; users choose their address."""

    def _expected_issuer(self, document_url: str, published: str) -> str | None:
        """Return what was published, where it differs by the name of the directory only."""
        expected = issuer_of(document_url)
        if expected is None or not _DIRECTORY.search(published):
            return expected
        directory = expected.removesuffix("/v2.0").rpartition("/")[2]
        if re.fullmatch("[0-9a-fA-F-]{36}", directory):
            return expected  # it is named by its id
        return published if _DIRECTORY.sub(f"/{directory}", published, count=1) == expected else expected

    def _user_of(self, raw: RawUserInfoFromProvider) -> tuple[str, UserInfoEmail | None]:
        user_id, email = super()._user_of(raw)
        payload = raw.from_id_token_payload or {}
        if email is not None and payload.get("email") == email.id:
            # "The domain of the address is owned and verified by the directory": 1, true or text.
            owned = payload.get("xms_edov")
            email.is_verified = email.is_verified or is_true(owned) or owned in (1, "1")
        return user_id, email


class WorkspacesProvider(GenericProvider):
    """Google Workspace: users of one organisation, or of any (`hd` is "*")."""

    def _check_user(self, raw: RawUserInfoFromProvider) -> None:
        wanted = (self.config.additional_config or {}).get("hd", "*")
        organisation = (raw.from_id_token_payload or {}).get("hd")
        if not organisation or wanted not in ("*", organisation):
            raise SignInFailedError("the user is not of the configured Google Workspace organisation")


class BasicAuthProvider(GenericProvider):
    """X (Twitter): the token endpoint takes the client's secret in a header only."""

    def _wants_basic_auth(self, metadata: Metadata | None) -> bool:
        return True


_KINDS: Mapping[Behaviour, type[GenericProvider]] = {
    "apple": AppleProvider,
    "basic_auth": BasicAuthProvider,
    "bitbucket": BitbucketProvider,
    "facebook": FacebookProvider,
    "github": GithubProvider,
    "microsoft": MicrosoftProvider,
    "workspaces": WorkspacesProvider,
}


def kind_of(third_party_id: str) -> tuple[str, type[GenericProvider]]:
    """Return the built-in id that a provider's id begins with, or itself; and the class for it."""
    name = type_of(third_party_id)
    if name is None:
        return third_party_id, GenericProvider
    behaviour = BUILT_IN[name].behaviour
    return name, GenericProvider if behaviour is None else _KINDS[behaviour]


def _first(entries: list[Any], mark: str) -> dict[str, Any] | None:
    """Return the entry that is marked, such as the primary address."""
    for entry in entries:
        if isinstance(entry, dict) and cast("dict[str, Any]", entry).get(mark) is True:
            return cast("dict[str, Any]", entry)
    return None
