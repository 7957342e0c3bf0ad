"""Tenants of the app and their configuration (engine: Tenants)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from supertokens_py import payloads
from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine import validation
from supertokens_py.engine.arguments import require_strings
from supertokens_py.engine.config import EngineConfig, ResolvedEngineConfig
from supertokens_py.engine.providers import validate_provider
from supertokens_py.engine.records import Tenant, UnknownTenantError
from supertokens_py.engine.session_records import Ending, SessionKey
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.settings import settings_of
from supertokens_py.types.base import JSONObject

from .provider_rows import ProviderRows
from .session_state.session_changes import SessionChanges
from .session_state.session_rows import SESSIONS, key_columns
from .storage.database import Database, UnitConflictError
from .storage.dialects import insert_new
from .storage.tables import TENANTS
from .tenant_tables import FIRST_FACTORS, REQUIRED_SECONDARY_FACTORS, TENANT_CONFIGS, TenantRows, find_tenant

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: What may differ between the tenants of one app; everything else belongs to the app or the process.
_NUMBERS = frozenset(
    (
        "password_reset_token_lifetime",
        "email_verification_token_lifetime",
        "passwordless_code_lifetime",
        "passwordless_max_code_input_attempts",
    )
)
_SETTINGS = settings_of(EngineConfig)  #: of a process, which have the same bounds
_PATTERNS = frozenset(("ip_allow_regex", "ip_deny_regex"))

_REMOVED = Ending(reason="tenant_removed")

_NO_PROVIDERS = (
    "this app keeps no providers of tenants: list a sign-in recipe, such as thirdparty.init(), in recipe_list"
)


class TenantStore:
    """Tenants in the database; every method is one unit of blocking work.

    Args:
        keeps_providers: whether there are tables of providers, which sign-in recipes bring along.
        changes: records the end of a deleted tenant's sessions.
    """

    def __init__(
        self,
        database: Database,
        settings: ResolvedEngineConfig,
        *,
        keeps_providers: bool = False,
        changes: SessionChanges | None = None,
    ) -> None:
        self._changes = changes or SessionChanges()
        self._database = database
        self._settings = settings
        tables = database.tables
        tenant, config = tables[TENANTS], tables[TENANT_CONFIGS]
        one = (tenant.c.app_id == DEFAULT_APP_ID, tenant.c.tenant_id == bindparam("tenant"))
        self._insert = insert_new(tenant, is_sqlite=database.location.is_sqlite).values(
            app_id=DEFAULT_APP_ID, tenant_id=bindparam("tenant"), created_at_time=bindparam("now")
        )
        self._select_one = find_tenant(tables)
        self._lock = self._select_one.with_for_update()
        self._select = select(tenant.c.tenant_id).where(tenant.c.app_id == DEFAULT_APP_ID)
        self._delete = delete(tenant).where(*one)
        sessions = tables[SESSIONS]
        self._delete_sessions = (
            delete(sessions)
            .where(sessions.c.app_id == DEFAULT_APP_ID, sessions.c.tenant_id == bindparam("tenant"))
            .returning(*key_columns(sessions))
        )
        own = (
            config.c.connection_uri_domain == "",
            config.c.app_id == DEFAULT_APP_ID,
            config.c.tenant_id == bindparam("tenant"),
        )
        self._configs = TenantRows(config)
        has_config = select(config.c.tenant_id).where(*own).exists()
        #: Each request of a sign-in asks, and most tenants have no settings.
        self._find = self._select_one.add_columns(has_config.label("has_config"))
        self._insert_config = insert(config).values(connection_uri_domain="", app_id=DEFAULT_APP_ID)
        self._update_config = update(config).where(*own)
        self._delete_config = delete(config).where(*own)
        self._factors = {
            "first_factors": tables[FIRST_FACTORS],
            "required_secondary_factors": tables[REQUIRED_SECONDARY_FACTORS],
        }
        self._factor_rows = {
            name: TenantRows(table, [table.c.factor_id]) for name, table in self._factors.items()
        }
        self._providers = ProviderRows(tables) if keeps_providers else None

    def put(self, tenant_id: str, changes: JSONObject) -> bool:
        """Create a tenant or change the given fields; return whether it was created."""
        tenant_id = validation.validate_tenant_id(tenant_id)
        checked = validation.validate_tenant_changes(changes)
        _check_config(tenant_id, checked.get("core_config", {}))

        def unit(connection: Connection) -> bool:
            values = {"tenant": tenant_id, "now": self._settings.now_ms()}
            created = connection.execute(self._insert, values).rowcount > 0
            if connection.execute(self._lock, {"tenant": tenant_id}).first() is None:
                raise UnitConflictError  # deleted in this very moment: it is a new one
            known = self._read(connection, tenant_id)
            before = Tenant(tenant_id=tenant_id, first_factors=() if created else None)
            after = _changed(known or before, checked)
            self._write(connection, after, is_new=known is None)
            return created

        return self._database.write(unit)

    def delete(self, tenant_id: str) -> bool:
        """Delete a tenant with its sessions and role links; return whether it existed."""
        values = {"tenant": validation.validate_deletable_tenant_id(tenant_id)}

        def unit(connection: Connection) -> tuple[bool, list[SessionKey]]:
            ended: list[SessionKey] = []
            # Waits for who is writing settings, which no foreign key deletes, and for sessions that are being
            # made: they would go with the row and be recorded nowhere.
            connection.execute(self._lock, values)
            if self._changes.are_recorded:  # else they silently go with the tenant's row
                ended = self._changes.end(connection, self._delete_sessions, values, _REMOVED)
            configs = connection.execute(self._delete_config, values).rowcount
            return connection.execute(self._delete, values).rowcount + configs > 0, ended

        existed, ended = self._database.write(unit)
        self._changes.settle(ended, _REMOVED, is_revocation=False)
        return existed

    def find(self, tenant_id: str) -> Tenant | None:
        """Return a tenant."""
        wanted = validation.normalise_tenant_id(tenant_id)

        def unit(connection: Connection) -> Tenant | None:
            row = connection.execute(self._find, {"tenant": wanted}).first()
            if row is None:
                return None
            return (self._read(connection, wanted) if row.has_config else None) or Tenant(tenant_id=wanted)

        # Anybody may ask about a tenant, so an unknown one costs one row, however many there are.
        return self._database.read(unit)

    def all(self) -> list[Tenant]:
        """Return every tenant, the public one first."""

        def unit(connection: Connection) -> list[Tenant]:
            ids = sorted(
                connection.execute(self._select).scalars(), key=lambda id_: (id_ != DEFAULT_TENANT_ID, id_)
            )
            configured = self._read_all(connection)
            return [configured.get(id_, Tenant(tenant_id=id_)) for id_ in ids]

        return self._database.read(unit)

    def put_provider(self, tenant_id: str, config: JSONObject, *, skip_validation: bool = False) -> bool:
        """Create or replace a provider of a tenant; return whether it was created.

        Raises:
            BadInputError: it is malformed, or too large for the official tables.
            UnknownTenantError: there is no such tenant.
            ConfigError: the engine was made for sessions alone.
        """
        tenant = validation.normalise_tenant_id(tenant_id)
        rows, checked = self._kept_providers(), validate_provider(config, complete=not skip_validation)

        def unit(connection: Connection) -> bool:
            self._lock_existing(connection, tenant)
            if self._read(connection, tenant) is None:  # providers go with this row
                self._write(connection, Tenant(tenant_id=tenant), is_new=True)
            return rows.put(connection, tenant, checked)

        return self._database.write(unit)

    def remove_provider(self, tenant_id: str, third_party_id: str) -> bool:
        """Remove a provider from a tenant; False if the tenant did not have it.

        Raises:
            UnknownTenantError: there is no such tenant.
            ConfigError: the engine was made for sessions alone.
        """
        require_strings(third_party_id=third_party_id)
        tenant, rows = validation.normalise_tenant_id(tenant_id), self._kept_providers()

        def unit(connection: Connection) -> bool:
            self._lock_existing(connection, tenant)
            return validation.is_storable(third_party_id) and rows.remove(connection, tenant, third_party_id)

        return self._database.write(unit)

    def _kept_providers(self) -> ProviderRows:
        if self._providers is None:
            raise ConfigError(_NO_PROVIDERS)
        return self._providers

    def _lock_existing(self, connection: Connection, tenant_id: str) -> None:
        if connection.execute(self._lock, {"tenant": tenant_id}).first() is None:
            raise UnknownTenantError(tenant_id)

    def _read(self, connection: Connection, tenant_id: str) -> Tenant | None:
        return self._read_all(connection, tenant_id).get(tenant_id)

    def _read_all(self, connection: Connection, only: str | None = None) -> dict[str, Tenant]:
        factors = {name: self._read_factors(connection, name, only) for name in self._factor_rows}
        providers = {} if self._providers is None else self._providers.read(connection, only)
        found: dict[str, Tenant] = {}
        for row in self._configs.read(connection, only):
            own = factors["first_factors"].get(row.tenant_id, [])
            switches = {name: getattr(row, name) is not False for name in validation.TENANT_SWITCHES}
            found[row.tenant_id] = Tenant(
                tenant_id=row.tenant_id,
                core_config=json.loads(row.core_config) if row.core_config else {},
                first_factors=None if row.is_first_factors_null is not False and not own else own,
                required_secondary_factors=factors["required_secondary_factors"].get(row.tenant_id),
                providers=providers.get(row.tenant_id, ()),
                **switches,
            )
        return found

    def _read_factors(self, connection: Connection, name: str, only: str | None) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self._factor_rows[name].read(connection, only):
            found.setdefault(row.tenant_id, []).append(row.factor_id)
        return found

    def _write(self, connection: Connection, tenant: Tenant, *, is_new: bool) -> None:
        values: dict[str, Any] = {
            "core_config": json.dumps(tenant.core_config),
            "is_first_factors_null": tenant.first_factors is None,
            **{name: getattr(tenant, name) for name in validation.TENANT_SWITCHES},
        }
        if is_new:
            connection.execute(self._insert_config, values | {"tenant_id": tenant.tenant_id})
        else:
            connection.execute(self._update_config.values(**values), {"tenant": tenant.tenant_id})
        for name, table in self._factors.items():
            own = {"connection_uri_domain": "", "app_id": DEFAULT_APP_ID, "tenant_id": tenant.tenant_id}
            connection.execute(delete(table).where(*(table.c[key] == value for key, value in own.items())))
            rows = [own | {"factor_id": factor} for factor in getattr(tenant, name) or ()]
            if rows:
                connection.execute(insert(table), rows)


def _check_config(tenant_id: str, config: Mapping[str, Any]) -> None:
    for name, setting in config.items():
        if setting is None:
            continue
        if tenant_id == DEFAULT_TENANT_ID:
            raise BadInputError("Invalid core config: Cannot modify base config")
        if name in _PATTERNS:
            if not _is_pattern(setting):
                raise BadInputError(f"Invalid core config: '{name}' must be a regular expression")
        elif name in _NUMBERS:
            low, high = int(_SETTINGS[name].low), int(_SETTINGS[name].high)
            if type(setting) is not int or not low <= setting <= high:
                must = f"must be a whole number from {low} to {high}"
                raise BadInputError(f"Invalid core config: '{name}' {must}")
        else:
            raise BadInputError(f"Invalid core config: {name} is not a setting of a tenant")


def _is_pattern(setting: object) -> bool:
    try:
        return isinstance(setting, str) and bool(validation.compiled_pattern(setting))
    except ValueError:
        return False


def _changed(tenant: Tenant, changes: JSONObject) -> Tenant:
    if "core_config" in changes:
        changes = {**changes, "core_config": payloads.merge(tenant.core_config, changes["core_config"])}
    return replace(tenant, **changes)
