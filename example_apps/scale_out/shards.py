"""Sessions in several databases: a router by tenant, and a simulation that says what each database did.

    python shards.py                  two SQLite files in a temporary directory
    python shards.py URI URI ...      PostgreSQL databases of yours, which should be empty
    python shards.py --table          what 10^5 to 10^9 users need

The part that an application has to bring is `Router`; docs/sharding.md explains it.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import MetaData, create_engine, delete, insert, select

from supertokens_py import EngineConfig
from supertokens_py.engine.factory import open_engine
from supertokens_py.engine.records import IssuedSession, NewSession, RefreshRequest, Verified
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.tokens.access_token import parse_access_token

#: Virtual shards, each a tenant. Their number is for ever; where each lies may change.
VIRTUAL = 16
KEY_TABLES = ("key_value", "session_access_token_signing_keys", "jwt_signing_keys")


def shard_of_user(user_id: str) -> str:
    """Return the tenant in which all sessions of a user are."""
    return f"s{int.from_bytes(hashlib.sha256(user_id.encode()).digest()[:4], 'big') % VIRTUAL}"


def shard_of_handle(handle: str) -> str:
    """Return the tenant that a session handle names."""
    return handle.partition("_")[2] or "public"


def shard_of_access_token(access_token: str) -> str:
    """Return the tenant that an access token names, before anybody has verified it.

    A forged one leads to a database that does not know its session, and refuses it.
    """
    payload = access_token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["tId"])


class Router:
    """Sends each call to the one database that has to do with it, and counts what it sent where."""

    def __init__(self, uris: Sequence[str]) -> None:
        settings = EngineConfig(sqlite_busy_timeout=0.05).resolve()
        self.uris = list(uris)
        self.engines: list[Any] = [open_engine(uri, settings) for uri in uris]
        self.place = {f"s{number}": number % len(uris) for number in range(VIRTUAL)}
        self.moving: set[str] = set()
        self.calls: Counter[tuple[str, int]] = Counter()
        self.engines[0].keys.master_key()  # makes the tables, and the keys that all shall have
        for uri, engine in zip(uris[1:], self.engines[1:], strict=True):
            engine.tenants.all()  # makes the tables, and no keys
            copy_keys(uris[0], uri)
        for tenant_id, index in self.place.items():
            self.engines[index].tenants.put(tenant_id, {})

    def on(self, tenant_id: str, call: str) -> Any:
        """Return the sessions of the database that has this shard."""
        if tenant_id in self.moving:
            raise EngineUnavailableError(f"the shard {tenant_id} is being moved: try again")
        self.calls[call, self.place[tenant_id]] += 1
        return self.engines[self.place[tenant_id]].sessions

    def log_in(self, user_id: str) -> IssuedSession:
        tenant_id = shard_of_user(user_id)
        new = NewSession(
            user_id=user_id, tenant_id=tenant_id, payload={}, data={}, anti_csrf=False, dynamic_key=True
        )
        return self.on(tenant_id, "create").create(new)

    def refresh(self, session: IssuedSession) -> Any:
        """Refresh as a browser does: the access token that it sends along, expired or not, says where."""
        request = RefreshRequest(
            refresh_token=session.refresh_token.text,
            anti_csrf_token=None,
            anti_csrf=False,
            dynamic_key=True,
        )
        tenant_id = shard_of_access_token(session.access_token.text)
        return self.on(tenant_id, "refresh").refresh(request)

    def is_live(self, session: IssuedSession) -> bool:
        token = parse_access_token(session.access_token.text)
        assert token is not None
        sessions = self.on(token.tenant_id, "verify with database")
        return isinstance(sessions.verify(token, check_database=True), Verified)

    def list_user(self, user_id: str) -> list[str]:
        tenant_id = shard_of_user(user_id)
        return self.on(tenant_id, "list a user's").user_handles(user_id, tenant_id=None)

    def revoke(self, handles: Sequence[str]) -> list[str]:
        """Revoke sessions of anybody: one call for each shard among them."""
        done: list[str] = []
        for tenant_id in sorted({shard_of_handle(handle) for handle in handles}):
            own = [handle for handle in handles if shard_of_handle(handle) == tenant_id]
            done += self.on(tenant_id, "revoke").revoke(own)
        return done

    def clean_up(self) -> None:
        """Each database cleans up for itself; its own processes do so without being asked."""
        for engine in self.engines:
            engine.clean_up()

    @contextmanager
    def _nobody_uses(self, tenant_id: str) -> Iterator[None]:
        self.moving.add(tenant_id)
        try:
            yield
        finally:
            self.moving.discard(tenant_id)

    def move(self, tenant_id: str, to: int) -> int:
        """Move a shard to another database, its users answered 503 meanwhile; return how many sessions."""
        source, target = self.uris[self.place[tenant_id]], self.uris[to]
        with self._nobody_uses(tenant_id):
            self.engines[to].tenants.put(tenant_id, {})
            rows = read_rows(source, "session_info", tenant_id)
            write_rows(target, "session_info", rows)
            old = self.place[tenant_id]
            self.place[tenant_id] = to
            self.engines[old].tenants.delete(tenant_id)  # and its sessions there
        return len(rows)

    def close(self) -> None:
        for engine in self.engines:
            engine.close()


# -- rows, by SQL of one's own ---------------------------------------------------------------------


def _database(uri: str) -> Any:
    return create_engine(uri.replace("postgresql://", "postgresql+psycopg://"))


def read_rows(uri: str, table: str, tenant_id: str | None = None) -> list[dict[str, Any]]:
    """Return the rows of a table, of all tenants or of one."""
    database = _database(uri)
    try:
        with database.begin() as connection:
            found = MetaData()
            found.reflect(connection, only=[table])
            statement = select(found.tables[table])
            if tenant_id is not None:
                statement = statement.where(found.tables[table].c.tenant_id == tenant_id)
            return [dict(row) for row in connection.execute(statement).mappings()]
    finally:
        database.dispose()


def write_rows(uri: str, table: str, rows: Sequence[dict[str, Any]], *, instead: bool = False) -> None:
    """Insert rows into a table, `instead` of those that are there."""
    database = _database(uri)
    try:
        with database.begin() as connection:
            found = MetaData()
            found.reflect(connection, only=[table])
            if instead:
                connection.execute(delete(found.tables[table]))
            if rows:
                connection.execute(insert(found.tables[table]), rows)
    finally:
        database.dispose()


def copy_keys(source: str, target: str) -> None:
    """Give a new database the keys of another, so that a session that moves can go on there."""
    for table in KEY_TABLES:
        write_rows(target, table, read_rows(source, table), instead=True)


# -- the simulation --------------------------------------------------------------------------------


@dataclass
class Findings:
    """What the simulation came to."""

    sessions: list[int] = field(default_factory=list)  #: in each database
    calls: dict[str, list[int]] = field(default_factory=dict)  #: by kind, to each database
    scattered_users: int = 0  #: who have sessions in more than one database
    refused_while_away: int = 0
    served_while_away: int = 0
    moved: int = 0
    lost: int = 0  #: sessions that did not survive the move of their shard


def simulate(uris: Sequence[str], *, users: int = 40) -> Findings:
    """Log users in twice, use all their sessions, take a database away, and move a shard."""
    router, found = Router(uris), Findings()
    try:
        names = [f"user-{number}" for number in range(users)]
        sessions = {name: [router.log_in(name), router.log_in(name)] for name in names}
        held = [engine.sessions for engine in router.engines]
        for name in names:
            sessions[name] = [router.refresh(one) for one in sessions[name]]
            assert all(router.is_live(one) for one in sessions[name])
            assert set(router.list_user(name)) == {one.handle for one in sessions[name]}
            found.scattered_users += sum(bool(one.user_handles(name, tenant_id=None)) for one in held) > 1
        found.sessions = [len(read_rows(uri, "session_info")) for uri in uris]
        leaving = [sessions.pop(name) for name in names[: users // 4]]
        handles = [one.handle for pair in leaving for one in pair]
        assert sorted(router.revoke(handles)) == sorted(handles)
        router.clean_up()
        _without_one(router, sessions, found)
        _moved(router, sessions, found)
        kinds = dict.fromkeys(call for call, _ in router.calls)
        found.calls = {call: [router.calls[call, index] for index in range(len(uris))] for call in kinds}
        return found
    finally:
        router.close()


def _without_one(router: Router, sessions: dict[str, list[IssuedSession]], found: Findings) -> None:
    """Let nobody write to the last database, and refresh everybody's first session."""
    with _away(router.uris[-1]):
        for name, (first, second) in sessions.items():
            try:
                sessions[name] = [router.refresh(first), second]
            except EngineUnavailableError:
                found.refused_while_away += 1  # 503: the client keeps its tokens and comes again
            else:
                found.served_while_away += 1
    assert all(router.is_live(one) for pair in sessions.values() for one in pair)


