"""Which event is sent to which webhook, and what became of it: rows, so that no process has to remember.

A webhook is registered in the transaction of the first event that a process writes for it; from there on
every event gets a row, by whichever process comes to it first. An event gets its number before its commit:
those of the last minutes are looked at again each time, so that one that was committed late is not missed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import (
    BigInteger,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    select,
    update,
)

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.event_records import Delivery, DeliveryState, SessionEvent
from supertokens_py.engine.webhook_records import Webhook, retry_after_ms

from ..storage.dialects import insert_new
from ..storage.tables import KEY_VALUE
from .event_log import EVENTS
from .event_pages import event_columns, event_of
from .webhook_statements import DELIVERIES, among, claimable, claiming, first_due, pending

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Table

    from ..storage.database import Database
    from ..storage.tables import Tables

#: How long a transaction may take from the writing of an event to its commit.
LATEST_COMMIT_MS = 600_000
#: After how long a delivery that was begun and not finished is begun again.
LEASE_MS = 30_000
_BATCH = 500
#: What the names of rows of `key_value` begin with that say how far each webhook is.
STATE_OF_WEBHOOK = "supertokens_py_webhook "


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that this process, and no other, is to send now."""

    event: SessionEvent
    attempts: int  #: with this one


@dataclass(frozen=True, slots=True)
class Undelivered:
    """What nobody is sent until somebody asks for it."""

    parked: int  #: deliveries that failed at every try
    disabled: Sequence[str]  #: endpoints that answered 410


def undelivered_in(connection: Connection, tables: Tables) -> Undelivered:
    """Return what is not delivered; reads only, of tables that are there."""
    parked = select(func.count()).select_from(tables[DELIVERIES]).where(*_is_parked(tables[DELIVERIES]))
    return Undelivered(connection.scalar(parked) or 0, _disabled_in(connection, tables[KEY_VALUE]))


