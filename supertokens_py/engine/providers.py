"""Validate providers of tenants, and who somebody is at one; the rules of `engine.validation` hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast
from urllib.parse import urlsplit

from supertokens_py import payloads
from supertokens_py.exceptions import BadInputError
from supertokens_py.types.base import JSONObject
from supertokens_py.types.providers import (
    MAX_THIRD_PARTY_ID,
    MAX_THIRD_PARTY_USER_ID,
    ProviderClientConfig,
    ProviderConfig,
    UserInfoMap,
)

from .validation import is_storable

_URLS = ("authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "jwksURI", "oidcDiscoveryEndpoint")
_MAX_NAME = 64
_MAX_CLIENT_ID = 256
_MAX_SCOPE = 128


def validate_third_party(third_party_id: object, third_party_user_id: object) -> tuple[str, str]:
    """Return who somebody is at a provider, as it is stored: character by character as it was given.

    Raises:
        BadInputError: an id is empty, too long, or no text that a database takes.
    """
    return (
        _validate_id("thirdPartyId", third_party_id, MAX_THIRD_PARTY_ID),
        _validate_id("thirdPartyUserId", third_party_user_id, MAX_THIRD_PARTY_USER_ID),
    )


def validate_provider(config: JSONObject, *, complete: bool = True) -> ProviderConfig:
    """Return a provider of its JSON form.

    Args:
        complete: whether it has to be usable by itself as far as that can be seen: endpoints are URLs.

    Raises:
        BadInputError: it is malformed, or too large for the official tables.
    """
    payloads.validate_json("config", config)
    try:
        provider = ProviderConfig.from_json(config)
    except ValueError as error:
        raise BadInputError(f"Invalid provider config: {error}") from None
    _validate_id("thirdPartyId", provider.third_party_id, MAX_THIRD_PARTY_ID)
    for what, text, longest in _texts(provider):
        if len(text) > longest:
            raise BadInputError(f"Invalid provider config: {what} is longer than {longest} characters")
    if not all(is_storable(text) for text in _strings(config)):
        raise BadInputError("Invalid provider config: it holds a character that no database stores")
    types = [client.client_type or "" for client in provider.clients or ()]
    if len(set(types)) < len(types):
        raise BadInputError("Invalid provider config: every client needs a clientType of its own")
    if complete:
        _validate_urls(provider)
    return provider


def _texts(provider: ProviderConfig) -> Iterator[tuple[str, str, int]]:
    """Yield the texts of limited length, with what they are and the limit."""
    yield "name", provider.name or "", _MAX_NAME
    for client in provider.clients or ():
        yield from _texts_of_client(client)
    maps = provider.user_info_map or UserInfoMap()
    for document in (maps.from_id_token_payload, maps.from_user_info_api):
        for path in document.to_json().values():
            yield "a path of userInfoMap", str(path), _MAX_NAME


def _texts_of_client(client: ProviderClientConfig) -> Iterator[tuple[str, str, int]]:
    yield "clientId", client.client_id, _MAX_CLIENT_ID
    yield "clientType", client.client_type or "", _MAX_NAME
    for scope in client.scope or ():
        yield "a scope", scope, _MAX_SCOPE


def _validate_urls(provider: ProviderConfig) -> None:
    given = provider.to_json()
    for name in _URLS:
        if name in given and not _is_url(given[name]):
            raise BadInputError(f"Invalid provider config: {name} must be the URL of a web server")


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for pair in cast("dict[str, object]", value).items():
            yield from (text for part in pair for text in _strings(part))
    elif isinstance(value, list):
        yield from (text for part in cast("list[object]", value) for text in _strings(part))


def _validate_id(what: str, text: object, longest: int) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > longest or not is_storable(text):
        raise BadInputError(f"{what} must be a string of 1 to {longest} characters")
    return text
