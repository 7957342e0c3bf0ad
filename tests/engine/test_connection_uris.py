"""Connection URIs that can only be wrong: told by `init`, not by the first log-in, and without a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.uris import check_connection_uri, check_location, core_hosts, kind_of
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session


def refusal(uri: str) -> str:
    """Return what `init` says to a URI."""
    Supertokens.reset()
    app_info = InputAppInfo("Test", "http://localhost:8000", website_domain="http://localhost:3000")
    with pytest.raises(ConfigError) as caught:
        init(app_info, supertokens_config=SupertokensConfig(uri), recipe_list=[session.init()])
    assert Supertokens.current() is None
    return f"{caught.value} {caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("postgresql://u:S3cret@h/db?pgbouncer=true&connection_limit=1", "no option 'pgbouncer'; remove it"),
        ("postgresql://u:S3cret@h/db?sslmode=prefer&supa=base-pooler.x", "no option 'supa'"),
        (
            "postgresql://u:S3cret@h/db?currentSchema=auth",
            r"'currentSchema'; set EngineConfig(table_schema=...)",
        ),
        ("postgresql://u:S3cret@h/db?schema=auth", "SUPERTOKENS_TABLE_SCHEMA"),
        ("postgresql://u:S3cret@h/db?connection_limit=1", "SUPERTOKENS_POOL_SIZE"),
        ("postgresql://u:S3cret@h/db?sslmode=required", "sslmode must be one of disable, allow"),
        ("postgresql://u:S3cret@h:54x/db", "a port must be a whole number"),
        ("postgresql://u:S3cret@h:65536/db", "a port must be a whole number"),
        ("postgresql://u:S3cret@a,b,c/db?port=1,2", "3 hosts and 2 ports"),
        ("postgresql://u:S3cret@h/db?application_name", "give every option a value"),
        ("postgresql://u:S3c@ret@h/db", 'more than one "@"'),
        ("postgresql://u:S3c@r/e#t@h/db", 'more than one "@"'),
        ("postgresql://u:S3c@r?e=t@h/db", "percent-encode"),
        ("postgresql://S3cret@r@h/db", 'more than one "@"'),
        ("postgresql://u:S3cret%zz@h/db", "percent-encode"),
        ("host=h password=S3cret dbname", "percent-encode"),
        ("host=h S3cret=5", "percent-encode"),
        ("[S3cret", "no address that is understood"),
        ("u:S3cret@h/db", "no address that is understood"),
        ("u:S3cret@db.example.com/x", "no address that is understood"),
        ("mysql://u:S3cret@h/db", "starts with 'mysql'"),
        ("http://u:S3c/ret@core:3567", "an address with a password is not"),
        ("http://core;https://u:S3cret@core:35x", "an address with a password is not"),
        ("sqlite://file.db", "three slashes"),
    ],
)
def test_what_can_only_be_wrong_is_told_by_init(uri: str, words: str):
    """The message says what to write instead; no part of a password is in it, nor in what caused it."""
    said = refusal(uri)
    assert words in said
    assert [part for part in ("S3c", "ret", "r/e", "r?e") if part in said.replace("secret", "")] == []


def test_the_directory_of_a_file_must_exist(tmp_path: Path):
    """Else every log-in would be answered 503."""
    assert f"the directory {tmp_path}/missing of the SQLite file does not exist" in refusal(
        f"sqlite:///{tmp_path}/missing/x.db"
    )
    check_location(f"sqlite:///{tmp_path}/x.db")


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("localhost:3567", ["http://localhost:3567"]),
        ("127.0.0.1:3567/base", ["http://127.0.0.1:3567/base"]),
        ("core.example.com", ["https://core.example.com"]),
        ("http://localhost:9;example.com:3567", ["http://localhost:9", "https://example.com:3567"]),
        ("example.com;HTTP://localhost:9", ["https://example.com", "http://localhost:9"]),
    ],
)
def test_the_address_of_a_core_may_lack_its_scheme(uri: str, expected: list[str]):
    """As in 0.24: http for localhost and IP addresses, https for names."""
    check_connection_uri(uri)
    assert kind_of(uri) == "core"
    assert [parts.geturl() for parts in core_hosts(uri)] == expected
