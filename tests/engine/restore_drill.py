"""A drill: a back-up of a database in use, an hour of work, its restore, and who is then refused.

`scripts/fuzz restore` holds it on a SQLite file and on PostgreSQL, with and without `supertokens restored`.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from supertokens_py.engine.embedded.storage import server_clock
from supertokens_py.engine.records import IssuedSession, TokenTheft
from supertokens_py.events import Event, TokenReused, subscribe
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Postgres, Sqlite, TestDatabase
from tests.support.temporary_postgres import postgres

GOES_ON, LOGS_IN_AGAIN, ACCUSED = "goes on", "logs in again", "logs in again, reported as theft"
THIEVES = 2


@dataclass(frozen=True)
class BackUp:
    """How a database is saved while it is in use, and put back when nobody uses it."""

    make: Callable[[], object]
    restore: Callable[[], object]


def of_sqlite(database: TestDatabase, file: Path) -> BackUp:
    """Back up by SQLite itself: a copy of the file alone would lack what is in its write-ahead log."""

    def make() -> None:
        with closing(sqlite3.connect(database.path)) as source, closing(sqlite3.connect(file)) as target:
            source.backup(target)

    def restore() -> None:
        for suffix in ("-wal", "-shm"):  # of the other database: they would be played into this one
            Path(f"{database.path}{suffix}").unlink(missing_ok=True)
        shutil.copy(file, database.path)

    return BackUp(make, restore)


def of_postgres(database: TestDatabase, file: Path, binaries: Path) -> BackUp:
    """Back up by pg_dump, which sees one moment of the database."""
    server, _, name = database.uri.rpartition("/")

    def run(program: str, *arguments: str) -> None:
        subprocess.run([binaries / program, *arguments], check=True, capture_output=True, timeout=170)

    def make() -> None:
        run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={database.uri}")

    def restore() -> None:
        run("dropdb", f"--maintenance-db={server}/postgres", name)
        run("createdb", f"--maintenance-db={server}/postgres", name)
        run("pg_restore", "--exit-on-error", f"--dbname={database.uri}", str(file))

    return BackUp(make, restore)


@dataclass
class Result:
    """What became of whom, and what was reported."""

    who: dict[str, str]
    thefts: int
    knows_newer_key: bool
    still_detects: bool


def drill(uri: str, back_up: BackUp, clock: Clock, *, marked: bool) -> Result:
    """Hold the drill on a database that nobody else uses; `marked` says that the restore is noted."""
    with closing(Driver(uri, now_ms=clock)) as core:
        retired = {name: core.create(name) for name in ("quiet", "once", "twice", "revoked", "robbed")}
        clock.advance(minutes=10)
        clients = {name: core.refresh(session) for name, session in retired.items()}
        clock.advance(minutes=10)
        back_up.make()
        retired["stolen"] = _an_hour_of_work(core, clients, clock)
        newer_key = core.rotate_signing_key()
    back_up.restore()
    seen: list[Event] = []
    end = subscribe(seen.append)
    with closing(Driver(uri, now_ms=clock)) as core:
        if marked:
            core.ring.mark_restored()
        clock.advance(minutes=1)
        who = {_NAMES[name]: _outcome(core, session) for name, session in clients.items() if name in _NAMES}
        who["a thief with the token before that of the back-up"] = _outcome(core, retired["robbed"])
        clock.advance(minutes=1)
        who["a thief with a token that was retired since"] = _outcome(core, retired["stolen"])
        thefts = sum(isinstance(event, TokenReused) for event in seen)
        end()
        return Result(who, thefts, newer_key in core.ring.reload().keys, _still_detects(core, clock))


_NAMES = {
    "quiet": "who did not refresh since",
    "once": "who refreshed once",
    "twice": "who refreshed twice or more",
    "new": "who signed in since",
    "revoked": "who was signed out since",
}


def _an_hour_of_work(core: Driver, clients: dict[str, IssuedSession], clock: Clock) -> IssuedSession:
    """Return tokens that were replaced in that time."""
    clock.advance(minutes=20)
    clients["once"], clients["twice"] = core.refresh(clients["once"]), core.refresh(clients["twice"])
    clients["new"] = core.create("new")
    core.sessions.revoke([clients["revoked"].handle])
    clock.advance(minutes=20)
    stolen, clients["twice"] = clients["twice"], core.refresh(clients["twice"])
    clock.advance(minutes=20)
    return stolen


def _outcome(core: Driver, session: IssuedSession) -> str:
    answer = core.refresh(session)
    if isinstance(answer, IssuedSession):
        return GOES_ON
    return ACCUSED if isinstance(answer, TokenTheft) else LOGS_IN_AGAIN


def _still_detects(core: Driver, clock: Clock) -> bool:
    """Return whether a thief is found in a session that goes on after the restore."""
    first = core.create("somebody")
    clock.advance(minutes=10)
    second = core.refresh(first)
    clock.advance(minutes=10)
    core.refresh(second)
    return isinstance(core.refresh(first), TokenTheft)


@contextmanager
def _databases(directory: Path) -> Iterator[Iterator[tuple[str, TestDatabase, BackUp]]]:
    def each() -> Iterator[tuple[str, TestDatabase, BackUp]]:
        files, databases = Sqlite(directory), Postgres(server)
        for number in range(2):
            file = files.create()
            yield "SQLite", file, of_sqlite(file, directory / f"backup{number}.db")
        for number in range(2):
            database = databases.create()
            yield "PostgreSQL", database, of_postgres(database, directory / f"{number}.dump", server.binaries)

    with postgres() as server:
        yield each()


def main() -> int:
    """Hold the drill four times and print who is refused; 1 if an honest user is accused, or a thief not."""
    bad = 0
    server_clock.server_now_ms = lambda _: None  # PostgreSQL is to go by the clock that is moved
    with tempfile.TemporaryDirectory() as directory, _databases(Path(directory)) as databases:
        for number, (kind, database, back_up) in enumerate(databases):
            marked = bool(number % 2)
            found = drill(database.uri, back_up, Clock(), marked=marked)
            print(f"\n{kind}, {'after `supertokens restored`' if marked else 'as it is'}:")
            for name, outcome in found.who.items():
                print(f"  {name:58}  {outcome}")
            print(f"  thefts reported: {found.thefts}; a theft after that is found: {found.still_detects}")
            bad += found.thefts != THIEVES or not found.still_detects
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
