"""What the engines of all tests share is what each would make, and nothing that belongs to one of them."""

from __future__ import annotations

from contextlib import closing
from operator import attrgetter

import pytest

from supertokens_py.engine.config import EngineConfig, ResolvedEngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.session_state.session_changes import SessionChanges
from supertokens_py.engine.embedded.storage.database import Database
from supertokens_py.engine.session_records import SessionFeatures

PLACES = (
    "clients._counts",
    "email_password._attempts._counts",
    "keys._rows",
    "roles",
    "sessions._details",
    "sessions._rows",
    "sessions._sql",
    "sessions._writer._counts",
    "sessions._writer._former_rows",
    "sessions._writer._inherited_keys._sql",
    "tenants",
)


@pytest.mark.parametrize("place", PLACES)
def test_an_engine_takes_the_statements_of_another_and_nothing_else(place: str) -> None:
    prefix = f"only_{PLACES.index(place)}"  # so that no other test has made them
    features = SessionFeatures(details=True, device_keys=True)
    made, taken = (
        vars(
            attrgetter(place)(
                EmbeddedEngine(
                    "sqlite://",
                    EngineConfig(table_prefix=prefix).resolve({}),
                    keeps_users=True,
                    features=features,
                )
            )
        )
        for _ in range(2)
    )
    assert made.keys() == taken.keys()
    shared = [value for name, value in made.items() if taken[name] is value]
    assert any(type(value).__module__.startswith("sqlalchemy") for value in shared)
    assert not any(isinstance(value, Database | ResolvedEngineConfig | SessionChanges) for value in shared)


@pytest.mark.parametrize("keeps_users", [False, True])
def test_engines_with_other_tables_have_other_statements(keeps_users: bool) -> None:
    """Each finds what was written, in tables of which the other has none."""
    for prefix in ("one", "other"):
        settings = EngineConfig(table_prefix=prefix, clean_up_interval=0).resolve({})
        with closing(EmbeddedEngine("sqlite://", settings, keeps_users=keeps_users)) as engine:
            engine.roles.add("admin", ["read"])
            assert engine.roles.permissions("admin") == ["read"]
            assert engine.tenants.find("public") is not None
