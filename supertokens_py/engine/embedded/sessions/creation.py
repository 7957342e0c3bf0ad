"""Creating a session: its rows, the limit that it may meet and the session that it may replace.

A session of which nothing special is asked is one statement. Whatever else there is to it is decided and
written in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from supertokens_py import payloads
from supertokens_py.engine import validation
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.records import Unauthorised, UnknownTenantError
from supertokens_py.engine.session_records import (
    Ending,
    LimitReached,
    Replaces,
    SessionKey,
)

from ..accounts.user_ids import lock_sessions
from ..session_state.session_changes import Recording, SessionChanges
from ..session_state.session_details import DetailStatements, shown, visit_values
from ..session_state.session_rows import (
    NO_SESSION,
    SessionStatements,
    by_tenant,
    json_object,
    key_of,
)
from ..session_state.session_terms import Terms, new_terms
from ..storage import errors
from ..storage.database import UnitConflictError
from .drafts import Created, Draft
from .inherited_keys import NOTHING, Inherited, InheritedKeys
from .replacement import Former, FormerRows
from .session_limits import SessionCounts, refusal

if TYPE_CHECKING:
    from sqlalchemy import Connection, Insert

    from ..accounts.user_ids import UserIds
    from ..storage.database import Database, Fetch

_REPLACED = Ending(reason="replaced")
_LIMIT = Ending(reason="limit")


@dataclass(slots=True)
class _Ended:
    """What one attempt of a unit of work ended, to be told after the commit."""

    by_limit: list[SessionKey] = field(default_factory=list[SessionKey])
    replaced: list[SessionKey] = field(default_factory=list[SessionKey])


class SessionWriter:
    """Writes new sessions."""

    def __init__(
        self,
        database: Database,
        users: UserIds,
        settings: ResolvedEngineConfig,
        changes: SessionChanges,
        *,
        sql: SessionStatements,
        details: DetailStatements | None,
    ) -> None:
        self._database = database
        self._users = users
        self._settings = settings
        self._changes = changes
        self._sql = sql
        self._details = details
        self._counts = SessionCounts(database.tables)
        self._former_rows = FormerRows(database.tables)
        self._inherited_keys = InheritedKeys(database.tables, self._former)
        self._recorded: Insert | None = None  #: made once, so that SQLAlchemy compiles it once

    def write(self, draft: Draft) -> Created | LimitReached | Unauthorised:
        """Write a session; each of the answers that refuse it left everything as it was.

        Raises:
            UnknownTenantError: there is no such tenant.
        """
        try:
            if draft.is_alone:
                recording = None
                if self._changes.creations_are_recorded and not self._database.location.is_sqlite:
                    recording = self._changes.creation(draft.key, actor=None)
                if recording is not None or not self._changes.creations_are_recorded:
                    return self._alone(draft, recording)
            return self._with_others(draft)
        except IntegrityError as error:
            if errors.is_unknown_parent(error):
                raise UnknownTenantError(draft.token.tenant_id, user_id=draft.user_id) from error
            raise

    def _alone(self, draft: Draft, recording: Recording | None) -> Created:
        """Write a session that has to do with no other, and in the same statement what records it."""
        attempts: list[object] = []
        created = self._created(draft, None)
        inserts = self._inserts(draft, created, None)
        if recording is not None:
            ((statement, values),) = inserts
            if self._recorded is None:
                self._recorded = recording[0].add_cte(statement.cte("written"))
            inserts = [(self._recorded, values | recording[1])]

        def insert(fetch: Fetch) -> None:
            attempts.append(fetch)
            fetch(*inserts[0])

        if len(inserts) > 1:
            self._database.write(lambda connection: self._insert(connection, draft, created, None))
            return created
        try:
            self._database.alone(insert, "single", repeatable=True)
        except IntegrityError as error:
            # The connection broke after the row was written: sent again, it meets itself.
            if not errors.is_taken(error) or len(attempts) == 1:
                raise
        return created

    def _with_others(self, draft: Draft) -> Created | LimitReached | Unauthorised:
        def unit(connection: Connection) -> tuple[Created | LimitReached | Unauthorised, _Ended]:
            ended = _Ended()
            return self._decided(connection, draft, ended), ended

        answer, ended = self._database.write(unit)
        self._changes.settle(ended.replaced, _REPLACED)
        self._changes.settle(ended.by_limit, _LIMIT)
        return answer

    def _decided(
        self, connection: Connection, draft: Draft, ended: _Ended
    ) -> Created | LimitReached | Unauthorised:
        """Decide everything before the first row is written, so that a refusal leaves no trace."""
        new, replaces = draft.new, draft.new.replaces
        ids = self._locked_ids(connection, draft)
        if new.actor is not None and self._former(connection, new.actor.handle) is None:
            return Unauthorised(NO_SESSION, "session_gone")
        former = None if replaces is None else self._former(connection, replaces.handle)
        others = None if replaces is None else self._others(connection, replaces, former)
        if others is None and replaces is not None:
            return Unauthorised(NO_SESSION, "session_gone")
        others = others or []
        excess = self._excess(connection, draft, ids, former, others)
        if isinstance(excess, LimitReached):
            self._changes.note(connection, refusal(draft.key, excess))
            return excess
        inherited = self._inherited_keys.of(connection, new.bind_like_handle, former)
        if inherited is None:
            return Unauthorised(NO_SESSION, "session_gone")
        created = self._created(draft, former, inherited)
        if not payloads.is_signable(json_object(created.payload), token_version=new.token_version):
            return Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected")
        if former is not None:
            ending = replace(_REPLACED, successor=draft.token.handle)
            ended.replaced += self._end(connection, [former.key.handle, *others], ending)
        ended.by_limit += self._end(connection, excess, _LIMIT)
        self._insert(connection, draft, created, former)
        self._inherited_keys.give(connection, draft.token.handle, inherited)
        self._record(connection, draft, former)
        return replace(created, ended=[one.handle for one in ended.by_limit])

    def _locked_ids(self, connection: Connection, draft: Draft) -> Sequence[str]:
        """Lock the users that a session has to do with; return the ids of its own whose sessions count."""
        ids = self._counted_ids(connection, draft)
        if draft.is_alone or self._database.location.is_sqlite:
            return ids
        handles = filter(validation.is_possible_handle, draft.parents)
        owners = [self._former_rows.user_id(connection, handle) for handle in handles]
        actor_id = None if draft.new.actor is None else draft.new.actor.user_id
        users = {one for one in (*ids, actor_id, *owners) if one is not None}
        lock_sessions(self._database, connection, users)
        if not {*self._counted_ids(connection, draft)} <= users:
            raise UnitConflictError  # the user has got another one in this moment
        return ids

    def _counted_ids(self, connection: Connection, draft: Draft) -> Sequence[str]:
        if draft.limit is None:
            return [draft.user_id]
        return self._users.linked_to(connection, draft.user_id)

    def _former(self, connection: Connection, handle: str) -> Former | None:
        if not validation.is_possible_handle(handle):
            return None
        return self._former_rows.locked(connection, handle, now_ms=self._settings.now_ms())

    def _others(self, connection: Connection, replaces: Replaces, former: Former | None) -> list[str] | None:
        """Return what ends with the session that is replaced; None if that, or one of them, must exist."""
        also: list[str] = []
        if replaces.also is not None:
            now_ms = self._settings.now_ms()
            if self._former_rows.locked(connection, replaces.also, now_ms=now_ms) is None:
                return None
            also = [replaces.also]
        if former is None:
            return None if replaces.must_exist else also
        return also + (self._of_same_user(connection, former) if replaces.with_others else [])

    def _of_same_user(self, connection: Connection, former: Former) -> list[str]:
        values = {"user": former.key.user_id, "now": self._settings.now_ms()}
        handles = connection.execute(self._sql.user_handles, values).scalars()
        return [handle for handle in handles if handle != former.key.handle]

    def _excess(
        self,
        connection: Connection,
        draft: Draft,
        ids: Sequence[str],
        former: Former | None,
        others: Sequence[str],
    ) -> list[str] | LimitReached:
        limit = draft.limit
        if limit is None:
            return []
        besides = list(others)
        if former is not None and former.key.user_id in ids:
            in_scope = limit.per == "user" or former.key.tenant_id == draft.token.tenant_id
            if former.counted and in_scope:
                return []  # one goes and one comes
            besides.append(former.key.handle)
        values = {"users": ids, "now": self._settings.now_ms(), "tenant": draft.token.tenant_id}
        return self._counts.excess(connection, limit, values, besides=besides)

    def _end(self, connection: Connection, handles: Sequence[str], ending: Ending) -> list[SessionKey]:
        gone = {
            one.handle: one
            for tenant_id, own in by_tenant(handles)
            for one in self._changes.end(
                connection, self._sql.revoke, {"tenant": tenant_id, "handles": own}, ending
            )
        }
        return [gone[handle] for handle in handles if handle in gone]

    def _created(self, draft: Draft, former: Former | None, inherited: Inherited = NOTHING) -> Created:
        new, payload, data = draft.new, draft.payload, draft.data
        terms = new_terms(new.lifetime, now_ms=draft.now_ms, counts=new.counts)
        if former is not None and draft.copies:
            merged, merged_data = (
                payloads.merge(former.payload, new.payload),
                payloads.merge(former.data, new.data),
            )
            payload = payloads.validate_json("access_token_payload", merged)
            data = payloads.validate_json("session_data_in_database", merged_data)
            if draft.keeps_end:
                terms = former.terms
            elif new.lifetime is None:
                terms = former.renewed(now_ms=draft.now_ms, counts=new.counts)
        validity_ms = self._settings.refresh_token_validity_ms
        expires_ms = terms.expires_ms(draft.now_ms, validity_ms=validity_ms)
        payload = inherited.laid_over(payload)
        return Created(payload=payload, data=data, expires_ms=expires_ms, terms=terms)

    def _insert(self, connection: Connection, draft: Draft, created: Created, former: Former | None) -> None:
        for statement, values in self._inserts(draft, created, former):
            self._database.row_within(connection, statement, values)

    def _inserts(
        self, draft: Draft, created: Created, former: Former | None
    ) -> list[tuple[Insert, dict[str, Any]]]:
        """Return the statements that write a session, with their parameters: on PostgreSQL one."""
        row: dict[str, Any] = key_of(draft.token.handle) | {
            "user": draft.user_id,
            "payload": created.payload,
            "data": created.data,
            "static": not draft.new.dynamic_key,
            "current": draft.token.hash2,
            "expires": created.expires_ms,
            "now": draft.now_ms,
        }
        if self._details is None:
            return [(self._sql.insert, row)]
        own = row | self._own_values(draft, created.terms, {} if former is None else former.details)
        if self._database.location.is_sqlite:
            return [(self._sql.insert, row), (self._details.insert, own)]
        return [(self._details.create, own)]

    def _own_values(self, draft: Draft, terms: Terms, former: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the parameters of the details of a session: those of the replaced one go on."""
        new = draft.new
        values = visit_values(new.visit)
        if new.visit is None and former:
            values |= {
                "ip": former["last_ip"],
                "agent": former["last_agent"],
                "title": former["label"],
            }
        first_ip = former.get("created_ip") or (None if new.visit is None else shown(new.visit.ip))
        return values | {
            "first_ip": first_ip,
            "idle": terms.idle_ms,
            "absolute": terms.absolute_at_ms,
            "lasting": terms.persistent,
            "counted": terms.counts,
            "actor": None if new.actor is None else new.actor.user_id,
            "actor_session": None if new.actor is None else new.actor.handle,
        }

    def _record(self, connection: Connection, draft: Draft, former: Former | None) -> None:
        replaced = None if former is None else former.key.handle
        self._changes.created(connection, draft.key, actor=draft.new.actor, replaced=replaced)
