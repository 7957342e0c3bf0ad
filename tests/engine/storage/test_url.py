"""Which database a connection URI means."""

from __future__ import annotations

from pathlib import Path

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.storage.url import locate
from supertokens_py.exceptions import ConfigError


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_has_three_spellings(scheme: str):
    """All mean psycopg 3; the name in messages hides the password and the options."""
    found = locate(f"{scheme}://me:p%40ss@host:5433/db?sslmode=require")
    assert found.kind == "postgresql"
    assert found.url.drivername == "postgresql+psycopg"
    assert (found.url.password, dict(found.url.query)) == ("p@ss", {"sslmode": "require"})
    assert found.name == "postgresql://me:***@host:5433/db"


@pytest.mark.parametrize("uri", ["sqlite://", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"])
def test_memory_has_several_spellings(uri: str):
    """An empty name is memory, as for SQLite itself."""
    assert locate(uri).kind == "sqlite-memory"


def test_a_relative_file_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A daemon that changes its directory later must not open another file."""
    monkeypatch.chdir(tmp_path)
    found = locate("sqlite:///data/x.db")
    monkeypatch.chdir("/")
    assert (found.kind, found.name) == ("sqlite-file", str(tmp_path / "data/x.db"))


def test_a_file_uri_is_left_alone():
    """SQLite reads it by itself."""
    assert locate("sqlite:///file:/x.db?mode=ro&uri=true").name == "file:/x.db"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("nonsense", "no address that is understood"),
        ("sqlite:///", "names no file"),
        ("core.example.com", "leads to a SuperTokens core"),
        ("sqlite://x.db", "three slashes"),
        ("sqlite://?a:b@c:9x", "is not a database URL"),
        ("mysql://host/db", "starts with 'mysql'"),
        ("postgresql+psycopg2://host/db", "starts with 'postgresql\\+psycopg2'"),
        ("sqlite+aiosqlite:///x.db", "starts with 'sqlite\\+aiosqlite'"),
    ],
)
def test_other_databases_are_refused(uri: str, message: str):
    """The message says which forms there are."""
    with pytest.raises(ConfigError, match=message):
        EmbeddedEngine(uri, EngineConfig().resolve({}))


def test_making_an_engine_opens_nothing(tmp_path: Path):
    """Interface: it connects at its first use."""
    engine = EmbeddedEngine(f"sqlite:///{tmp_path}/x.db", EngineConfig().resolve({}))
    EmbeddedEngine("postgresql://nobody@192.0.2.1/none", EngineConfig().resolve({}))
    assert list(tmp_path.iterdir()) == []
    assert repr(engine) == f"EmbeddedEngine({tmp_path}/x.db)"
    engine.close()


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """The extra `[postgres]`."""
    import sys

    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigError, match=r"needs.* the extra 'postgres' \(docs/installation.md\)"):
        EmbeddedEngine("postgresql://host/db", EngineConfig().resolve({}))


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("POSTGRESQL://me@host/db", "postgresql://me@host/db"),
        ("postgresql+psycopg://me@host/db\n", "postgresql://me@host/db"),
        ("postgresql://me:x@a:1,b:2/db?target_session_attrs=any", "postgresql://me:***@a:1,b:2/db"),
        ("postgresql://me@a,b/db", "postgresql://me@a,b/db"),
        ("postgresql://me@%2Frun%2Fpg:5433/db", "postgresql://me@%2Frun%2Fpg:5433/db"),
        ("postgresql:///db?host=/run/pg", "postgresql://%2Frun%2Fpg/db"),
        ("postgresql://[::1]:5432/db", "postgresql://[::1]:5432/db"),
        ("postgresql:///?service=shop", "postgresql:///"),
        ("host=a port=5 dbname=db user=me password='x y'", "postgresql://me:***@a:5/db"),
        ("postgresql://me:a/b?c#d:e&f[@host/db?ssl=true", "postgresql://me:***@host/db"),
    ],
)
def test_every_form_of_libpq_is_understood(uri: str, name: str):
    """Sockets, several hosts, services, key=value; a password with "/", "?" or "#" as they are."""
    assert locate(uri).name == name


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://me:x@a:1,b:2/db", {"host": "a,b", "port": "1,2", "password": "x"}),
        ("postgresql://me:x@a:1/db", {"host": "a", "port": "1", "password": "x"}),
        ("postgresql://me@%2Frun%2Fpg:5433/db", {"host": "/run/pg", "port": "5433"}),
        ("host=a password='x y' dbname=db user=me", {"host": "a", "password": "x y"}),
        (
            "postgresql://me:a/b?c#d%40@h/db?ssl=true",
            {"host": "h", "password": "a/b?c#d@", "sslmode": "require"},
        ),
        ("postgresql://me@h/db?sslmode=disable&prepare_threshold=3", {"host": "h", "sslmode": "disable"}),
    ],
)
def test_the_driver_gets_what_libpq_reads(uri: str, expected: dict[str, str]):
    """Nothing is read twice by two sets of rules."""
    url = locate(uri).url.difference_update_query(["prepare_threshold"])
    arguments = url.get_dialect()().create_connect_args(url)[1]
    assert {name: str(value) for name, value in arguments.items()} == {
        "user": "me",
        "dbname": "db",
    } | expected


def test_a_file_without_a_write_ahead_log_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """As on a network drive, where SQLite answers with another mode instead of an error."""
    uri = f"sqlite:///file:{tmp_path}/x.db?uri=true&vfs=unix-none"
    engine = EmbeddedEngine(uri, EngineConfig().resolve({}))
    try:
        engine.tenants.all()
    finally:
        engine.close()
    assert "SQLite keeps its journal in mode delete" in caplog.text
