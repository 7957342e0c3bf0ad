"""`supertokens_py.doctor` as a library: records instead of lines, for a page or a health check."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, doctor, init
from supertokens_py.doctor import Finding, WebSettings
from supertokens_py.doctor.database import findings_of
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded.inspection import inspect_database
from supertokens_py.engine.embedded.pooler_facts import PoolerFacts
from supertokens_py.engine.embedded.storage.url import locate
from supertokens_py.recipe import session
from tests.engine.conftest import empty_database, fresh_shared, start
from tests.support.databases import TestDatabase

__all__ = ["empty_database", "fresh_shared", "start"]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONNECTION_URI", "ENCRYPTION_KEY", "TABLE_PREFIX", "API_KEY"):
        monkeypatch.delenv(f"SUPERTOKENS_{name}", raising=False)


def test_findings_are_records(tmp_path: Path) -> None:
    """Database first, then what a browser would make of the domains."""
    web = WebSettings(api_domain="http://localhost:8000", website_domain="http://localhost:3000")
    found = doctor.run(connection_uri=f"sqlite:///{tmp_path}/new.db", web=web)
    missing = f"there is no database {tmp_path}/new.db: nobody has a session yet"
    assert (found[0].level, found[0].topic, found[0].text) == ("warning", "database", missing)
    assert [finding.topic for finding in found[1:]] == ["domains", "CORS", "cookies", "cookies"]
    assert doctor.worst(found) == "warning"
    assert not (tmp_path / "new.db").exists()


def test_the_tables_of_features_are_no_others(fresh_shared: TestDatabase) -> None:
    """They are ours, under whichever prefix."""
    for prefix, count in (("", 0), ("shop_", 1)):
        fresh_shared.query(f"CREATE TABLE {prefix}supertokens_py_revocations (seq int)")
        found = doctor.run(connection_uri=fresh_shared.uri)
        assert len([one for one in found if "not to be touched" in one.text]) == count


def test_paths_in_the_domains_of_an_application_are_found() -> None:
    """With the place where they belong; `init` takes them."""
    Supertokens.reset()
    init(
        InputAppInfo("Shop", "https://api.example.com/v1", website_domain="https://example.com/shop"),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init()],
    )
    web = doctor.web_settings_of(Supertokens.get_instance())
    Supertokens.reset()
    assert [(one.text, one.advice) for one in doctor.run(web=web) if one.level == "warning"] == [
        (
            "api_domain has a path, /v1, which is dropped, as origins have none",
            'set api_base_path="/v1/auth", or api_gateway_path="/v1" where a gateway strips it',
        ),
        (
            "website_domain has a path, /shop, which is dropped, as origins have none",
            'set website_base_path="/shop/auth"',
        ),
    ]


def test_nothing_asked_is_nothing_found() -> None:
    """Both parts can be left out."""
    assert doctor.run() == []
    assert doctor.worst([]) == "ok"


@pytest.mark.parametrize(
    ("uri", "config", "part"),
    [
        ("mysql://localhost/db", EngineConfig(), "connection_uri starts with 'mysql'"),
        ("sqlite://", EngineConfig(access_token_validity=-1), "EngineConfig.access_token_validity"),
    ],
)
def test_a_setting_that_cannot_work_is_a_finding(uri: str, config: EngineConfig, part: str) -> None:
    """As `init` would refuse it."""
    (found,) = doctor.run(connection_uri=uri, engine_config=config)
    assert (found.level, found.topic) == ("error", "settings")
    assert part in found.text


def test_a_foreign_table_of_our_name_is_named(sqlite_files: TestDatabase) -> None:
    """What it lacks is said, and its rows are not read."""
    database = sqlite_files.create(template=False)
    for table in ("session_info", "tenants", "session_access_token_signing_keys", "jwt_signing_keys"):
        database.query(f"CREATE TABLE {table} (id integer)")
    database.query("CREATE TABLE key_value (id integer)")
    errors = [item.text for item in doctor.run(connection_uri=database.uri) if item.level == "error"]
    assert len(errors) == 5
    assert all("it is no table of a core of version 9 or later" in text for text in errors)


@pytest.mark.parametrize(
    ("pooler", "others", "listen_uri", "told"),
    [
        (
            PoolerFacts(lends_by_transaction=True, tracks_statements=False),
            ["supertokens_py_revocations"],
            None,
            [
                Finding(
                    "ok",
                    "pooler",
                    "there is one in between (transaction mode); it does not track prepared statements, and "
                    "gets none",
                ),
                Finding(
                    "note",
                    "pooler",
                    "revoked sessions are seen every second only: a pooler tells nobody of them",
                    "set EngineConfig(listen_uri=...) or SUPERTOKENS_LISTEN_URI to a direct connection",
                ),
            ],
        ),
        (
            PoolerFacts(lends_by_transaction=False, tracks_statements=True),
            ["supertokens_py_revocations"],
            "postgresql://direct/auth",
            [
                Finding(
                    "ok",
                    "pooler",
                    "there is one in between (session mode, or with much to do); it tracks prepared "
                    "statements, and gets none",
                ),
                Finding("ok", "pooler", "revoked sessions are heard of beside it, by listen_uri"),
            ],
        ),
        (
            PoolerFacts(lends_by_transaction=True, tracks_statements=True),
            [],
            None,
            [
                Finding(
                    "ok",
                    "pooler",
                    "there is one in between (transaction mode); it tracks prepared statements, and gets "
                    "none",
                )
            ],
        ),
    ],
)
def test_what_a_pooler_means(
    sqlite_database: TestDatabase,
    pooler: PoolerFacts,
    others: list[str],
    listen_uri: str | None,
    told: list[Finding],
) -> None:
    """How it lends connections, and how soon sessions that were revoked are seen behind it."""
    settings = EngineConfig(listen_uri=listen_uri).resolve()
    facts = inspect_database(locate(sqlite_database.uri), settings)
    facts = replace(facts, pooler=pooler, layout=replace(facts.layout, others=others))
    found = findings_of(facts, settings, is_sqlite=False)
    assert [finding for finding in found if finding.topic == "pooler"] == told
