"""Greenlets in place of threads: real gevent and eventlet servers with the Flask example in them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.harness import EXAMPLES, Kind, gunicorn, running
from tests.servers.visitor import Mode, Visitor
from tests.support.databases import TestDatabase

TOGETHER = 20
GEVENT = Kind("flask-gevent", EXAMPLES / "flask", gunicorn("app:app", "-k", "gevent", "--workers", "2"))
# gunicorn has no eventlet workers any more: eventlet's own server has to do.
_EVENTLET = """
import eventlet
eventlet.monkey_patch()
import socket, sys
from eventlet import wsgi
from app import app
wsgi.server(eventlet.greenio.GreenSocket(socket.socket(fileno=int(sys.argv[1]))), app, log_output=False)
"""
EVENTLET = Kind(
    "flask-eventlet", EXAMPLES / "flask", (sys.executable, "-W", "ignore", "-c", _EVENTLET, "{fd}")
)


def end_of_grace(uri: str) -> None:
    """Make the grace period of the one session of a database end: nobody waits for it."""
    kind = "sqlite-file" if uri.startswith("sqlite") else "postgresql"
    TestDatabase(kind, uri).query(
        "UPDATE session_info SET refresh_token_rotated_at = refresh_token_rotated_at - 60000"
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", ["cookie", "header"])
@pytest.mark.parametrize("kind", [GEVENT, EVENTLET], ids=lambda kind: kind.name)
def test_a_conversation_with_a_server_of_greenlets(kind: Kind, fresh_database: str, mode: Mode) -> None:
    """Create, verify, change, refresh alone and twenty at once, be found out, sign out."""
    with running(kind, fresh_database) as server, server.client() as http:
        visitor = Visitor(http, mode)
        assert visitor.login().status_code == 200
        assert visitor.get("/api/verified").json() == {"user": "ada", "checked": "database"}
        assert visitor.post("/api/visits").json() == {"visits": 1}
        first = visitor.refresh_token
        assert visitor.refresh().status_code == 200

        def tab(_: int) -> tuple[int, str, int]:
            one = Visitor(http, mode, refresh_token=visitor.refresh_token)
            status = one.refresh().status_code
            return status, one.refresh_token, one.get("/api/verified").status_code

        with ThreadPoolExecutor(TOGETHER) as pool:
            answers = set(pool.map(tab, range(TOGETHER)))
        assert {(status, seen) for status, _, seen in answers} == {(200, 200)}
        assert len({token for _, token, _ in answers}) == 1
        end_of_grace(fresh_database)
        assert visitor.refresh(first).status_code == 401  # replaced longer ago: the session is over
        assert visitor.login().status_code == 200
        assert visitor.sign_out().status_code == 200
        assert "Traceback" not in server.logs()
