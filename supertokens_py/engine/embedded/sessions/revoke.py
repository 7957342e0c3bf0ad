"""Revoking sessions, by handle or by user (engine: Create, Expiry)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.session_records import BY_APPLICATION, Ending, SessionKey

from ..accounts.user_ids import lock_sessions
from ..session_state.acting import ActingSessions
from ..session_state.session_rows import SessionStatements, by_tenant
from .refresh import Refresher

if TYPE_CHECKING:
    from sqlalchemy import Connection


T = TypeVar("T")


class Revoker(Refresher):
    """Revokes sessions; `SessionStore` adds what else can be done with them."""

    def use_tables(self) -> None:
        super().use_tables()
        self._sql = SessionStatements(self._database.tables)
        self._acting = ActingSessions(self._database, self._changes)

    def revoke(self, handles: Sequence[str], *, ending: Ending = BY_APPLICATION) -> list[str]:
        """Delete sessions; return the handles that existed."""
        wanted = validation.possible_handles(handles)
        batches = by_tenant(wanted)
        if not batches:
            return []

        def unit(connection: Connection) -> dict[str, SessionKey]:
            return {
                one.handle: one
                for tenant_id, batch in batches
                for one in self._changes.end(
                    connection, self._sql.revoke, {"tenant": tenant_id, "handles": batch}, ending
                )
            }

        several = len(batches) > 1 or self._changes.are_recorded
        gone = (self._database.write if several else self._database.single)(unit)
        revoked = [gone[handle] for handle in wanted if handle in gone]
        self._changes.settle(revoked, ending)
        return [one.handle for one in revoked]

    def revoke_user(
        self,
        user_id: str,
        *,
        tenant_id: str | None,
        linked_accounts: bool = True,
        keep: str | None = None,
        ending: Ending = BY_APPLICATION,
    ) -> list[str]:
        """Delete the live sessions of a user, and of all linked login methods; return their handles.

        Those in which the user acts as another end, too.
        """
        self._database.prepare()
        statement = self._sql.revoke_user if tenant_id is None else self._sql.revoke_user_in_tenant
        if keep is not None:
            statement = statement.where(self._sql.handle != keep)
        several = (
            not self._database.location.is_sqlite  # which takes no lock of the user
            or self._changes.are_recorded
            or self._acting.are_kept
            or (linked_accounts and self._database.has_user_tables)
        )
        run = self._database.write if several else self._database.single

        def end(connection: Connection, values: dict[str, Any]) -> list[SessionKey]:
            actor, now_ms = [values["user"]], values["now"]
            return [
                *self._changes.end(connection, statement, values, ending),
                *self._acting.end(
                    connection, actor, ending, now_ms=now_ms, tenant_id=values.get("tenant"), keep=keep
                ),
            ]

        ids = partial(self._users.linked_to, locked=True) if linked_accounts else self._locked_alone
        ended = self._of_user(user_id, tenant_id, end, ids=ids, run=run)
        if validation.is_possible_user_id(user_id):
            self._changes.settle(ended, ending)
            self._activity.note(user_id)
        return [one.handle for one in ended]

    def user_handles(self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True) -> list[str]:
        """Return the handles of a user's own live sessions, each login method's oldest first."""
        self._database.prepare()
        statement = self._sql.user_handles if tenant_id is None else self._sql.user_handles_in_tenant

        def read(connection: Connection, values: dict[str, Any]) -> Sequence[str]:
            return connection.execute(statement, values).scalars().all()

        ids = self._users.linked_to if linked_accounts else _alone
        return self._of_user(user_id, tenant_id, read, ids=ids, run=self._database.read)

    def _locked_alone(self, connection: Connection, user_id: str) -> list[str]:
        lock_sessions(self._database, connection, [user_id])
        return [user_id]

    def _of_user(
        self,
        user_id: str,
        tenant_id: str | None,
        work: Callable[[Connection, dict[str, Any]], Sequence[T]],
        *,
        ids: Callable[[Connection, str], list[str]],
        run: Callable[[Callable[[Connection], list[T]]], list[T]],
    ) -> list[T]:
        """Return what `work` does with the sessions of each login method of a user."""
        values: dict[str, Any] = {"now": self._settings.now_ms()}
        if tenant_id is not None:
            values["tenant"] = validation.normalise_tenant_id(tenant_id)
        if not validation.is_possible_user_id(user_id):
            return []

        def unit(connection: Connection) -> list[T]:
            users = ids(connection, user_id)
            return [one for user in users for one in work(connection, values | {"user": user})]

        found = run(unit)
        if tenant_id is not None and not found:
            self._require_tenant(values["tenant"])  # only an empty answer can be due to an unknown one
        return found

    def _require_tenant(self, tenant_id: str) -> None:
        if self._database.read(lambda c: c.execute(self._sql.tenant, {"tenant": tenant_id}).first()) is None:
            raise UnknownTenantError(tenant_id)


def _alone(_connection: Connection, user_id: str) -> list[str]:
    return [user_id]
