"""What an official core of version 12 runs on its tables of users when it starts, from its layout alone."""

from __future__ import annotations

from collections.abc import Iterator

_APP = "app_id VARCHAR(64) DEFAULT 'public'"
_TENANT = f"{_APP}, tenant_id VARCHAR(64) DEFAULT 'public'"
_PROVIDER = f"connection_uri_domain VARCHAR(256) DEFAULT '', {_TENANT}, third_party_id VARCHAR(28) NOT NULL"
_TIMES = "time_joined BIGINT NOT NULL"
_USER = "user_id CHAR(36) NOT NULL"
_PRIMARY = (
    "primary_or_recipe_user_id CHAR(36) NOT NULL, "
    "is_linked_or_is_a_primary_user BOOLEAN NOT NULL DEFAULT FALSE"
)
_CONTACTS = "email VARCHAR(256), phone_number VARCHAR(256)"
_TOKEN = "token VARCHAR(128) NOT NULL, token_expiry BIGINT NOT NULL"
_USERS = ("user_id", "app_id, user_id", "app_id_to_user_id (app_id, user_id)")
_LISTED = ("user_id", "app_id, tenant_id, user_id", "all_auth_recipe_users (app_id, tenant_id, user_id)")
_OF_APP = ("app_id", "app_id", "apps (app_id)")
_OF_TENANT = ("tenant_id", "app_id, tenant_id", "tenants (app_id, tenant_id)")
_OF_PRIMARY = (
    "primary_or_recipe_user_id",
    "app_id, primary_or_recipe_user_id",
    "app_id_to_user_id (app_id, user_id)",
)
_ENDPOINTS = (
    "authorization_endpoint", "authorization_endpoint_query_params", "token_endpoint",
    "token_endpoint_body_params", "user_info_endpoint", "user_info_endpoint_query_params",
    "user_info_endpoint_headers", "jwks_uri", "oidc_discovery_endpoint",
)  # fmt: skip
_MAPS = [
    f"user_info_map_from_{source}_{name} VARCHAR(64)"
    for source in ("id_token_payload", "user_info_endpoint")
    for name in ("user_id", "email", "email_verified")
]

