"""Which database a connection URI means."""

from __future__ import annotations

from pathlib import Path

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.location import locate
from supertokens_py.exceptions import ConfigError


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_has_three_spellings(scheme: str):
    """All mean psycopg 3; the name in messages hides the password and the options."""
    found = locate(f"{scheme}://me:p%40ss@host:5433/db?sslmode=require")
    assert found.kind == "postgresql"
    assert found.url.drivername == "postgresql+psycopg"
    assert (found.url.password, dict(found.url.query)) == ("p@ss", {"sslmode": "require"})
    assert found.name == "postgresql://me:***@host:5433/db"


@pytest.mark.parametrize(
    "uri", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///file:x?mode=memory&uri=true"]
)
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
        ("nonsense", "not a database URL"),
        ("sqlite://x.db", "three slashes"),
        ("mysql://host/db", "driver 'mysql'"),
        ("postgresql+psycopg2://host/db", "driver 'postgresql\\+psycopg2'"),
        ("sqlite+aiosqlite:///x.db", "driver 'sqlite\\+aiosqlite'"),
    ],
)
def test_other_databases_are_refused(uri: str, message: str):
    """With the forms that there are."""
    with pytest.raises(ConfigError, match=message) as caught:
        EmbeddedEngine(uri, EngineConfig().resolve({}))
    assert "sqlite:///file.db" in str(caught.value)


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
    with pytest.raises(ConfigError, match=r"pip install 'supertokens-py\[postgres\]'"):
        EmbeddedEngine("postgresql://host/db", EngineConfig().resolve({}))
