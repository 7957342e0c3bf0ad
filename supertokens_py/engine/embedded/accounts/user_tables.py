"""The tables of users, in the layout that official cores 9 to 12 open ("LEGACY", engine: Tables).

They are made where a sign-in recipe is used; a database of sessions alone has none of them.
"""

from __future__ import annotations

from sqlalchemy import CHAR, BigInteger, Boolean, Integer, String, TypeDecorator, false

from ..storage.tables import (
    APPS,
    OPTIONAL_TEXT,
    PUBLIC_ID,
    TENANTS,
    TIME,
    USER_ID,
    ColumnKind,
    Reference,
    TableDefinition,
    optional,
)
from ..tenant_tables import PROVIDER_CLIENTS, PROVIDERS

#: An id that a core makes; the application may know the user by another one.
_INTERNAL_ID = ColumnKind(CHAR(36))
_EMAIL = ColumnKind(String(256))
_RECIPE_ID = ColumnKind(String(128))
_TOKEN = ColumnKind(String(128))
_OPTIONAL_CONTACT = optional(String(256))


class _Digest(TypeDecorator[str]):
    """32 bytes in base64, with or without padding: PostgreSQL fills a shorter text up with blanks."""

    impl = CHAR(44)
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: object) -> str | None:
        return None if value is None else value.rstrip()


_DIGEST = ColumnKind(_Digest())
_THIRD_PARTY_ID, _THIRD_PARTY_USER_ID = ColumnKind(String(28)), ColumnKind(String(256))
_FLAG = ColumnKind(Boolean(), default=false())
#: 0 means "not migrated" to core 12, which made the column; older cores have none.
_ADDED_BY_CORE_12 = ColumnKind(BigInteger(), default="0", may_lack=True)

_OF_PRIMARY = Reference(("app_id", "primary_or_recipe_user_id"), "app_id_to_user_id", ("app_id", "user_id"))
_JOINED, _PRIMARY = "primary_or_recipe_user_time_joined", "-primary_or_recipe_user_id"

USERS = TableDefinition(
    name="app_id_to_user_id",
    columns={
        "app_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "recipe_id": _RECIPE_ID,
        "primary_or_recipe_user_id": _INTERNAL_ID,
        "is_linked_or_is_a_primary_user": _FLAG,
        "time_joined": _ADDED_BY_CORE_12,
        "primary_or_recipe_user_time_joined": _ADDED_BY_CORE_12,
    },
    key=("app_id", "user_id"),
    parent=APPS,
    references=(_OF_PRIMARY,),
    indexes={"app_id_to_user_id_primary_user_id_index": ("primary_or_recipe_user_id", "app_id")},
)
USERS_IN_TENANTS = TableDefinition(
    name="all_auth_recipe_users",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "primary_or_recipe_user_id": _INTERNAL_ID,
        "is_linked_or_is_a_primary_user": _FLAG,
        "recipe_id": _RECIPE_ID,
        "time_joined": TIME,
        "primary_or_recipe_user_time_joined": TIME,
    },
    key=("app_id", "tenant_id", "user_id"),
    parent=TENANTS,
    references=(Reference(USERS.key, USERS.name, USERS.key), _OF_PRIMARY),
    indexes={
        "all_auth_recipe_user_id_app_id_index": ("app_id", "user_id"),
        "all_auth_recipe_users_primary_user_id_index": ("primary_or_recipe_user_id", "app_id"),
        "all_auth_recipe_users_recipe_id_index": ("app_id", "recipe_id", "tenant_id"),
        "all_auth_recipe_users_pagination_index1": ("app_id", "tenant_id", f"-{_JOINED}", _PRIMARY),
        "all_auth_recipe_users_pagination_index2": ("app_id", "tenant_id", _JOINED, _PRIMARY),
        "all_auth_recipe_users_pagination_index3": (
            "recipe_id",
            "app_id",
            "tenant_id",
            f"-{_JOINED}",
            _PRIMARY,
        ),
        "all_auth_recipe_users_pagination_index4": (
            "recipe_id",
            "app_id",
            "tenant_id",
            _JOINED,
            _PRIMARY,
        ),
    },
)
EMAIL_USERS = TableDefinition(
    name="emailpassword_users",
    columns={
        "app_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "email": _EMAIL,
        "password_hash": ColumnKind(String(256)),
        "time_joined": TIME,
    },
    key=("app_id", "user_id"),
    parent=USERS,
    indexes={"emailpassword_users_email_index": ("app_id", "email")},
)
EMAILS_IN_TENANTS = TableDefinition(
    name="emailpassword_user_to_tenant",
    columns={"app_id": PUBLIC_ID, "tenant_id": PUBLIC_ID, "user_id": _INTERNAL_ID, "email": _EMAIL},
    key=("app_id", "tenant_id", "user_id"),
    parent=USERS_IN_TENANTS,
    unique={"email": ("app_id", "tenant_id", "email")},
)
RESET_TOKENS = TableDefinition(
    name="emailpassword_pswd_reset_tokens",
    columns={
        "app_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "token": _TOKEN,
        "email": optional(String(256)),
        "token_expiry": TIME,
    },
    key=("app_id", "user_id", "token"),
    parent=USERS,
    unique={"token": ("token",)},
    indexes={"emailpassword_password_reset_token_expiry_index": ("token_expiry",)},
)
USER_ID_MAPPING = TableDefinition(
    name="userid_mapping",
    columns={
        "app_id": PUBLIC_ID,
        "supertokens_user_id": _INTERNAL_ID,
        "external_user_id": USER_ID,
        "external_user_id_info": OPTIONAL_TEXT,
    },
    key=("app_id", "supertokens_user_id", "external_user_id"),
    references=(Reference(("app_id", "supertokens_user_id"), USERS.name, USERS.key),),
    unique={
        "supertokens_user_id": ("app_id", "supertokens_user_id"),
        "external_user_id": ("app_id", "external_user_id"),
    },
)
VERIFIED_EMAILS = TableDefinition(
    name="emailverification_verified_emails",
    columns={"app_id": PUBLIC_ID, "user_id": USER_ID, "email": _EMAIL},
    key=("app_id", "user_id", "email"),
    parent=APPS,
    indexes={"emailverification_verified_emails_app_id_email_index": ("app_id", "email")},
)
VERIFICATION_TOKENS = TableDefinition(
    name="emailverification_tokens",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "user_id": USER_ID,
        "email": _EMAIL,
        "token": _TOKEN,
        "token_expiry": TIME,
    },
    key=("app_id", "tenant_id", "user_id", "email", "token"),
    parent=TENANTS,
    unique={"token": ("token",)},
    indexes={"emailverification_tokens_index": ("token_expiry",)},
)