#: Columns, primary key, unique columns by the last word of their name, and foreign keys, by table.
TABLES: dict[str, tuple[str, str, dict[str, str], list[tuple[str, str, str]]]] = {
    "app_id_to_user_id": (
        f"app_id VARCHAR(64) NOT NULL DEFAULT 'public', {_USER}, recipe_id VARCHAR(128) NOT NULL, "
        f"{_PRIMARY}, "
        "time_joined BIGINT NOT NULL DEFAULT 0, primary_or_recipe_user_time_joined BIGINT NOT NULL DEFAULT 0",
        "app_id, user_id", {}, [_OF_PRIMARY, _OF_APP],
    ),
    "all_auth_recipe_users": (
        f"{_TENANT}, {_USER}, {_PRIMARY}, recipe_id VARCHAR(128) NOT NULL, {_TIMES}, "
        "primary_or_recipe_user_time_joined BIGINT NOT NULL",
        "app_id, tenant_id, user_id", {}, [_OF_TENANT, _OF_PRIMARY, _USERS],
    ),
    "emailpassword_users": (
        f"{_APP}, {_USER}, email VARCHAR(256) NOT NULL, password_hash VARCHAR(256) NOT NULL, {_TIMES}",
        "app_id, user_id", {}, [_USERS],
    ),
    "emailpassword_user_to_tenant": (
        f"{_TENANT}, {_USER}, email VARCHAR(256) NOT NULL",
        "app_id, tenant_id, user_id", {"email": "app_id, tenant_id, email"}, [_LISTED],
    ),
    "emailpassword_pswd_reset_tokens": (
        f"{_APP}, {_USER}, email VARCHAR(256), {_TOKEN}",
        "app_id, user_id, token", {"token": "token"}, [_USERS],
    ),
    "emailverification_verified_emails": (
        f"{_APP}, user_id VARCHAR(128) NOT NULL, email VARCHAR(256) NOT NULL",
        "app_id, user_id, email", {}, [_OF_APP],
    ),
    "emailverification_tokens": (
        f"{_TENANT}, user_id VARCHAR(128) NOT NULL, email VARCHAR(256) NOT NULL, {_TOKEN}",
        "app_id, tenant_id, user_id, email, token", {"token": "token"}, [_OF_TENANT],
    ),
    "passwordless_users": (f"{_APP}, {_USER}, {_CONTACTS}, {_TIMES}", "app_id, user_id", {}, [_USERS]),
    "passwordless_user_to_tenant": (
        f"{_TENANT}, {_USER}, {_CONTACTS}",
        "app_id, tenant_id, user_id",
        {"email": "app_id, tenant_id, email", "phone_number": "app_id, tenant_id, phone_number"},
        [_LISTED],
    ),
    "passwordless_devices": (
        f"{_TENANT}, device_id_hash CHAR(44) NOT NULL, {_CONTACTS}, link_code_salt CHAR(44) NOT NULL, "
        "failed_attempts INT NOT NULL",
        "app_id, tenant_id, device_id_hash", {}, [_OF_TENANT],
    ),
    "passwordless_codes": (
        f"{_TENANT}, code_id CHAR(36) NOT NULL, device_id_hash CHAR(44) NOT NULL, "
        "link_code_hash CHAR(44) NOT NULL, created_at BIGINT NOT NULL",
        "app_id, tenant_id, code_id", {"link_code_hash": "app_id, tenant_id, link_code_hash"},
        [(
            "device_id_hash", "app_id, tenant_id, device_id_hash",
            "passwordless_devices (app_id, tenant_id, device_id_hash)",
        )],
    ),
    "thirdparty_users": (
        f"{_APP}, third_party_id VARCHAR(28) NOT NULL, third_party_user_id VARCHAR(256) NOT NULL, {_USER}, "
        f"email VARCHAR(256) NOT NULL, {_TIMES}",
        "app_id, user_id", {}, [_USERS],
    ),
    "thirdparty_user_to_tenant": (
        f"{_TENANT}, {_USER}, third_party_id VARCHAR(28) NOT NULL, third_party_user_id VARCHAR(256) NOT NULL",
        "app_id, tenant_id, user_id",
        {"third_party_user_id": "app_id, tenant_id, third_party_id, third_party_user_id"}, [_LISTED],
    ),
    "userid_mapping": (
        f"{_APP}, supertokens_user_id CHAR(36) NOT NULL, external_user_id VARCHAR(128) NOT NULL, "
        "external_user_id_info TEXT",
        "app_id, supertokens_user_id, external_user_id",
        {
            "supertokens_user_id": "app_id, supertokens_user_id",
            "external_user_id": "app_id, external_user_id",
        },
        [("supertokens_user_id", "app_id, supertokens_user_id", "app_id_to_user_id (app_id, user_id)")],
    ),
    "tenant_thirdparty_providers": (
        f"{_PROVIDER}, name VARCHAR(64), {', '.join(f'{one} TEXT' for one in _ENDPOINTS)}, "
        f"require_email BOOLEAN, {', '.join(_MAPS)}",
        "connection_uri_domain, app_id, tenant_id, third_party_id", {},
        [(
            "tenant_id", "connection_uri_domain, app_id, tenant_id",
            "tenant_configs (connection_uri_domain, app_id, tenant_id)",
        )],
    ),
    "tenant_thirdparty_provider_clients": (
        f"{_PROVIDER}, client_type VARCHAR(64) NOT NULL DEFAULT '', client_id VARCHAR(256) NOT NULL, "
        "client_secret TEXT, scope VARCHAR(128)[], force_pkce BOOLEAN, additional_config TEXT",
        "connection_uri_domain, app_id, tenant_id, third_party_id, client_type", {},
        [(
            "third_party_id", "connection_uri_domain, app_id, tenant_id, third_party_id",
            "tenant_thirdparty_providers (connection_uri_domain, app_id, tenant_id, third_party_id)",
        )],
    ),
}  # fmt: skip

_BY_TIME = ("primary_or_recipe_user_time_joined {order}", "primary_or_recipe_user_id DESC")


def _pages(table: str, scope: str) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for number, (first, order) in enumerate(
        [("", "DESC"), ("", "ASC"), ("recipe_id, ", "DESC"), ("recipe_id, ", "ASC")], start=1
    ):
        columns = ", ".join(_BY_TIME).format(order=order)
        found[f"{table}_pagination_index{number}"] = (table, f"{first}{scope}, {columns}")
    return found


