"""What the optional features of sessions cost those who do not use them: no table and no statement."""

from __future__ import annotations

from pathlib import Path

from supertokens_py.engine.records import Verified
from supertokens_py.engine.session_records import SessionFeatures
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.statements import logged_statements

#: The statements as they were before there were such features, by database.
STORED = Path(__file__).parent / "statements"


def life(core: Driver, clock: Clock) -> list[str]:
    """Return the statements of a session's life, with a line before each call."""
    core.create("warm")  # makes what is made once
    core.flush()
    lines: list[str] = []
    with logged_statements(core.database) as log:

        def called(name: str) -> None:
            lines.extend([f"-- {name}", *log])
            log.clear()

        session = core.create("user", payload={"a": 1}, anti_csrf=True)
        called("create")
        assert isinstance(core.verify(session), Verified)
        called("verify against the database")
        clock.advance(minutes=10)
        refreshed = core.refresh(session)
        called("refresh")
        core.refresh(session)
        called("refresh with the previous token")
        core.refresh(refreshed)
        called("refresh with the current token again")
        core.change_row(session.handle, expires_at=clock() - 1)
        log.clear()
        core.refresh(refreshed)
        called("refresh of an expired session")
    return lines


def test_without_features_the_statements_are_those_of_before(
    database: TestDatabase, start: Opener, clock: Clock
):
    """CP-1: of create, verify and refresh, to the letter; and no table of the features is made."""
    core = start(database.uri, now_ms=clock)
    kind = "postgresql" if database.kind == "postgresql" else "sqlite"
    assert life(core, clock) == (STORED / f"{kind}.sql").read_text().splitlines()
    assert [one.name for one in core.database.tables.all() if "supertokens_py" in one.name] == []
    names = "tablename FROM pg_tables" if kind == "postgresql" else "tbl_name FROM sqlite_master"
    tables = [name for (name,) in database.query(f"SELECT {names}") if "supertokens_py" in name]
    assert tables == []


def test_a_log_tells_the_features_apart(database: TestDatabase, start: Opener, clock: Clock):
    """CP-1: the log would show a statement of a feature, wherever it is run."""
    core = start(database.uri, now_ms=clock, features=SessionFeatures(details=True))
    with logged_statements(core.database) as log:
        core.refresh(core.create("user"))
    assert len([one for one in log if "supertokens_py_sessions" in one]) >= 2