@contextmanager
def _away(uri: str) -> Iterator[None]:
    """Hold the lock of an SQLite file, as if its disk hung. A PostgreSQL server of yours is left alone."""
    if not uri.startswith("sqlite"):
        yield
        return
    database = _database(uri)
    try:
        with database.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            connection.exec_driver_sql("ROLLBACK")
    finally:
        database.dispose()


def _moved(router: Router, sessions: dict[str, list[IssuedSession]], found: Findings) -> None:
    tenant_id = shard_of_user(next(iter(sessions)))
    old = router.place[tenant_id]
    found.moved = router.move(tenant_id, (old + 1) % len(router.uris))
    for name, pair in sessions.items():
        if shard_of_user(name) == tenant_id:
            answers = [router.refresh(one) for one in pair]
            found.lost += sum(not isinstance(one, IssuedSession) for one in answers)
            assert set(router.list_user(name)) == {one.handle for one in pair}


# -- the arithmetic --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What the table is computed from. Bytes are measured; the others are yours to replace."""

    sessions_per_user: int = 2
    used_in_peak_hour: float = 0.1  #: share of the sessions; each is refreshed once in that hour
    bytes_per_session: int = 1000  #: table and indexes (`benchmarks/run size`, `growth`)
    log_bytes_per_refresh: int = 8_000  #: most find their pages untouched since the checkpoint
    refreshes_per_primary: int = 2000  #: per second (`benchmarks/run throughput`)
    refreshes_per_process: int = 200  #: per second, beside the requests that it serves
    pool_size: int = 5


