"""Greenlets in place of threads: real gevent and eventlet servers with the Flask example in them."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.servers.harness import EXAMPLES, Kind, gunicorn, running
from tests.servers.visitor import Mode, Visitor
from tests.support.databases import end_of_grace

TOGETHER = 20
GEVENT = Kind("flask-gevent", EXAMPLES / "flask", gunicorn("app:app", "-k", "gevent", "--workers", "2"))
PATCHED = "eventlet has patched Python"
# gunicorn has no eventlet workers any more: eventlet's own server has to do.
_EVENTLET = f"""
import eventlet
eventlet.monkey_patch()
import socket, sys
print({PATCHED!r}, flush=True)
from eventlet import wsgi
from app import app
wsgi.server(eventlet.greenio.GreenSocket(socket.socket(fileno=int(sys.argv[1]))), app, log_output=False)
"""
EVENTLET = Kind(
    "flask-eventlet", EXAMPLES / "flask", (sys.executable, "-W", "ignore", "-c", _EVENTLET, "{fd}")
)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "kind", [GEVENT, pytest.param(EVENTLET, marks=pytest.mark.real)], ids=lambda kind: kind.name
)
def test_a_conversation_with_a_server_of_greenlets(kind: Kind, fresh_database: str) -> None:
    """Create, verify, change, refresh alone and twenty at once, be found out, sign out."""
    modes: tuple[Mode, ...] = ("cookie", "header")
    with running(kind, fresh_database) as server, server.client() as http:
        for mode in modes:
            converse(Visitor(http, mode), mode, fresh_database)
        # Where pyOpenSSL is installed, eventlet reports that it could not patch that.
        assert "Traceback" not in server.logs().rpartition(PATCHED)[2]


def converse(visitor: Visitor, mode: Mode, uri: str) -> None:
    assert visitor.login().status_code == 200
    assert visitor.get("/api/verified").json() == {"user": "ada", "checked": "database"}
    assert visitor.post("/api/visits").json() == {"visits": 1}
    first = visitor.refresh_token
    assert visitor.refresh().status_code == 200

    def tab(_: int) -> tuple[int, str, int]:
        one = Visitor(visitor.http, mode, refresh_token=visitor.refresh_token)
        status = one.refresh().status_code
        return status, one.refresh_token, one.get("/api/verified").status_code

    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = set(pool.map(tab, range(TOGETHER)))
    assert {(status, seen) for status, _, seen in answers} == {(200, 200)}
    assert len({token for _, token, _ in answers}) == 1
    end_of_grace(uri)
    assert visitor.refresh(first).status_code == 401  # replaced longer ago: the session is over
    assert visitor.login().status_code == 200
    assert visitor.sign_out().status_code == 200