class DeliveryRows:
    """The deliveries of a database.

    Args:
        webhooks: those of this application.
    """

    def __init__(self, database: Database, webhooks: Sequence[Webhook] = ()) -> None:
        self._database = database
        self._webhooks = webhooks
        self._registered: set[str] = set()
        tables = database.tables
        self._events, self._deliveries, self._values = (
            tables[EVENTS],
            tables[DELIVERIES],
            tables[KEY_VALUE],
        )
        row = self._deliveries.c
        is_one = and_(row.endpoint == bindparam("of"), row.seq == bindparam("number"))
        one = update(self._deliveries).where(is_one)
        self._succeed = one.values(next_at=None, done_at=bindparam("now"), outcome=bindparam("what"))
        self._fail = one.where(row.attempts == bindparam("tries")).values(
            next_at=bindparam("then"), outcome=bindparam("what")
        )
        self._pending, self._among = pending(self._deliveries), among(self._deliveries)
        self._claim = claiming(self._deliveries)
        self._event = select(*event_columns(self._events)).where(self._events.c.seq == bindparam("number"))

    # --- which events are sent ---

    def register(self, connection: Connection) -> None:
        """Note from which event on each webhook gets them: in the transaction of the first, before it."""
        latest = select(func.coalesce(func.max(self._events.c.seq), 0)).scalar_subquery()
        for webhook in self._webhooks:
            if webhook.endpoint in self._registered:
                continue
            values = {
                "app_id": DEFAULT_APP_ID,
                "tenant_id": DEFAULT_TENANT_ID,
                "name": STATE_OF_WEBHOOK + webhook.endpoint,
            }
            after = connection.execute(select(latest)).scalar_one()
            statement = insert_new(self._values, is_sqlite=self._database.location.is_sqlite)
            row = values | {"value": _state(after), "created_at_time": self._now_ms()}
            if connection.execute(statement.values(**row)).rowcount == 0:
                self._registered.add(webhook.endpoint)  # it was there, committed

    def are_registered(self) -> bool:
        """Whether this process knows every webhook to be registered. No I/O."""
        return len(self._registered) == len(self._webhooks)

    def spread(self, webhook: Webhook) -> bool:
        """Give each new event a row for a webhook; return whether the webhook gets any at all."""
        found = self._database.read(lambda c: self._state(c, webhook.endpoint))
        if found is None or found["disabled"]:
            return False
        new = self._new(webhook).limit(1)
        values = {"after": found["after"]}
        now_ms = self._now_ms()
        event = self._events.c
        old = (
            select(event.seq)
            .where(event.at_ms < now_ms - LATEST_COMMIT_MS)
            .order_by(event.at_ms.desc(), event.seq.desc())
            .limit(1)
        )

        def is_needed(connection: Connection) -> bool:
            passed = connection.execute(old).scalar() or 0
            return passed > found["after"] or connection.execute(new, values).first() is not None

        if self._database.read(is_needed):
            self._database.write(lambda c: self._spread(c, webhook, old))
        return True

    def _spread(self, connection: Connection, webhook: Webhook, old: Any) -> None:
        state = self._state(connection, webhook.endpoint, lock="skip")
        if state is None or state["disabled"]:
            return  # another process is at it, or was told by the receiver that it is gone
        passed = connection.execute(old).scalar() or 0
        source = self._new(webhook).limit(_BATCH)
        names = ["endpoint", "seq", "session_handle", "attempts", "next_at"]
        statement = insert(self._deliveries).from_select(names, source)
        values = {"after": state["after"], "now": self._now_ms()}
        if connection.execute(statement, values).rowcount < _BATCH and passed > state["after"]:
            self._set_state(connection, webhook.endpoint, _state(passed))

    def _new(self, webhook: Webhook) -> Any:
        event, delivery = self._events.c, self._deliveries.c
        row = select(delivery.seq).where(delivery.endpoint == webhook.endpoint, delivery.seq == event.seq)
        statement = select(
            literal(webhook.endpoint),
            event.seq,
            event.session_handle,
            literal(0),
            bindparam("now", self._now_ms(), type_=BigInteger()),
        ).where(event.seq > bindparam("after"), row.limit(1).scalar_subquery().is_(None))
        # An expression: as a column it would have SQLite read all events of the app, by an index.
        statement = statement.where(event.app_id.concat("") == DEFAULT_APP_ID)
        if webhook.types is not None:
            statement = statement.where(event.type.in_(webhook.types))
        return statement.order_by(event.seq)

    # --- sending them ---

    def due(self, webhook: Webhook) -> list[int]:
        """Return the numbers of the first events that may be claimed: a read, which keeps nobody waiting."""
        now_ms = self._now_ms()

        def unit(connection: Connection) -> list[int]:
            def read(after: int) -> Sequence[Any]:
                values = {"of": webhook.endpoint, "after": after}
                return connection.execute(self._pending, values).all()

            return first_due(read, now_ms)

        return self._database.read(unit)

    def claim(self, webhook: Webhook, candidates: Sequence[int]) -> Claimed | None:
        """Return the first of some events that is due and the first of its session; None if none is any more.

        No other process gets it for now.
        """
        now_ms = self._now_ms()
        values = {"of": webhook.endpoint, "now": now_ms, "until": now_ms + LEASE_MS}

        def unit(connection: Connection) -> Claimed | None:
            which = {"of": webhook.endpoint, "candidates": candidates}
            rows = connection.execute(self._among, which).all()
            for number in claimable(rows, now_ms):
                attempts = connection.execute(self._claim, {**values, "number": number}).scalar()
                if attempts is not None:
                    event = connection.execute(self._event, {"number": number}).one()
                    return Claimed(event_of(event), attempts)
            return None

        return self._database.write(unit)

    def succeeded(self, webhook: Webhook, claimed: Claimed, outcome: str) -> None:
        """Note that an event was delivered."""
        values = {"now": self._now_ms(), "what": outcome}
        self._finish(self._succeed, webhook, claimed, values)

    def failed(self, webhook: Webhook, claimed: Claimed, outcome: str) -> None:
        """Note that an event was not delivered, and when it is tried again, if it is."""
        wait_ms = retry_after_ms(claimed.attempts)
        then_ms = None if wait_ms is None else self._now_ms() + wait_ms
        self._finish(
            self._fail, webhook, claimed, {"then": then_ms, "what": outcome, "tries": claimed.attempts}
        )

    def _finish(self, statement: Any, webhook: Webhook, claimed: Claimed, values: dict[str, Any]) -> None:
        key = {"of": webhook.endpoint, "number": claimed.event.seq}
        self._database.single(lambda c: c.execute(statement, key | values), repeatable=True)

    def disable(self, webhook: Webhook) -> None:
        """Send nothing to a webhook any more, until somebody asks for it."""

        def unit(connection: Connection) -> None:
            state = self._state(connection, webhook.endpoint, lock="wait")
            self._set_state(connection, webhook.endpoint, _state((state or {"after": 0})["after"], True))

        self._database.write(unit)

    # --- for people ---

    def all(self, *, state: DeliveryState | None = None, limit: int = 100) -> list[Delivery]:
        """Return the latest deliveries, the newest first."""
        row, event = self._deliveries.c, self._events.c
        which = case(
            (row.next_at.is_not(None), literal("waiting")),
            (row.done_at.is_not(None), literal("delivered")),
            else_=literal("parked"),
        )
        statement = select(*row, event.type, which.label("state")).join(self._events, event.seq == row.seq)
        if state is not None:
            statement = statement.where(which == state)
        statement = statement.order_by(row.seq.desc(), row.endpoint).limit(limit)
        return [_delivery(found) for found in self._database.read(lambda c: c.execute(statement).all())]

    def disabled(self) -> list[str]:
        """Return the endpoints that get nothing any more."""
        return self._database.read(lambda c: _disabled_in(c, self._values))

    def retry(self, endpoint: str | None = None) -> int:
        """Have parked deliveries tried again, and disabled endpoints get events; return how many."""
        row = self._deliveries.c
        statement = (
            update(self._deliveries)
            .where(*_is_parked(self._deliveries))
            .values(next_at=self._now_ms(), attempts=0)
        )
        if endpoint is not None:
            statement = statement.where(row.endpoint == endpoint)

        def unit(connection: Connection) -> int:
            for found in connection.execute(_states_in(self._values).with_for_update()).all():
                name, state = found.name.removeprefix(STATE_OF_WEBHOOK), json.loads(found.value)
                if state["disabled"] and endpoint in (None, name):
                    self._set_state(connection, name, _state(state["after"]))
            return connection.execute(statement).rowcount

        return self._database.write(unit)

    def _state(
        self, connection: Connection, endpoint: str, *, lock: Literal["wait", "skip"] | None = None
    ) -> dict[str, Any] | None:
        statement = select(self._values.c.value).where(*self._is_state_of(endpoint))
        if lock is not None:
            statement = statement.with_for_update(skip_locked=lock == "skip")
        value = connection.execute(statement).scalar()
        return None if value is None else json.loads(value)

    def _set_state(self, connection: Connection, endpoint: str, value: str) -> None:
        connection.execute(update(self._values).where(*self._is_state_of(endpoint)).values(value=value))

    def _is_state_of(self, endpoint: str) -> tuple[ColumnElement[bool], ...]:
        row = self._values.c
        return (
            row.app_id == DEFAULT_APP_ID,
            row.tenant_id == DEFAULT_TENANT_ID,
            row.name == STATE_OF_WEBHOOK + endpoint,
        )

    def _now_ms(self) -> int:
        return self._database.settings.now_ms()


