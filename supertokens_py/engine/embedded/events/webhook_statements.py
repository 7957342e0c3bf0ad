"""The table of deliveries, and how processes share them: what that costs does not grow with the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Integer, String, bindparam, select, update

from ..storage.tables import TIME, ColumnKind, Reference, TableDefinition, optional
from .event_log import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Table

DELIVERIES = TableDefinition(
    name="supertokens_py_deliveries",
    columns={
        "endpoint": ColumnKind(String(128)),
        "seq": TIME,
        "session_handle": optional(String(255)),
        "attempts": ColumnKind(Integer()),
        "next_at": optional(BigInteger()),
        "done_at": optional(BigInteger()),
        "outcome": optional(String(64)),
    },
    key=("seq", "endpoint"),  # in this order, so that deleting an event finds its deliveries
    references=(Reference(("seq",), EVENTS.name, EVENTS.key),),
    indexes={"supertokens_py_deliveries_next_index": ("endpoint", "seq")},
    # What was delivered stays as long as its event, and nobody looks for it here.
    indexed_where_set={"supertokens_py_deliveries_next_index": "next_at"},
)

#: How many events are looked for at once: one of them is claimed at a time, at a cost that this bounds.
_CANDIDATES = 20
_WINDOW = 100


def pending(deliveries: Table) -> Any:
    """Return the statement that reads the next events of a webhook that wait, due or not."""
    row = deliveries.c
    return (
        select(row.seq, row.session_handle, row.next_at)
        .where(row.endpoint == bindparam("of"), row.seq > bindparam("after"), row.next_at.is_not(None))
        .order_by(row.seq)
        .limit(_WINDOW)
    )


def first_due(read: Callable[[int], Sequence[Any]], now_ms: int) -> list[int]:
    """Return the numbers of the first events that may be claimed.

    Behind an event that is due itself, one of the same session will be next soon; behind one that waits for
    its next try, it will not. Looking at each event once, here, is what no plan of a database can spoil.

    Args:
        read: returns the rows of `pending` after a number.
    """
    found: list[int] = []
    waiting: set[str] = set()
    after, has_more = 0, True
    while len(found) < _CANDIDATES and has_more:
        rows = read(after)
        has_more = len(rows) == _WINDOW
        for row in rows:
            if row.next_at > now_ms:
                waiting.add(row.session_handle)
            elif row.session_handle is None or row.session_handle not in waiting:
                found.append(row.seq)
            after = row.seq
    return found[:_CANDIDATES]


def among(deliveries: Table) -> Any:
    """Return the statement that reads some events again, whether they wait or not."""
    row = deliveries.c
    numbers = bindparam("candidates", type_=BigInteger(), expanding=True)
    # The endpoint is compared as an expression, so that no plan goes through all that wait instead.
    return (
        select(row.seq, row.session_handle, row.next_at)
        .where(row.seq.in_(numbers), row.endpoint.concat("") == bindparam("of"))
        .order_by(row.seq)
    )


def claimable(rows: Sequence[Any], now_ms: int) -> list[int]:
    """Return the numbers of those that are due and the first of their session, given rows of `among`.

    Those are of `first_due`: whatever else of a session waits is behind them.
    """
    found: list[int] = []
    seen: set[str] = set()
    for row in rows:
        if row.next_at is None:
            continue
        if row.next_at <= now_ms and row.session_handle not in seen:
            found.append(row.seq)
        if row.session_handle is not None:
            seen.add(row.session_handle)
    return found


def claiming(deliveries: Table) -> Any:
    """Return the statement that claims an event, unless another process just has."""
    row = deliveries.c
    is_one = (row.seq == bindparam("number"), row.endpoint == bindparam("of"))
    return (
        update(deliveries)
        .where(*is_one, row.next_at <= bindparam("now"))
        .values(attempts=row.attempts + 1, next_at=bindparam("until"))
        .returning(row.attempts)
    )
