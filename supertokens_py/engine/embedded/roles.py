"""Roles and permissions, shared by the app's tenants, and their links to users (engine: Roles)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import String, bindparam, delete, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError

from .storage.broken_rules import writing_in
from .storage.database import Database, UnitConflictError
from .storage.dialects import insert_new
from .storage.tables import APPS, PUBLIC_ID, TENANTS, USER_ID, ColumnKind, TableDefinition
from .tenant_tables import find_tenant

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

_NAME = ColumnKind(String(255))
#: Permissions that one statement removes: PostgreSQL takes 65,535 parameters at most.
_AT_ONCE = 1000

ROLES = TableDefinition(
    name="roles", columns={"app_id": PUBLIC_ID, "role": _NAME}, key=("app_id", "role"), parent=APPS
)
ROLE_PERMISSIONS = TableDefinition(
    name="role_permissions",
    columns={"app_id": PUBLIC_ID, "role": _NAME, "permission": _NAME},
    key=("app_id", "role", "permission"),
    parent=ROLES,
    indexes={"role_permissions_permission_index": ("app_id", "permission")},
)
USER_ROLES = TableDefinition(
    name="user_roles",
    columns={"app_id": PUBLIC_ID, "tenant_id": PUBLIC_ID, "user_id": USER_ID, "role": _NAME},
    key=("app_id", "tenant_id", "user_id", "role"),
    parent=TENANTS,
    indexes={
        "user_roles_app_id_role_index": ("app_id", "role"),
        "user_roles_role_index": ("app_id", "tenant_id", "role"),
        "user_roles_app_id_user_id_index": ("app_id", "user_id"),
    },
)


class RoleStore:
    """Roles in the database; every method is one unit of blocking work. None answers an unknown role."""

    def __init__(self, database: Database) -> None:
        self._database = database
        tables, is_sqlite = database.tables, database.location.is_sqlite
        role, permission, link = tables[ROLES], tables[ROLE_PERMISSIONS], tables[USER_ROLES]
        this_role = (role.c.app_id == DEFAULT_APP_ID, role.c.role == bindparam("name"))
        permissions = (permission.c.app_id == DEFAULT_APP_ID, permission.c.role == bindparam("name"))
        links = (link.c.app_id == DEFAULT_APP_ID, link.c.tenant_id == bindparam("tenant"))
        user, linked = link.c.user_id == bindparam("user"), link.c.role == bindparam("name")
        self._insert_role = insert_new(role, is_sqlite=is_sqlite).values(
            app_id=DEFAULT_APP_ID, role=bindparam("name")
        )
        self._select_role = select(role.c.role).where(*this_role)
        # A shared lock: the role may be used by many at once, but cannot be deleted meanwhile.
        self._keep_role = self._select_role.with_for_update(read=True, key_share=True)
        self._lock_role = self._select_role.with_for_update()
        self._delete_role = delete(role).where(*this_role)
        self._all_roles = select(role.c.role).where(role.c.app_id == DEFAULT_APP_ID).order_by(role.c.role)
        self._insert_permission = insert_new(permission, is_sqlite=is_sqlite).values(
            app_id=DEFAULT_APP_ID, role=bindparam("name"), permission=bindparam("permission")
        )
        self._permissions = (
            select(permission.c.permission).where(*permissions).order_by(permission.c.permission)
        )
        self._delete_permissions = delete(permission).where(*permissions)
        self._delete_some_permissions = self._delete_permissions.where(
            permission.c.permission.in_(bindparam("some", expanding=True))
        )
        self._roles_with = (
            select(permission.c.role)
            .where(permission.c.app_id == DEFAULT_APP_ID, permission.c.permission == bindparam("permission"))
            .order_by(permission.c.role)
        )
        self._insert_link = insert_new(link, is_sqlite=is_sqlite).values(
            app_id=DEFAULT_APP_ID,
            tenant_id=bindparam("tenant"),
            user_id=bindparam("user"),
            role=bindparam("name"),
        )
        self._delete_link = delete(link).where(*links, user, linked)
        self._delete_links = delete(link).where(link.c.app_id == DEFAULT_APP_ID, linked)
        self._user_roles = select(link.c.role).where(*links, user).order_by(link.c.role)
        self._role_users = select(link.c.user_id).where(*links, linked).order_by(link.c.user_id)
        self._tenant = find_tenant(tables)

    def add(self, role: str, permissions: Sequence[str]) -> bool:
        """Create a role if absent and add permissions; return whether it was created."""
        name = validation.validate_name("role", role)
        rows = [
            {"name": name, "permission": p} for p in validation.validate_names("permissions", permissions)
        ]

        def unit(connection: Connection) -> bool:
            created = connection.execute(self._insert_role, {"name": name}).rowcount > 0
            if not created and connection.execute(self._keep_role, {"name": name}).first() is None:
                raise UnitConflictError  # deleted in this very moment
            if rows:
                connection.execute(self._insert_permission, rows)
            return created

        return self._database.write(unit)

    def delete(self, role: str) -> bool:
        """Delete a role, its permissions and its links in every tenant."""
        values = {"name": validation.validate_name("role", role)}

        def unit(connection: Connection) -> bool:
            # The role first: whoever is linking it holds it, and we then see that link.
            gone = connection.execute(self._delete_role, values).rowcount
            return gone + connection.execute(self._delete_links, values).rowcount > 0

        return self._database.write(unit)

    def all(self) -> list[str]:
        """Return every role."""
        return self._database.read(lambda c: list(c.execute(self._all_roles).scalars()))

    def permissions(self, role: str) -> list[str] | None:
        """Return what a role permits."""
        values = {"name": validation.validate_name("role", role)}
        return self._database.read(lambda c: self._listed(c, self._permissions, values))

    def remove_permissions(self, role: str, permissions: Sequence[str] | None) -> bool | None:
        """Remove some permissions, or all; return True for a known role."""
        values = {"name": validation.validate_name("role", role)}
        names = None if permissions is None else validation.validate_names("permissions", permissions)

        def unit(connection: Connection) -> bool | None:
            if connection.execute(self._lock_role, values).first() is None:
                return None
            if names is None:
                connection.execute(self._delete_permissions, values)
            for start in range(0, len(names or ()), _AT_ONCE):
                some = (names or [])[start : start + _AT_ONCE]
                connection.execute(self._delete_some_permissions, {**values, "some": some})
            return True

        return self._database.write(unit)

    def with_permission(self, permission: str) -> list[str]:
        """Return the roles that have a permission."""
        values = {"permission": validation.validate_name("permission", permission)}
        return self._database.read(lambda c: list(c.execute(self._roles_with, values).scalars()))

    def assign(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        """Give a role to a user in a tenant; return whether the link was new."""
        return self._changed_link(self._insert_link, user_id, role, tenant_id)

    def unassign(self, user_id: str, role: str, *, tenant_id: str) -> bool | None:
        """Take a role from a user in a tenant; return whether there was a link."""
        return self._changed_link(self._delete_link, user_id, role, tenant_id)

    def of_user(self, user_id: str, *, tenant_id: str) -> list[str]:
        """Return a user's roles in a tenant."""
        values = {"user": user_id, "tenant": validation.normalise_tenant_id(tenant_id)}
        if not validation.is_possible_user_id(user_id):
            return []

        def unit(connection: Connection) -> list[str]:
            found = list(connection.execute(self._user_roles, values).scalars())
            return found or self._in_known_tenant(connection, values["tenant"], found)

        return self._database.read(unit)

    def users(self, role: str, *, tenant_id: str) -> list[str] | None:
        """Return who has a role in a tenant."""
        values = {
            "name": validation.validate_name("role", role),
            "tenant": validation.normalise_tenant_id(tenant_id),
        }

        def unit(connection: Connection) -> list[str] | None:
            found = list(connection.execute(self._role_users, values).scalars())
            if found:
                return found
            self._in_known_tenant(connection, values["tenant"], None)
            known = connection.execute(self._select_role, {"name": values["name"]}).first()
            return None if known is None else []

        return self._database.read(unit)

    def _changed_link(self, statement: Any, user_id: str, role: str, tenant_id: str) -> bool | None:
        values = {
            "user": validation.validate_user_id(user_id),
            "name": validation.validate_name("role", role),
            "tenant": validation.normalise_tenant_id(tenant_id),
        }

        def unit(connection: Connection) -> bool | None:
            self._in_known_tenant(connection, values["tenant"], None)
            if connection.execute(self._keep_role, {"name": values["name"]}).first() is None:
                return None
            with writing_in(values["tenant"], user_id=user_id):
                return connection.execute(statement, values).rowcount > 0

        return self._database.write(unit)

    def _listed(self, connection: Connection, statement: Any, values: dict[str, str]) -> list[str] | None:
        found = list(connection.execute(statement, values).scalars())
        if found or connection.execute(self._select_role, {"name": values["name"]}).first() is not None:
            return found
        return None

    def _in_known_tenant(self, connection: Connection, tenant_id: str, answer: T) -> T:
        if connection.execute(self._tenant, {"tenant": tenant_id}).first() is None:
            raise UnknownTenantError(tenant_id)
        return answer