def _is_parked(deliveries: Table) -> tuple[ColumnElement[bool], ...]:
    return deliveries.c.next_at.is_(None), deliveries.c.done_at.is_(None)


def _states_in(values: Table) -> Any:
    is_state = values.c.name.startswith(STATE_OF_WEBHOOK, autoescape=True)
    return select(values.c.name, values.c.value).where(values.c.app_id == DEFAULT_APP_ID, is_state)


def passed_in(connection: Connection, values: Table) -> int:
    """Return the greatest number behind which a webhook gets events; 0: there is none."""
    rows = connection.execute(_states_in(values)).all()
    return max((json.loads(row.value)["after"] for row in rows), default=0)


def _disabled_in(connection: Connection, values: Table) -> list[str]:
    rows = connection.execute(_states_in(values)).all()
    return [row.name.removeprefix(STATE_OF_WEBHOOK) for row in rows if json.loads(row.value)["disabled"]]


def _state(after: int, disabled: bool = False) -> str:
    return json.dumps({"after": after, "disabled": disabled})


def _delivery(row: Any) -> Delivery:
    return Delivery(
        endpoint=row.endpoint,
        seq=row.seq,
        type=row.type,
        handle=row.session_handle,
        state=row.state,
        attempts=row.attempts,
        next_at_ms=row.next_at,
        done_at_ms=row.done_at,
        outcome=row.outcome,
    )
