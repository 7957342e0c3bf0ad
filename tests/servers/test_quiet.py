"""The package talks to nobody: no telemetry, no list that is fetched, no connection of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SESSION_LIFE = """
import sys

calls = []
# Audit hooks see every look-up and connection, whichever library makes it.
watched = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
sys.addaudithook(lambda event, args: calls.append((event, args[1:])) if event in watched else None)

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.session import syncio

init(
    app_info=InputAppInfo(
        app_name="Quiet", api_domain="https://api.example.co.uk", website_domain="https://www.example.co.uk"
    ),
    supertokens_config=SupertokensConfig(connection_uri=sys.argv[1]),
    recipe_list=[session.init()],
)
created = syncio.create_new_session_without_request_response("public", "ada")
tokens = created.get_all_session_tokens_dangerously()
assert syncio.get_session_without_request_response(tokens["accessToken"]) is not None
syncio.refresh_session_without_request_response(tokens["refreshToken"])
syncio.get_jwks()
assert syncio.revoke_session(created.get_handle())
print(calls)
"""


@pytest.mark.quick
def test_the_whole_life_of_a_session_opens_no_connection(tmp_path: Path) -> None:
    """Import, `init`, create, verify, refresh, JWKS and revoke on SQLite."""
    command = [sys.executable, "-W", "error", "-c", SESSION_LIFE, f"sqlite:///{tmp_path}/sessions.db"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
