"""What the engines of all tests share is what each would make, and nothing that belongs to one of them."""

from __future__ import annotations

from contextlib import closing
from operator import attrgetter

import pytest

from supertokens_py.engine.config import EngineConfig, ResolvedEngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.accounts.user_layout import UserLayout
from supertokens_py.engine.embedded.keys.keys import KeyRing
from supertokens_py.engine.embedded.session_state.session_changes import SessionChanges
from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.engine.session_records import SessionFeatures

#: Never shared.
OWN = (Database, KeyRing, ResolvedEngineConfig, SessionChanges, UserLayout)
PLACES = (
    "_cleaner",
    "accounts",
    "accounts.rows",
    "clients._counts",
    "email_password._attempts._counts",
    "keys._rows",
    "metadata",
    "roles",
    "sessions._details",
    "sessions._lists",
    "sessions._rows",
    "sessions._sql",
    "sessions._users",
    "sessions._writer._counts",
    "sessions._writer._former_rows",
    "sessions._writer._inherited_keys._sql",
    "tenants",
)


@pytest.fixture(scope="module")
def engines() -> tuple[EmbeddedEngine, EmbeddedEngine]:
    """One that makes its statements, since no other test has these tables, and one that takes them."""
    features = SessionFeatures(details=True, device_keys=True)
    one, other = (
        EmbeddedEngine(
            "sqlite://",
            EngineConfig(table_prefix="only_here").resolve({}),
            keeps_users=True,
            features=features,
        )
        for _ in range(2)
    )
    return one, other


@pytest.mark.parametrize("place", PLACES)
def test_an_engine_takes_the_statements_of_another_and_nothing_else(
    engines: tuple[EmbeddedEngine, EmbeddedEngine], place: str
) -> None:
    made, taken = (vars(attrgetter(place)(engine)) for engine in engines)
    assert made.keys() == taken.keys()
    shared = [value for name, value in made.items() if taken[name] is value]
    assert any(type(value).__module__.startswith("sqlalchemy") for value in shared)
    assert not any(isinstance(value, OWN) for value in shared)


@pytest.mark.parametrize("keeps_users", [False, True])
def test_engines_with_other_tables_have_other_statements(keeps_users: bool) -> None:
    """Each finds what was written, in tables of which the other has none."""
    for prefix in ("one", "other"):
        settings = EngineConfig(table_prefix=prefix, clean_up_interval=0).resolve({})
        with closing(EmbeddedEngine("sqlite://", settings, keeps_users=keeps_users)) as engine:
            engine.roles.add("admin", ["read"])
            assert engine.roles.permissions("admin") == ["read"]
            assert engine.tenants.find("public") is not None
