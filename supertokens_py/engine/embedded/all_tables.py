"""Every table of the engine; creating the schema and `supertokens doctor` go through them.

A feature is a module of this package, and adds tables in two steps: a `TableDefinition` beside its
statements, which use `database.tables[DEFINITION]`, and its name below. A table of the official layout has
the official core's names and types, so that both can use one database; a parent says whose deletion takes a
row along. A missing table is made at the next start, and a column may be added to an existing one only if
the definition names it in `added_later`. Tables of a feature that is switched on by a setting are added in
`EmbeddedEngine`, which hands the definitions to its `Database`: nobody else gets them.
"""

from __future__ import annotations

from .keys.key_rows import DYNAMIC_KEYS, STATIC_KEYS
from .metadata import USER_METADATA
from .roles import ROLE_PERMISSIONS, ROLES, USER_ROLES
from .session_state.activity import LAST_ACTIVE
from .session_state.session_rows import SESSIONS
from .storage.tables import APPS, KEY_VALUE, TENANTS, TableDefinition
from .tenant_tables import FIRST_FACTORS, REQUIRED_SECONDARY_FACTORS, TENANT_CONFIGS

ALL_TABLES: tuple[TableDefinition, ...] = (
    APPS, TENANTS, KEY_VALUE,
    TENANT_CONFIGS, FIRST_FACTORS, REQUIRED_SECONDARY_FACTORS,
    SESSIONS,
    DYNAMIC_KEYS, STATIC_KEYS,
    ROLES, ROLE_PERMISSIONS, USER_ROLES,
    USER_METADATA,
    LAST_ACTIVE,
)  # fmt: skip
