"""The debug log: one JSON object per line, on stderr, once it is asked for."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.constants import VERSION
from supertokens_py.logger import DEBUG_ENV_VAR, NAMESPACE, enable_debug_logging, log_debug_message
from supertokens_py.recipe import session

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def _quiet_again() -> Iterator[None]:
    logger = logging.getLogger(NAMESPACE)
    level, handlers = logger.level, list(logger.handlers)
    yield
    logger.setLevel(level)
    logger.handlers[:] = handlers


def lines(text: str) -> list[tuple[str, dict[str, Any]]]:
    """Return logger and object of each line that is not empty."""
    parts = [line.split(" ", 1) for line in text.splitlines() if line]
    return [(name, json.loads(entry)) for name, entry in parts]


def test_a_line_tells_time_version_message_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    """The place is the caller's; arguments are laid in before the line becomes JSON."""
    enable_debug_logging()
    log_debug_message("hello %s", 'an "argument"')
    ((name, entry),) = lines(capsys.readouterr().err)
    assert name == NAMESPACE
    assert entry.keys() == {"t", "sdkVer", "message", "file"}
    assert entry["t"].endswith("Z")
    assert abs(datetime.fromisoformat(entry["t"]).timestamp() - datetime.now().timestamp()) < 60
    assert (entry["sdkVer"], entry["message"]) == (VERSION, 'hello an "argument"')
    line = test_a_line_tells_time_version_message_and_place.__code__.co_firstlineno + 3
    assert entry["file"] == f"{NAMESPACE}:{line}"


def test_an_error_is_told_with_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """It stays one line."""
    enable_debug_logging()
    try:
        raise LookupError("not here")
    except LookupError:
        logging.getLogger(f"{NAMESPACE}.part").debug("failed", exc_info=True)
    ((name, entry),) = lines(capsys.readouterr().err)
    assert (name, entry["message"]) == (f"{NAMESPACE}.part", "failed")
    assert entry["error"].startswith("Traceback (most recent call last):\n")
    assert entry["error"].endswith("\nLookupError: not here")


def test_switching_on_twice_is_switching_on_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is said before, and no line twice afterwards."""
    log_debug_message("before")
    enable_debug_logging()
    enable_debug_logging()
    log_debug_message("after")
    assert [entry["message"] for _, entry in lines(capsys.readouterr().err)] == ["after"]


@pytest.mark.parametrize(("debug", "expected"), [(True, ["hello"]), (False, []), (None, [])])
def test_init_switches_it_on(
    debug: bool | None, expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Only where it is told so."""
    Supertokens.reset()
    init(
        InputAppInfo("Tests", "http://api.example.com", website_domain="http://example.com"),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init()],
        debug=debug,
    )
    Supertokens.reset()
    capsys.readouterr()  # what is told at the start
    log_debug_message("hello")
    assert [entry["message"] for _, entry in lines(capsys.readouterr().err)] == expected


@pytest.mark.parametrize(("value", "expected"), [("1", ["hello"]), ("0", []), ("", [])])
def test_the_environment_switches_it_on(value: str, expected: list[str]) -> None:
    """When the package is imported."""
    code = "from supertokens_py.logger import log_debug_message; log_debug_message('hello')"
    environ = {**os.environ, DEBUG_ENV_VAR: value}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert [entry["message"] for _, entry in lines(ran.stderr)] == expected
