"""No command prints the password of a connection URI, however the URI is written."""

from __future__ import annotations

import logging

import pytest

from supertokens_py.cli import serve

from .conftest import Runner

PASSWORD = "pa1S3CRET"
POSTGRES = (
    f"postgresql://shop:{PASSWORD}@127.0.0.1:1/shop",
    f"postgresql://shop:x/{PASSWORD}@127.0.0.1:1/shop",
    f"postgresql://shop:x?{PASSWORD}@127.0.0.1:1/shop",
    f"postgresql://shop:x%23{PASSWORD}@127.0.0.1:1/shop?connect_timeout=1",
    f"postgresql://127.0.0.1:1/shop?user=shop&password={PASSWORD}",
    f"host=127.0.0.1 port=1 user=shop password={PASSWORD} dbname=shop",
    f"mysql://shop:{PASSWORD}@127.0.0.1:1/shop",
)
CORES = (
    f"http://shop:{PASSWORD}@127.0.0.1:1",
    f"http://shop:x/{PASSWORD}@127.0.0.1:1",
    f"http://shop:1/{PASSWORD}@127.0.0.1:1",
    f"http://127.0.0.1:1;http://shop:x#{PASSWORD}@127.0.0.1:1",
)
COMMANDS = (
    ("serve",),
    ("doctor",),
    ("sessions", "list", "u"),
    ("keys", "list"),
    ("keys", "rotate"),
    ("clean",),
    ("schema",),
)


@pytest.mark.parametrize("uri", POSTGRES + CORES)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_prints_a_password(
    run: Runner,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    command: tuple[str, ...],
    uri: str,
) -> None:
    """Neither where it names the store that it uses, nor where the store cannot be reached or understood."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SUPERTOKENS_CONNECTION_URI", uri)
    monkeypatch.setenv("SUPERTOKENS_POOL_TIMEOUT", "0.1")
    monkeypatch.setenv("SUPERTOKENS_API_KEYS", "")
    monkeypatch.setenv("SUPERTOKENS_ALLOW_NO_API_KEY", "1")
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    monkeypatch.setattr(serve, "_prepare_store", lambda _, **__: None)
    ran = run(*command)
    assert PASSWORD not in ran.out + ran.err + caplog.text
    if command == ("serve",) and uri in POSTGRES[:-1]:
        assert ran.out.startswith("Serving postgresql://shop:***@127.0.0.1:1/shop on ")
