"""Providers of tenants, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from supertokens_py.engine.records import Tenant, UnknownTenantError
from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

SECRET = "a secret of the client"
GOOGLE: dict[str, Any] = {
    "thirdPartyId": "google",
    "name": "Google",
    "clients": [
        {
            "clientId": "one",
            "clientSecret": SECRET,
            "clientType": "ios",
            "scope": ["openid", "email"],
            "forcePKCE": True,
            "additionalConfig": {"hd": "example.com"},
        },
        {"clientId": "two", "clientType": "web"},
    ],
    "authorizationEndpoint": "https://accounts.example.com/authorize",
    "authorizationEndpointQueryParams": {"a": "b", "access_type": None},
    "tokenEndpoint": "https://accounts.example.com/token",
    "tokenEndpointBodyParams": {"c": "d"},
    "userInfoEndpoint": "https://accounts.example.com/me",
    "userInfoEndpointQueryParams": {"e": "f"},
    "userInfoEndpointHeaders": {"X-G": "h"},
    "jwksURI": "https://accounts.example.com/keys",
    "oidcDiscoveryEndpoint": "https://accounts.example.com/.well-known/openid-configuration",
    "userInfoMap": {
        "fromIdTokenPayload": {"userId": "sub", "email": "mail.address"},
        "fromUserInfoAPI": {"emailVerified": "mail.verified"},
    },
    "requireEmail": False,
}
GITHUB: dict[str, Any] = {"thirdPartyId": "github", "clients": [{"clientId": "three"}]}


@pytest.fixture
def stored(users_database: TestDatabase) -> TestDatabase:
    """A database with tables of users, which the test may change."""
    return users_database


@pytest.fixture
def core(stored: TestDatabase, start: Opener) -> Driver:
    return start(stored.uri, keeps_users=True)


def providers(core: Driver, tenant_id: str = "public") -> list[Any]:
    tenant = core.tenants.find(tenant_id)
    assert tenant is not None
    return list(tenant.providers)


def test_a_provider_is_kept_as_it_was_given(core: Driver) -> None:
    """Another one of the same id replaces it; the rest of the tenant stays as it is."""
    core.tenants.put("t1", {"first_factors": ["thirdparty"]})
    assert core.tenants.put_provider("t1", GOOGLE)
    assert core.tenants.put_provider("t1", GITHUB)
    assert providers(core, "t1") == [GITHUB, GOOGLE]
    assert [tenant.providers for tenant in core.tenants.all()] == [(), [GITHUB, GOOGLE]]
    assert core.tenants.find("t1") == Tenant(
        tenant_id="t1", first_factors=["thirdparty"], providers=[GITHUB, GOOGLE]
    )
    changed = {"thirdPartyId": "google", "clients": [{"clientId": "four"}]}
    assert not core.tenants.put_provider("t1", changed)
    assert providers(core, "t1") == [GITHUB, changed]
    core.tenants.put("t1", {"first_factors": None})
    assert providers(core, "t1") == [GITHUB, changed]
    assert core.tenants.remove_provider("t1", "google")
    assert not core.tenants.remove_provider("t1", "google")
    assert not core.tenants.remove_provider("t1", "\0")
    assert providers(core, "t1") == [GITHUB]


def test_the_public_tenant_has_providers_too(core: Driver) -> None:
    before = core.tenants.find("public")
    assert core.tenants.put_provider("public", GITHUB)
    after = core.tenants.find("public")
    assert before == Tenant(tenant_id="public")
    assert after == Tenant(tenant_id="public", providers=[GITHUB])


def test_no_secret_is_shown(core: Driver) -> None:
    core.tenants.put_provider("public", GOOGLE)
    assert SECRET not in repr(core.tenants.find("public"))


def test_providers_go_with_their_tenant(core: Driver) -> None:
    core.tenants.put("t1", {})
    core.tenants.put_provider("t1", GOOGLE)
    core.tenants.delete("t1")
    core.tenants.put("t1", {})
    assert providers(core, "t1") == []
    for call in (
        lambda: core.tenants.put_provider("t2", GOOGLE),
        lambda: core.tenants.remove_provider("t2", "google"),
    ):
        with pytest.raises(UnknownTenantError):
            call()


def test_parallel_writes_of_one_provider_leave_one(core: Driver) -> None:
    core.tenants.put("t1", {})

    def put(number: int) -> bool:
        return core.tenants.put_provider("t1", {**GOOGLE, "name": str(number)})

    with ThreadPoolExecutor(8) as threads:
        created = list(threads.map(put, range(8)))
    assert created.count(True) == 1
    assert len(providers(core, "t1")) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"thirdPartyId": ""}, "thirdPartyId"),
        ({"thirdPartyId": "p" * 29}, "28 characters"),
        ({"thirdPartyId": None}, "thirdPartyId"),
        ({"name": "n" * 65}, "name is longer than 64"),
        ({"name": "a\0b"}, "no database stores"),
        ({"clients": [{"clientType": "web"}]}, "clientId"),
        ({"clients": [{"clientId": "c" * 257}]}, "clientId is longer than 256"),
        ({"clients": [{"clientId": "c", "clientType": "t" * 65}]}, "clientType is longer than 64"),
        ({"clients": [{"clientId": "c", "scope": ["s" * 129]}]}, "a scope is longer than 128"),
        ({"clients": [{"clientId": "c"}, {"clientId": "d"}]}, "clientType of its own"),
        ({"userInfoMap": {"fromUserInfoAPI": {"email": "p" * 65}}}, "userInfoMap is longer than 64"),
        ({"clients": [{"clientId": "c", "additionalConfig": {"a": ["\ud800"]}}]}, "character|JSON"),
        ({"requireEmail": "yes"}, "requireEmail"),
        ({"tokenEndpoint": "ftp://example.com"}, "tokenEndpoint must be the URL"),
        ({"jwksURI": "https://[::1"}, "jwksURI must be the URL"),
    ],
)
def test_what_is_no_provider_is_refused(start: Opener, change: dict[str, Any], message: str) -> None:
    core = start("sqlite://", keeps_users=True)
    with pytest.raises(BadInputError, match=message):
        core.tenants.put_provider("public", {**GITHUB, **change})
    assert providers(core) == []


def test_who_checked_it_may_store_what_is_incomplete(core: Driver) -> None:
    odd = {**GITHUB, "tokenEndpoint": "to be filled in"}
    assert core.tenants.put_provider("public", odd, skip_validation=True)
    assert providers(core) == [odd]


def test_rows_are_those_of_the_official_layout(stored: TestDatabase, core: Driver) -> None:
    """A core reads them, so secrets lie there as they are."""
    core.tenants.put_provider("public", GOOGLE)
    core.tenants.put_provider("public", GITHUB)
    key = {"connection_uri_domain": "", "app_id": "public", "tenant_id": "public"}
    prefix = "user_info_map_from_"
    select = "SELECT * FROM tenant_thirdparty_providers ORDER BY third_party_id"
    columns = stored.columns("tenant_thirdparty_providers")
    github, google = (dict(zip(columns, row, strict=True)) for row in stored.query(select))
    assert google == {
        **key,
        "third_party_id": "google",
        "name": "Google",
        "authorization_endpoint": GOOGLE["authorizationEndpoint"],
        "authorization_endpoint_query_params": '{"a": "b", "access_type": null}',
        "token_endpoint": GOOGLE["tokenEndpoint"],
        "token_endpoint_body_params": '{"c": "d"}',
        "user_info_endpoint": GOOGLE["userInfoEndpoint"],
        "user_info_endpoint_query_params": '{"e": "f"}',
        "user_info_endpoint_headers": '{"X-G": "h"}',
        "jwks_uri": GOOGLE["jwksURI"],
        "oidc_discovery_endpoint": GOOGLE["oidcDiscoveryEndpoint"],
        "require_email": False,
        f"{prefix}id_token_payload_user_id": "sub",
        f"{prefix}id_token_payload_email": "mail.address",
        f"{prefix}id_token_payload_email_verified": None,
        f"{prefix}user_info_endpoint_user_id": None,
        f"{prefix}user_info_endpoint_email": None,
        f"{prefix}user_info_endpoint_email_verified": "mail.verified",
    }
    assert {name for name, value in github.items() if value is not None} == {*key, "third_party_id"}
    select = "SELECT * FROM tenant_thirdparty_provider_clients ORDER BY client_id"
    columns = stored.columns("tenant_thirdparty_provider_clients")
    one, three, two = (dict(zip(columns, row, strict=True)) for row in stored.query(select))
    scope = ["openid", "email"] if stored.kind == "postgresql" else '["openid", "email"]'
    assert one == {
        **key,
        "third_party_id": "google",
        "client_type": "ios",
        "client_id": "one",
        "client_secret": SECRET,
        "scope": scope,
        "force_pkce": True,
        "additional_config": '{"hd": "example.com"}',
    }
    assert (two["client_type"], three["client_type"], two["scope"]) == ("web", "", None)