def needs(users: int, given: Assumptions = Assumptions()) -> dict[str, float]:
    """Return what a number of users needs."""
    sessions = users * given.sessions_per_user
    refreshes = sessions * given.used_in_peak_hour / 3600
    processes = max(2, -(-refreshes // given.refreshes_per_process))
    return {
        "sessions": sessions,
        "refreshes per second": refreshes,
        "gigabytes": sessions * given.bytes_per_session / 1e9,
        "log, megabytes per second": refreshes * given.log_bytes_per_refresh / 1e6,
        "processes": processes,
        "connections": processes * given.pool_size,
        "primaries": max(1, -(-refreshes // given.refreshes_per_primary)),
    }


def table() -> list[str]:
    """Return the lines of the table for 10^5 to 10^9 users, as Markdown."""
    columns = list(needs(1))
    lines = [f"| users | {' | '.join(columns)} |", "|---:" * (len(columns) + 1) + "|"]
    for exponent in range(5, 10):
        values = (
            f"{value:,.0f}" if value >= 10 else f"{value:.2g}" for value in needs(10**exponent).values()
        )
        lines.append(f"| 10^{exponent} | {' | '.join(values)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("uris", nargs="*", metavar="URI")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.table:
        print("\n".join(table()))
        return
    with tempfile.TemporaryDirectory() as directory:
        uris = options.uris or [f"sqlite:///{directory}/shard{number}.db" for number in range(2)]
        found = simulate(uris)
    for call, counts in found.calls.items():
        print(f"{call:22}" + "".join(f"{count:8}" for count in counts))
    print(f"sessions in each database: {found.sessions}; users in more than one: {found.scattered_users}")
    print(
        f"while the last one was away: {found.refused_while_away} refreshes answered 503, "
        f"{found.served_while_away} served"
    )
    print(f"sessions moved: {found.moved}; lost by that: {found.lost}")


if __name__ == "__main__":
    main()