#: Table and columns by the name of an index.
INDEXES: dict[str, tuple[str, str]] = {
    **_pages("app_id_to_user_id", "app_id"),
    **_pages("all_auth_recipe_users", "app_id, tenant_id"),
    "app_id_to_user_id_app_id_index": ("app_id_to_user_id", "app_id"),
    "app_id_to_user_id_primary_user_id_index": ("app_id_to_user_id", "primary_or_recipe_user_id, app_id"),
    "app_id_to_user_id_user_id_index": ("app_id_to_user_id", "user_id, app_id"),
    "all_auth_recipe_user_id_index": ("all_auth_recipe_users", "user_id"),
    "all_auth_recipe_user_id_app_id_index": ("all_auth_recipe_users", "app_id, user_id"),
    "all_auth_recipe_user_app_id_index": ("all_auth_recipe_users", "app_id"),
    "all_auth_recipe_tenant_id_index": ("all_auth_recipe_users", "app_id, tenant_id"),
    "all_auth_recipe_users_primary_user_id_index": (
        "all_auth_recipe_users", "primary_or_recipe_user_id, app_id",
    ),
    "all_auth_recipe_users_recipe_id_index": ("all_auth_recipe_users", "app_id, recipe_id, tenant_id"),
    "emailpassword_users_email_index": ("emailpassword_users", "app_id, email"),
    "emailpassword_user_to_tenant_email_index": ("emailpassword_user_to_tenant", "app_id, tenant_id, email"),
    "emailpassword_pswd_reset_tokens_user_id_index": ("emailpassword_pswd_reset_tokens", "app_id, user_id"),
    "emailpassword_password_reset_token_expiry_index": ("emailpassword_pswd_reset_tokens", "token_expiry"),
    "emailverification_verified_emails_app_id_index": ("emailverification_verified_emails", "app_id"),
    "emailverification_verified_emails_app_id_email_index": (
        "emailverification_verified_emails", "app_id, email",
    ),
    "emailverification_tokens_tenant_id_index": ("emailverification_tokens", "app_id, tenant_id"),
    "emailverification_tokens_index": ("emailverification_tokens", "token_expiry"),
    "passwordless_users_email_index": ("passwordless_users", "app_id, email"),
    "passwordless_users_phone_number_index": ("passwordless_users", "app_id, phone_number"),
    "passwordless_devices_tenant_id_index": ("passwordless_devices", "app_id, tenant_id"),
    "passwordless_devices_email_index": ("passwordless_devices", "app_id, tenant_id, email"),
    "passwordless_devices_phone_number_index": ("passwordless_devices", "app_id, tenant_id, phone_number"),
    "passwordless_codes_device_id_hash_index": ("passwordless_codes", "app_id, tenant_id, device_id_hash"),
    "passwordless_codes_created_at_index": ("passwordless_codes", "app_id, tenant_id, created_at"),
    "thirdparty_users_email_index": ("thirdparty_users", "app_id, email"),
    "thirdparty_users_thirdparty_user_id_index": (
        "thirdparty_users", "app_id, third_party_id, third_party_user_id",
    ),
    "userid_mapping_supertokens_user_id_index": ("userid_mapping", "app_id, supertokens_user_id"),
    "tenant_thirdparty_providers_tenant_id_index": (
        "tenant_thirdparty_providers", "connection_uri_domain, app_id, tenant_id",
    ),
    "tenant_thirdparty_provider_clients_third_party_id_index": (
        "tenant_thirdparty_provider_clients", "connection_uri_domain, app_id, tenant_id, third_party_id",
    ),
}  # fmt: skip


def statements_at_start() -> Iterator[str]:
    """Yield what makes the tables and indexes that are missing."""
    for table, (columns, key, unique, references) in TABLES.items():
        constraints = [f"CONSTRAINT {table}_pkey PRIMARY KEY ({key})"]
        constraints += [f"CONSTRAINT {table}_{word}_key UNIQUE ({on})" for word, on in unique.items()]
        constraints += [
            f"CONSTRAINT {table}_{word}_fkey FOREIGN KEY ({own}) REFERENCES {target} ON DELETE CASCADE"
            for word, own, target in references
        ]
        yield f"CREATE TABLE IF NOT EXISTS {table} ({columns}, {', '.join(constraints)})"
    for index, (table, columns) in INDEXES.items():
        yield f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({columns})"
