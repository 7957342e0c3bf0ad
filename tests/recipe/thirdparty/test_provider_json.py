"""The JSON forms of providers, as cores and databases keep them."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe.thirdparty.provider import (
    ProviderClientConfig,
    ProviderConfig,
    ProviderConfigForClient,
    UserFields,
    UserInfoMap,
)

PROVIDER: dict[str, Any] = {
    "thirdPartyId": "okta-acme",
    "name": "Acme",
    "clients": [
        {
            "clientId": "id",
            "clientSecret": "secret",
            "clientType": "web",
            "scope": ["openid"],
            "forcePKCE": True,
            "additionalConfig": {"oktaDomain": "https://acme.example"},
        },
        {"clientId": "other"},
    ],
    "authorizationEndpoint": "https://acme.example/authorize",
    "authorizationEndpointQueryParams": {"prompt": "login", "nonce": None},
    "tokenEndpoint": "https://acme.example/token",
    "tokenEndpointBodyParams": {"audience": "x"},
    "userInfoEndpoint": "https://acme.example/me",
    "userInfoEndpointQueryParams": {"fields": "id"},
    "userInfoEndpointHeaders": {"X-Kind": "1"},
    "jwksURI": "https://acme.example/jwks",
    "oidcDiscoveryEndpoint": "https://acme.example/.well-known/openid-configuration",
    "userInfoMap": {
        "fromIdTokenPayload": {"userId": "sub"},
        "fromUserInfoAPI": {"userId": "data.id", "email": "data.email", "emailVerified": "data.ok"},
    },
    "requireEmail": False,
}


def test_every_member_survives() -> None:
    assert ProviderConfig.from_json(PROVIDER).to_json() == PROVIDER


def test_what_is_absent_stays_absent() -> None:
    assert ProviderConfig("google").to_json() == {"thirdPartyId": "google", "clients": []}
    assert ProviderConfig.from_json({"thirdPartyId": "google", "later": 1}) == ProviderConfig(
        "google", clients=[]
    )
    null = {"thirdPartyId": "google", "name": None, "clients": None, "userInfoMap": None, "scope": None}
    assert ProviderConfig.from_json(null) == ProviderConfig("google", clients=[])


def test_a_provider_as_one_client_sees_it() -> None:
    config = ProviderConfig.from_json(PROVIDER)
    assert config.clients is not None
    seen = ProviderConfigForClient(config, config.clients[0])
    assert (seen.third_party_id, seen.client_id, seen.require_email) == ("okta-acme", "id", False)
    expected = {**PROVIDER, **PROVIDER["clients"][0]}
    del expected["clients"]
    assert seen.to_json() == expected


def test_empty_fields() -> None:
    assert UserInfoMap.from_json({}) == UserInfoMap(UserFields(), UserFields())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thirdPartyId": None}, "thirdPartyId of a provider must be a string"),
        ({"thirdPartyId": ""}, "thirdPartyId of a provider must be a string"),
        ({"name": 1}, "name of a provider must be a string"),
        ({"requireEmail": "no"}, "requireEmail of a provider must be a boolean"),
        ({"tokenEndpointBodyParams": []}, "tokenEndpointBodyParams of a provider must be an object"),
        ({"userInfoMap": 1}, "userInfoMap must be a JSON object"),
        ({"clients": {}}, "clients must be an array"),
        ({"clients": ["id"]}, "a client must be a JSON object"),
        ({"clients": [{}]}, "clientId of a client must be a string"),
        ({"clients": [{"clientId": "a", "scope": [1]}]}, "scope of a client must be an array of strings"),
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        ProviderConfig.from_json({**PROVIDER, **change})


def test_secrets_do_not_appear_in_the_repr() -> None:
    client = ProviderClientConfig("id", "client-secret", additional_config={"privateKey": "private-key"})
    config = ProviderConfig("apple", clients=[client])
    for shown in (repr(client), repr(config), repr(ProviderConfigForClient(config, client))):
        assert "secret" not in shown.replace("client_secret", "")
        assert "private-key" not in shown