PASSWORDLESS_USERS = TableDefinition(
    name="passwordless_users",
    columns={
        "app_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "email": _OPTIONAL_CONTACT,
        "phone_number": _OPTIONAL_CONTACT,
        "time_joined": TIME,
    },
    key=("app_id", "user_id"),
    parent=USERS,
    indexes={
        "passwordless_users_email_index": ("app_id", "email"),
        "passwordless_users_phone_number_index": ("app_id", "phone_number"),
    },
)
PASSWORDLESS_IN_TENANTS = TableDefinition(
    name="passwordless_user_to_tenant",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "email": _OPTIONAL_CONTACT,
        "phone_number": _OPTIONAL_CONTACT,
    },
    key=("app_id", "tenant_id", "user_id"),
    parent=USERS_IN_TENANTS,
    unique={
        "email": ("app_id", "tenant_id", "email"),
        "phone_number": ("app_id", "tenant_id", "phone_number"),
    },
)
THIRD_PARTY_USERS = TableDefinition(
    name="thirdparty_users",
    columns={
        "app_id": PUBLIC_ID,
        "third_party_id": _THIRD_PARTY_ID,
        "third_party_user_id": _THIRD_PARTY_USER_ID,
        "user_id": _INTERNAL_ID,
        "email": _EMAIL,
        "time_joined": TIME,
    },
    key=("app_id", "user_id"),
    parent=USERS,
    indexes={
        "thirdparty_users_email_index": ("app_id", "email"),
        "thirdparty_users_thirdparty_user_id_index": ("app_id", "third_party_id", "third_party_user_id"),
    },
)
THIRD_PARTY_IN_TENANTS = TableDefinition(
    name="thirdparty_user_to_tenant",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "user_id": _INTERNAL_ID,
        "third_party_id": _THIRD_PARTY_ID,
        "third_party_user_id": _THIRD_PARTY_USER_ID,
    },
    key=("app_id", "tenant_id", "user_id"),
    parent=USERS_IN_TENANTS,
    unique={"third_party_user_id": ("app_id", "tenant_id", "third_party_id", "third_party_user_id")},
)
DEVICES = TableDefinition(
    name="passwordless_devices",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "device_id_hash": _DIGEST,
        "email": _OPTIONAL_CONTACT,
        "phone_number": _OPTIONAL_CONTACT,
        "link_code_salt": _DIGEST,
        "failed_attempts": ColumnKind(Integer()),
    },
    key=("app_id", "tenant_id", "device_id_hash"),
    parent=TENANTS,
    indexes={
        "passwordless_devices_email_index": ("app_id", "tenant_id", "email"),
        "passwordless_devices_phone_number_index": ("app_id", "tenant_id", "phone_number"),
    },
)
CODES = TableDefinition(
    name="passwordless_codes",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "code_id": _INTERNAL_ID,
        "device_id_hash": _DIGEST,
        "link_code_hash": _DIGEST,
        "created_at": TIME,
    },
    key=("app_id", "tenant_id", "code_id"),
    parent=DEVICES,
    unique={"link_code_hash": ("app_id", "tenant_id", "link_code_hash")},
    indexes={
        "passwordless_codes_device_id_hash_index": ("app_id", "tenant_id", "device_id_hash"),
        "passwordless_codes_created_at_index": ("app_id", "tenant_id", "created_at"),
    },
)

USER_TABLES: tuple[TableDefinition, ...] = (
    USERS, USERS_IN_TENANTS, EMAIL_USERS, EMAILS_IN_TENANTS, RESET_TOKENS,
    PASSWORDLESS_USERS, PASSWORDLESS_IN_TENANTS, DEVICES, CODES,
    THIRD_PARTY_USERS, THIRD_PARTY_IN_TENANTS, PROVIDERS, PROVIDER_CLIENTS,
    USER_ID_MAPPING, VERIFIED_EMAILS, VERIFICATION_TOKENS,
)  # fmt: skip
