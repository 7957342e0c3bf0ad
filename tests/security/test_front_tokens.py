"""The front token carries whatever a payload holds: one line of ASCII that a browser reads back unchanged."""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supertokens_py.recipe.session import syncio
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import Sqlite
from tests.support.programs import node

from .fuzz import corpus

#: What the official frontend does with the header.
READ = """
const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");
for (const line of lines) console.log(JSON.stringify(JSON.parse(decodeURIComponent(escape(atob(line))))));
"""
PAYLOADS: list[dict[str, Any]] = corpus("payloads")
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module", autouse=True)
def app(sqlite_files: Sqlite) -> Iterator[None]:
    site = Site("flask", sqlite_files.create().uri, Clock())
    site.init()
    yield
    site.close()


def front_token_of(payload: dict[str, Any]) -> str:
    session = syncio.create_new_session_without_request_response("public", "u1", payload)
    return session.get_all_session_tokens_dangerously()["frontToken"]


def own(up: dict[str, Any]) -> dict[str, Any]:
    """Return what the application put in, without the claims of every token."""
    given = {"iat", "exp", "sub", "tId", "rsub", "sessionHandle", "refreshTokenHash1"}
    given |= {"parentRefreshTokenHash1", "antiCsrfToken", "iss"}
    assert given <= up.keys()
    return {name: value for name, value in up.items() if name not in given}


@given(st.sampled_from(PAYLOADS) | st.dictionaries(TEXT, JSON, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_payload_is_carried(payload: dict[str, Any]) -> None:
    token = front_token_of(payload)
    assert token.isascii()
    assert token.isprintable()
    read = json.loads(b64decode(token, validate=True).decode())
    assert list(read) == ["uid", "ate", "up"]
    assert read["uid"] == read["up"]["sub"] == "u1"
    assert own(read["up"]) == payload


def test_a_browser_reads_every_payload_of_the_corpus() -> None:
    """JavaScript's own base64, UTF-8 and JSON see what Python put in."""
    tokens = "\n".join(front_token_of(payload) for payload in PAYLOADS)
    run = subprocess.run([node(), "-e", READ], input=tokens, capture_output=True, text=True, check=True)
    read = [json.loads(line) for line in run.stdout.rstrip("\n").split("\n")]
    assert [own(front["up"]) for front in read] == PAYLOADS
    assert {front["uid"] for front in read} == {"u1"}
