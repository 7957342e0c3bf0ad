"""What is kept of sessions besides the official columns: devices, limits of single sessions, who acts.

Every statement here exists only where a feature needs the table (`SESSION_DETAILS`); without it, sessions are
created and refreshed by the statements of `session_rows` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Insert,
    Label,
    Select,
    String,
    Table,
    Update,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.session_records import Actor, Details, Visit

from .session_rows import (
    SESSION_DETAILS,
    SESSIONS,
    RotationStatements,
    insert_session,
    joined_before_end,
    one_session,
    same_session,
)

if TYPE_CHECKING:
    from ..storage.tables import Tables

#: A session that is refreshed more often is written at most once in this time, unless its client changed.
SEEN_EVERY_MS = 60_000
_LONGEST = 512  #: of what a client says of itself
_OF_VISIT = ("last_ip", "last_agent", "label")


def shown(text: str | None) -> str | None:
    """Return what a client says of itself as every database can keep it: nothing fails because of it."""
    if text is None:
        return None
    return "".join(char for char in text[:_LONGEST] if char.isprintable())


def visit_values(visit: Visit | None) -> dict[str, Any]:
    """Return the parameters for what a request showed."""
    one = visit or Visit()
    return {
        "visited": visit is not None,
        "ip": shown(one.ip),
        "agent": shown(one.agent),
        "title": shown(one.label),
    }


def changed_client(row: Sequence[Any] | None, visit: Visit) -> list[str]:
    """Return in what a client differs from what was kept of it (`DetailStatements.client`)."""
    if row is None:
        return []
    pairs = {"ip": (row[0], shown(visit.ip)), "agent": (row[1], shown(visit.agent))}
    return [name for name, (kept, now) in pairs.items() if None not in (kept, now) and kept != now]


class DetailStatements:
    """The statements; parameters are `tenant`, `handle`, `now` and those of `visit_values` and `Terms`."""

    def __init__(self, tables: Tables, rotation: RotationStatements, *, is_sqlite: bool) -> None:
        self._tables = tables
        self._insert: Callable[[Table], Any] = sqlite.insert if is_sqlite else postgresql.insert
        own = tables[SESSION_DETAILS].c
        terms = (own.idle_ms, own.absolute_at, own.persistent, own.counts)
        #: The terms of a session; `terms_of` reads them.
        self.terms: Select[Any, Any, Any, Any] = select(*terms).where(*one_session(tables[SESSION_DETAILS]))
        #: What `changed_client` reads.
        self.client: Select[Any, Any] = select(own.last_ip, own.last_agent).where(
            *one_session(tables[SESSION_DETAILS])
        )
        #: As `RotationStatements.tokens`, with the absolute end before the payload.
        tokens = rotation.tokens.selected_columns
        *first, payload = tokens
        self.tokens: Select[Any] = (
            select(*first, own.absolute_at, payload)
            .select_from(tables[SESSIONS].outerjoin(tables[SESSION_DETAILS], and_(*same_session(tables))))
            .where(*one_session(tables[SESSIONS]))
        )
        self.insert: Insert = insert(tables[SESSION_DETAILS]).values(self._new_row())
        self.seen: Any = self._seen_again(self._insert(tables[SESSION_DETAILS]).values(_first_seen()))
        #: Other limits for a session; of one of which nothing was kept, a row is made.
        self.set_terms: Any = self._set_terms()
        #: A new session in one statement; PostgreSQL checks the foreign key at its end.
        self.create: Insert = self.insert.add_cte(insert_session(tables).cte("created"))
        #: `rotate_current`, with the row of details; needs `validity` and `visit_values` as well, and
        #: `any_client`: whether it goes for another client than the last one, too.
        self.rotate_current: Select[Any] = self._rotate_current(rotation)
        columns = tuple(own[name] for name in SESSION_DETAILS.columns if name not in SESSION_DETAILS.key)
        #: What `details_of` reads of a live session.
        self.details: Select[Any] = (
            select(*columns)
            .select_from(tables[SESSIONS].join(tables[SESSION_DETAILS], and_(*same_session(tables))))
            .where(
                *one_session(tables[SESSIONS]),
                tables[SESSIONS].c.expires_at > bindparam("now"),
                joined_before_end(tables),
            )
        )

    def _new_row(self) -> dict[str, Any]:
        return _first_seen() | {
            "created_ip": bindparam("first_ip", type_=String()),
            "idle_ms": bindparam("idle", type_=BigInteger()),
            "absolute_at": bindparam("absolute", type_=BigInteger()),
            "persistent": bindparam("lasting", type_=Boolean()),
            "counts": bindparam("counted", type_=Boolean()),
            "actor_id": bindparam("actor", type_=String()),
            "actor_handle": bindparam("actor_session", type_=String()),
        }

    def _seen_again(self, statement: Any) -> Any:
        """Write that a session was used, unless that was done a moment ago and its client is the same."""
        own = self._tables[SESSION_DETAILS].c
        visited = bindparam("visited", type_=Boolean())
        changed = {name: case((visited, statement.excluded[name]), else_=own[name]) for name in _OF_VISIT}
        differs = or_(*(own[name].is_distinct_from(statement.excluded[name]) for name in _OF_VISIT))
        return statement.on_conflict_do_update(
            index_elements=list(self._tables[SESSION_DETAILS].primary_key),
            set_={"last_seen_at": statement.excluded.last_seen_at, **changed},
            where=or_(
                own.last_seen_at < statement.excluded.last_seen_at - SEEN_EVERY_MS, and_(visited, differs)
            ),
        )

    def _set_terms(self) -> Any:
        terms = {
            "idle_ms": bindparam("idle", type_=BigInteger()),
            "absolute_at": bindparam("absolute", type_=BigInteger()),
            "persistent": bindparam("lasting", type_=Boolean()),
        }
        unseen = {name: value for name, value in _first_seen().items() if name not in _OF_VISIT}
        statement = self._insert(self._tables[SESSION_DETAILS]).values(unseen | terms)
        return statement.on_conflict_do_update(
            index_elements=list(self._tables[SESSION_DETAILS].primary_key),
            set_={name: statement.excluded[name] for name in terms},
        )

    def _rotate_current(self, rotation: RotationStatements) -> Select[Any]:
        sessions, mine = self._tables[SESSIONS], self._tables[SESSION_DETAILS]
        row, own = sessions.c, mine.c
        known = (
            select(
                row.expires_at,
                own.idle_ms,
                own.absolute_at,
                own.persistent,
                own.counts,
                own.last_ip,
                own.last_agent,
            )
            .select_from(sessions.outerjoin(mine, and_(*same_session(self._tables))))
            .where(*one_session(sessions))
            .cte("known")
        )
        now, end = bindparam("now", type_=BigInteger()), known.c.absolute_at
        validity = bindparam("validity", type_=BigInteger())
        rotated = (
            rotation.rotate_current.where(
                # Whoever changed the session meanwhile may have changed its terms: look again, locked.
                row.expires_at == known.c.expires_at,
                or_(end.is_(None), end > now),
                or_(bindparam("any_client", type_=Boolean()), ~_differs(known)),
            )
            # LEAST ignores null.
            .values(expires_at=func.least(now + func.coalesce(known.c.idle_ms, validity), end))
            .returning(row.expires_at, known.c.idle_ms, end, known.c.persistent, known.c.counts)
            .cte("rotated")
        )
        first = _first_seen()
        source = select(*(_labelled(name, value) for name, value in first.items())).select_from(rotated)
        seen = self._seen_again(self._insert(mine).from_select(list(first), source)).cte("seen")
        return select(*rotated.c).add_cte(seen)


def _differs(known: CTE) -> ColumnElement[bool]:
    """Return the condition that a client is another one than it was, as `changed_client` has it."""
    pairs = (
        (known.c.last_ip, bindparam("ip", type_=String())),
        (known.c.last_agent, bindparam("agent", type_=String())),
    )
    return or_(*(func.coalesce(kept != given, False) for kept, given in pairs))


def _first_seen() -> dict[str, Any]:
    """Return the row of a session of which nothing was kept before."""
    return {
        "app_id": literal(DEFAULT_APP_ID),
        "tenant_id": bindparam("tenant", type_=String()),
        "session_handle": bindparam("handle", type_=String()),
        "last_ip": bindparam("ip", type_=String()),
        "last_agent": bindparam("agent", type_=String()),
        "label": bindparam("title", type_=String()),
        "last_seen_at": bindparam("now", type_=BigInteger()),
        "persistent": literal(True),
        "counts": literal(True),
    }


def _labelled(name: str, value: ColumnElement[Any]) -> Label[Any]:
    return value.label(name)


def used_since(tables: Tables) -> Update:
    """Return the statement that moves the time of last use on, to `at`."""
    details = tables[SESSION_DETAILS]
    at = bindparam("at", type_=BigInteger())
    later = details.c.last_seen_at < at
    return update(details).where(*one_session(details), later).values(last_seen_at=at)


def details_of(row: Mapping[Any, Any]) -> Details | None:
    """Return what a row of `DetailStatements.details` holds; None where there is none."""
    if row["last_seen_at"] is None:
        return None
    actor_id = row["actor_id"]
    return Details(
        label=row["label"],
        agent=row["last_agent"],
        ip=row["last_ip"],
        created_ip=row["created_ip"],
        last_seen_ms=row["last_seen_at"],
        idle_ms=row["idle_ms"],
        absolute_at_ms=row["absolute_at"],
        persistent=bool(row["persistent"]),
        actor=None if actor_id is None else Actor(user_id=actor_id, handle=row["actor_handle"]),
    )
