"""What commands and the CDI server find out about a database that applications keep sessions in."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.found_features import found_features
from supertokens_py.engine.session_records import NO_FEATURES, SessionFeatures
from tests.support.databases import Sqlite, TestDatabase

SETTINGS = EngineConfig(table_prefix="shop").resolve({})


@pytest.mark.parametrize("feature", ["details", "events", "revocations"])
def test_a_feature_is_recognised_by_its_table(fresh_shared: TestDatabase, feature: str):
    """Under the prefix that is set, and under no other."""
    names = {"details": "sessions", "events": "events", "revocations": "revocations"}
    assert found_features(fresh_shared.uri, SETTINGS) == NO_FEATURES
    fresh_shared.query(f"CREATE TABLE shop_supertokens_py_{names[feature]} (app_id varchar(64))")
    found: dict[str, Any] = {feature: True}
    if feature == "events":  # how long they are kept is the application's to say
        found |= {"events_retention_days": None, "events_keep_audit": True}
    assert found_features(fresh_shared.uri, SETTINGS) == SessionFeatures(**found)
    assert found_features(fresh_shared.uri, EngineConfig().resolve({})) == NO_FEATURES


def test_looking_makes_no_file(sqlite_files: Sqlite):
    """A database in memory has nothing before its engine has."""
    missing = sqlite_files.create(template=False)
    assert found_features(missing.uri, SETTINGS) == NO_FEATURES
    assert not missing.path.exists()
    assert found_features("sqlite://", SETTINGS) == NO_FEATURES
