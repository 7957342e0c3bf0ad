"""How a provider of sign-ins is configured: in code, in the database of tenants, and on the wire of a core.

Attributes are Python's; `to_json` and `from_json` know the names that cores, dashboards and frontends use.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from .base import JSONObject

#: What stands for the user at a provider; as wide as the official column.
MAX_THIRD_PARTY_ID = 28
MAX_THIRD_PARTY_USER_ID = 256

#: `(ID token's payload, config, user_context)`; raises where the payload must not sign anybody in.
ValidateIdTokenPayload: TypeAlias = Callable[
    [dict[str, Any], "ProviderConfigForClient", dict[str, Any]], Awaitable[None] | None
]
#: `(access token, config, user_context)`; raises where the token was not issued to this application.
ValidateAccessToken: TypeAlias = Callable[
    [str, "ProviderConfigForClient", dict[str, Any]], Awaitable[None] | None
]
#: `(tenant id, third-party user id, user_context)` to an address for a user without one.
GenerateFakeEmail: TypeAlias = Callable[[str, str, dict[str, Any]], Awaitable[str] | str]


@dataclass
class UserFields:
    """Where a document names the user: dotted paths, such as "data.id". None stands for the usual ones."""

    user_id: str | None = None
    email: str | None = None
    email_verified: str | None = None

    def to_json(self) -> JSONObject:
        return _to_json(self, _USER_FIELDS)

    @classmethod
    def from_json(cls, json: object) -> UserFields:
        """Return the fields of their JSON form. Raises ValueError."""
        return cls(**_from_json(json, _USER_FIELDS, "userInfoMap", _TEXT))


@dataclass
class UserInfoMap:
    """Where the ID token and the answer of the user-info endpoint name the user."""

    from_id_token_payload: UserFields = field(default_factory=UserFields)
    from_user_info_api: UserFields = field(default_factory=UserFields)

    def to_json(self) -> JSONObject:
        return {
            "fromIdTokenPayload": self.from_id_token_payload.to_json(),
            "fromUserInfoAPI": self.from_user_info_api.to_json(),
        }

    @classmethod
    def from_json(cls, json: object) -> UserInfoMap:
        """Return the map of its JSON form. Raises ValueError."""
        given = _object(json, "userInfoMap")
        return cls(
            UserFields.from_json(given.get("fromIdTokenPayload") or {}),
            UserFields.from_json(given.get("fromUserInfoAPI") or {}),
        )


@dataclass
class ProviderClientConfig:
    """An application as it is registered with a provider.

    Args:
        client_id: its public name there.
        client_secret: its password there; None for a public client, and where the provider has it computed.
        client_type: which frontend uses it, such as "web" or "ios", where there are several.
        scope: what to ask for; None: what the provider's built-in configuration has.
        force_pkce: kept for 0.24; proof keys (PKCE) are always used.
        additional_config: what the provider's built-in behaviour needs, and options of its checks.
    """

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    client_type: str | None = None
    scope: list[str] | None = None
    force_pkce: bool | None = None
    additional_config: dict[str, Any] | None = field(default=None, repr=False)  # Apple's private key is in it

    def to_json(self) -> JSONObject:
        return _to_json(self, _CLIENT)

    @classmethod
    def from_json(cls, json: object) -> ProviderClientConfig:
        """Return the client of its JSON form. Raises ValueError."""
        return cls(**_from_json(json, _CLIENT, "a client", _CLIENT_KINDS, required=("client_id",)))


@dataclass
class CommonProviderConfig:
    """What is the same for every client of a provider; None is filled in, or stands for a default.

    Args:
        third_party_id: the provider's id, of 28 characters at most. One that begins with a built-in id, such
            as "google-2", has the built-in behaviour.
        name: as people see it.
        authorization_endpoint_query_params: parameters to add; None as a value removes one.
        oidc_discovery_endpoint: the URL of the OpenID Connect configuration document, from which endpoints
            that are not given are taken.
        require_email: whether users need an address; None means True. If False, `generate_fake_email`
            makes one for those without.
        validate_id_token_payload: raises where the ID token must not sign anybody in.
        validate_access_token: raises where an access token was not issued to this application.
    """

    third_party_id: str
    name: str | None = None
    authorization_endpoint: str | None = None
    authorization_endpoint_query_params: dict[str, str | None] | None = None
    token_endpoint: str | None = None
    token_endpoint_body_params: dict[str, str | None] | None = None
    user_info_endpoint: str | None = None
    user_info_endpoint_query_params: dict[str, str | None] | None = None
    user_info_endpoint_headers: dict[str, str | None] | None = None
    jwks_uri: str | None = None
    oidc_discovery_endpoint: str | None = None
    user_info_map: UserInfoMap | None = None
    require_email: bool | None = None
    validate_id_token_payload: ValidateIdTokenPayload | None = None
    generate_fake_email: GenerateFakeEmail | None = None
    validate_access_token: ValidateAccessToken | None = None

    def to_json(self) -> JSONObject:
        json = _to_json(self, _COMMON)
        if self.user_info_map is not None:
            json["userInfoMap"] = self.user_info_map.to_json()
        return json


@dataclass(init=False)
class ProviderConfig(CommonProviderConfig):
    """A provider, with the clients that the application has there.

    The arguments are those of `CommonProviderConfig`, and `clients`.
    """

    clients: list[ProviderClientConfig] | None = None

    def __init__(
        self,
        third_party_id: str,
        name: str | None = None,
        clients: list[ProviderClientConfig] | None = None,
        authorization_endpoint: str | None = None,
        authorization_endpoint_query_params: dict[str, str | None] | None = None,
        token_endpoint: str | None = None,
        token_endpoint_body_params: dict[str, str | None] | None = None,
        user_info_endpoint: str | None = None,
        user_info_endpoint_query_params: dict[str, str | None] | None = None,
        user_info_endpoint_headers: dict[str, str | None] | None = None,
        jwks_uri: str | None = None,
        oidc_discovery_endpoint: str | None = None,
        user_info_map: UserInfoMap | None = None,
        require_email: bool | None = None,
        validate_id_token_payload: ValidateIdTokenPayload | None = None,
        generate_fake_email: GenerateFakeEmail | None = None,
        validate_access_token: ValidateAccessToken | None = None,
    ) -> None:
        super().__init__(
            third_party_id,
            name,
            authorization_endpoint,
            authorization_endpoint_query_params,
            token_endpoint,
            token_endpoint_body_params,
            user_info_endpoint,
            user_info_endpoint_query_params,
            user_info_endpoint_headers,
            jwks_uri,
            oidc_discovery_endpoint,
            user_info_map,
            require_email,
            validate_id_token_payload,
            generate_fake_email,
            validate_access_token,
        )
        self.clients = clients

    def to_json(self) -> JSONObject:
        """Return what can be stored; functions cannot."""
        return {**super().to_json(), "clients": [client.to_json() for client in self.clients or ()]}

    @classmethod
    def from_json(cls, json: object) -> ProviderConfig:
        """Return the provider of its JSON form; unknown members are passed over.

        Raises:
            ValueError: says which member is of the wrong kind.
        """
        values = _from_json(json, _COMMON, "a provider", _COMMON_KINDS, required=("third_party_id",))
        given = cast("Mapping[str, Any]", json)
        if given.get("userInfoMap") is not None:
            values["user_info_map"] = UserInfoMap.from_json(given["userInfoMap"])
        clients = given.get("clients")
        if clients is None:
            clients = []
        if not isinstance(clients, list):
            raise ValueError("clients must be an array")
        listed = cast("list[object]", clients)
        return cls(**values, clients=[ProviderClientConfig.from_json(client) for client in listed])


@dataclass(init=False)
class ProviderConfigForClient(ProviderClientConfig, CommonProviderConfig):
    """A provider as one of its clients sees it: the provider's configuration and the client's in one."""

    def __init__(self, common: CommonProviderConfig, client: ProviderClientConfig) -> None:
        for given, kind in ((common, CommonProviderConfig), (client, ProviderClientConfig)):
            for each in dataclasses.fields(kind):
                setattr(self, each.name, getattr(given, each.name))

    def to_json(self) -> JSONObject:
        return {**CommonProviderConfig.to_json(self), **ProviderClientConfig.to_json(self)}


_USER_FIELDS = {"user_id": "userId", "email": "email", "email_verified": "emailVerified"}
_CLIENT = {
    "client_id": "clientId",
    "client_secret": "clientSecret",
    "client_type": "clientType",
    "scope": "scope",
    "force_pkce": "forcePKCE",
    "additional_config": "additionalConfig",
}
_COMMON = {
    "third_party_id": "thirdPartyId",
    "name": "name",
    "authorization_endpoint": "authorizationEndpoint",
    "authorization_endpoint_query_params": "authorizationEndpointQueryParams",
    "token_endpoint": "tokenEndpoint",
    "token_endpoint_body_params": "tokenEndpointBodyParams",
    "user_info_endpoint": "userInfoEndpoint",
    "user_info_endpoint_query_params": "userInfoEndpointQueryParams",
    "user_info_endpoint_headers": "userInfoEndpointHeaders",
    "jwks_uri": "jwksURI",
    "oidc_discovery_endpoint": "oidcDiscoveryEndpoint",
    "require_email": "requireEmail",
}
_TEXT: Mapping[str, type[Any]] = {}  # of every member that is not listed otherwise
_CLIENT_KINDS: Mapping[str, type[Any]] = {"scope": list, "force_pkce": bool, "additional_config": dict}
_COMMON_KINDS: Mapping[str, type[Any]] = {
    "authorization_endpoint_query_params": dict,
    "token_endpoint_body_params": dict,
    "user_info_endpoint_query_params": dict,
    "user_info_endpoint_headers": dict,
    "require_email": bool,
}
_KIND_NAMES: Mapping[type[Any], str] = {
    str: "a string",
    bool: "a boolean",
    list: "an array",
    dict: "an object",
}


def _to_json(record: object, names: Mapping[str, str]) -> JSONObject:
    values = {wire: getattr(record, name) for name, wire in names.items()}
    return {name: value for name, value in values.items() if value is not None}


def _from_json(
    json: object,
    names: Mapping[str, str],
    what: str,
    kinds: Mapping[str, type[Any]],
    *,
    required: tuple[str, ...] = (),
) -> dict[str, Any]:
    given = _object(json, what)
    values: dict[str, Any] = {}
    for name, wire in names.items():
        value, kind = given.get(wire), kinds.get(name, str)
        if value is None and name not in required:
            continue
        if not isinstance(value, kind) or (value == "" and name in required):
            raise ValueError(f"{wire} of {what} must be {_KIND_NAMES[kind]}")
        values[name] = value
    if not all(isinstance(scope, str) for scope in values.get("scope", ())):
        raise ValueError(f"scope of {what} must be an array of strings")
    return values


def _object(json: object, what: str) -> Mapping[str, Any]:
    if not isinstance(json, dict):
        raise ValueError(f"{what} must be a JSON object")
    return cast("Mapping[str, Any]", json)
