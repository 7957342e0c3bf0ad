"""The front token carries whatever a payload holds: one line of ASCII that a browser reads back unchanged."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import Sqlite
from tests.support.programs import node

from .front_tokens import KNOWN, front_token_of, fuzz_payloads, own, require_carried

#: What the official frontend does with the header.
READ = """
const lines = require("fs").readFileSync(0, "utf8").trim().split("\\n");
for (const line of lines) console.log(JSON.stringify(JSON.parse(decodeURIComponent(escape(atob(line))))));
"""


@pytest.fixture(scope="module", autouse=True)
def app(sqlite_files: Sqlite) -> Iterator[None]:
    site = Site("flask", sqlite_files.create().uri, Clock())
    site.init()
    yield
    site.close()


def test_any_payload_is_carried() -> None:
    """`scripts/fuzz payloads`, cut short, and every payload of the corpus."""
    for payload in KNOWN:
        require_carried(payload)
    assert fuzz_payloads(100, seed=3) >= 100


def test_a_browser_reads_every_payload_of_the_corpus() -> None:
    """JavaScript's own base64, UTF-8 and JSON see what Python put in."""
    tokens = "\n".join(front_token_of(payload) for payload in KNOWN)
    run = subprocess.run([node(), "-e", READ], input=tokens, capture_output=True, text=True, check=True)
    read = [json.loads(line) for line in run.stdout.rstrip("\n").split("\n")]
    assert [own(front["up"]) for front in read] == KNOWN
    assert {front["uid"] for front in read} == {"u1"}
