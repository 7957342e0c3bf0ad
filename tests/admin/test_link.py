"""`supertokens admin`: a link that works once, on this machine, on the database that is named."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
import uvicorn
from starlette.testclient import TestClient

from supertokens_py.admin import local
from supertokens_py.admin.link_access import LINK_S, VISIT_S, LinkAccess
from supertokens_py.admin.local import LocalAdmin, local_admin
from supertokens_py.cli import main
from supertokens_py.engine.session_records import SessionFeatures
from supertokens_py.events import AdminActed, Event, subscribe
from tests.admin.conftest import HERE
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

PORT = 4567
HOST = f"http://127.0.0.1:{PORT}"


class Monotonic:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def core() -> Iterator[Driver]:
    driver = Driver("sqlite://", features=SessionFeatures(events=True, details=True))
    yield driver
    driver.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    clock = Monotonic()

    def access(**named: Any) -> LinkAccess:
        return LinkAccess(**named, now_s=clock)

    monkeypatch.setattr(local, "LinkAccess", access)
    return clock


def made(core: Driver, *, writes: bool = True) -> LocalAdmin:
    return local_admin(core.engine, findings=list, actor_id="ann@host", port=PORT, writes=writes)


def browser(admin: LocalAdmin) -> TestClient:
    """Return a browser; addresses that begin with no slash are below the page's own folder."""
    place = admin.link.removeprefix(HOST).partition("enter?")[0]
    return TestClient(admin.app, base_url=HOST + place, follow_redirects=False)


def test_the_link_works_once(core: Driver, clock: Monotonic) -> None:
    """It is exchanged for a cookie; another browser gets nothing, with it or without."""
    admin = made(core)
    client = browser(admin)
    assert client.get("/").status_code == 401
    entered = client.get(admin.link)
    assert (entered.status_code, entered.headers["location"]) == (303, "./")
    cookie = entered.headers["set-cookie"]
    assert cookie.startswith(f"sAdmin{PORT}=")
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "token" not in cookie
    assert client.get("/").status_code == 200
    other = browser(admin)
    assert other.get(admin.link).status_code == 403
    assert other.get("/").status_code == 401
    other.cookies.set(f"sAdmin{PORT}", "x")
    assert other.get("/").status_code == 401


def test_a_program_on_another_port_does_not_get_the_cookie(core: Driver, clock: Monotonic) -> None:
    """Ports share cookies: it is for a folder whose name nobody else knows, and which is new each time."""
    admin, another = made(core), made(core)
    client = browser(admin)
    cookie = client.get(admin.link).headers["set-cookie"]
    place = admin.link.removeprefix(HOST).partition("enter?")[0]
    assert f"Path={place.removesuffix('/')};" in cookie
    assert place != another.link.removeprefix(HOST).partition("enter?")[0]
    outside = TestClient(admin.app, base_url=HOST, cookies=client.cookies, follow_redirects=False)
    assert [outside.get(path).status_code for path in ("/", "/user?id=ada", "/enter", "/admin.css")] == [
        404
    ] * 4


def test_the_link_is_valid_for_a_minute(core: Driver, clock: Monotonic) -> None:
    """And the browser that followed it in time may go on for an hour."""
    late = made(core)
    clock.now_s += LINK_S
    assert browser(late).get(late.link).status_code == 403
    admin = made(core)
    client = browser(admin)
    clock.now_s += LINK_S - 1
    client.get(admin.link)
    clock.now_s += VISIT_S - 1
    assert client.get("/").status_code == 200
    clock.now_s += 1
    assert client.get("/").status_code == 401


def test_a_wrong_token_does_not_use_the_link_up(core: Driver, clock: Monotonic) -> None:
    """Neither does a browser that fetches ahead, nor one that asks for headers only."""
    admin = made(core)
    client = browser(admin)
    for wrong in ("/enter", "/enter?token=", "/enter?token=x", "/enter?token=%ED%A0%80"):
        assert client.get(wrong).status_code == 403
    assert client.head(admin.link).status_code == 400
    assert client.get(admin.link, headers={"sec-purpose": "prefetch;prerender"}).status_code == 400
    assert client.get(admin.link).status_code == 303


@pytest.mark.parametrize(
    "host", ["evil.test", "evil.test:4567", "127.0.0.1", "127.0.0.1:80", "localhost:1", ""]
)
def test_only_this_host_is_answered(core: Driver, clock: Monotonic, host: str) -> None:
    """CP-38: a name that a stranger's DNS maps to this machine gets nothing, not even the style sheet."""
    admin = made(core)
    client = browser(admin)
    for path in (admin.link, "/", "/admin.css"):
        assert client.get(path, headers={"host": host}).status_code == 421
    assert client.get(admin.link, headers={"host": f"LOCALHOST:{PORT}"}).status_code == 303


def test_sessions_are_ended_by_who_started_it(core: Driver, clock: Monotonic) -> None:
    """CP-38: with the same second page, token and check of the origin; others, all, one."""
    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    first, second, third = (core.create("ada").handle for _ in range(3))
    admin = made(core)
    client = browser(admin)
    client.get(admin.link)

    def end(page: str, asked_on: str = "") -> str:
        shown = client.get(asked_on or page).text
        token = re.search(r'name="form_token" value="(\w+)"', shown)
        assert token is not None
        data = {"form_token": token[1]}
        assert client.post(page, data=data, headers={"sec-fetch-site": "same-site"}).status_code == 403
        return client.post(page, data=data, headers=HERE).headers["location"]

    assert end(f"/revoke?handle={first}") == "user?id=ada&ended=1"
    assert end(f"/revoke?handle={third}&others=1") == "user?id=ada&ended=1"
    assert end("/revoke?user=ada") == "user?id=ada&ended=1"
    unsubscribe()
    core.create("eve")
    ended = f"/revoke?handle={third}&others=1"
    assert end(ended, asked_on="/revoke?user=eve") == f"session?handle={third}&ended=0"
    assert [core.events.of_session(one)[-1].actor_id for one in (first, second, third)] == ["ann@host"] * 3
    assert [event.target for event in events if isinstance(event, AdminActed)] == [
        f"session {first}",
        f"sessions other than {third}",
        "sessions of user ada",
    ]


def test_without_writes_it_shows(core: Driver, clock: Monotonic) -> None:
    """Payloads, too: whoever may start it may read the database."""
    handle = core.create("ada", payload={"plan": "pro"}).handle
    admin = made(core, writes=False)
    client = browser(admin)
    client.get(admin.link)
    assert "pro" in client.get(f"/session?handle={handle}&payload=1").text
    for path in ("/", "/user?id=ada", "/events", "/keys", "/health", "/figures", "/tenant?id=public"):
        assert client.get(path).status_code == 200
    assert client.get(f"/revoke?handle={handle}").status_code == 403


def test_a_database_that_cannot_be_served(clock: Monotonic, sqlite_database: TestDatabase) -> None:
    """Whoever came in is told why, on each page."""
    sqlite_database.query("ALTER TABLE session_info DROP COLUMN session_data")
    core = Driver(sqlite_database.uri)
    admin = made(core)
    client = browser(admin)
    client.get(admin.link)
    shown = client.get("/user?id=ada")
    core.close()
    assert shown.status_code == 501
    assert "<h1>Not possible here</h1>" in shown.text
    assert "has no column &#39;session_data&#39;: it belongs to something else" in shown.text


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Instead of serving, note what would be served, and follow the link there."""
    seen: list[Any] = []

    def run(self: uvicorn.Server, sockets: Any) -> None:
        seen.append((self.config, sockets[0].getsockname()))

    monkeypatch.setattr(uvicorn.Server, "run", run)
    return seen


def test_the_command(
    served: list[Any], tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It listens on 127.0.0.1, says where the link is, and logs no request, for its address has the token."""
    for name in ("SUPERTOKENS_CONNECTION_URI", "SUPERTOKENS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    uri = f"sqlite:///{tmp_path}/sessions.db"
    assert main(["admin", "--connection-uri", uri]) == 2
    assert "there is no database" in capsys.readouterr().err
    driver = Driver(uri)
    driver.create("ada")
    driver.close()
    assert main(["admin", "--connection-uri", uri, "--by", "ann"]) == 0
    out = capsys.readouterr().out
    (config, (host, port)) = served[0]
    assert host == "127.0.0.1"
    assert (config.access_log, config.proxy_headers, config.server_header) == (False, False, False)
    link = re.search(rf"(http://127\.0\.0\.1:{port}/[\w-]{{22}}/)enter\?token=[\w-]+", out)
    assert link is not None
    client = TestClient(config.app, base_url=link[1], follow_redirects=False)
    assert client.get(link[0]).status_code == 303
    assert "1 live session" in client.get("/user?id=ada").text
    assert "can be read" in client.get("/health").text
    assert '<bdi class="id">ann</bdi>' in client.get("/").text


def test_the_command_in_json(served: list[Any], tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """For programs that open the browser."""
    uri = f"sqlite:///{tmp_path}/sessions.db"
    driver = Driver(uri)
    driver.create("ada")
    driver.close()
    assert main(["admin", "--connection-uri", uri, "--json", "--writes"]) == 0
    out = capsys.readouterr().out
    assert re.search(rf'"link": "http://127\.0\.0\.1:{served[0][1][1]}/[\w-]+/enter\?token=', out)
    assert '"valid_s": 60' in out


@pytest.mark.parametrize(
    ("port", "reason"),
    [
        ("65536", "argument --port: 65536 is no port"),
        ("-1", "argument --port: -1 is no port"),
        ("taken", "port {} of 127.0.0.1 cannot be used: Address already in use"),
    ],
)
def test_a_port_that_cannot_be_used(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], port: str, reason: str
) -> None:
    driver = Driver(f"sqlite:///{tmp_path}/sessions.db")
    driver.tenants.all()
    driver.close()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        with pytest.raises(SystemExit) if port != "taken" else nullcontext():
            assert (
                main(["admin", "--connection-uri", driver.uri, f"--port={port.replace('taken', taken)}"]) == 2
            )
    assert reason.format(taken) in capsys.readouterr().err


def test_the_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["admin", "--connection-uri", "sqlite:///nowhere.db"]) == 2
    assert capsys.readouterr().err == (
        "supertokens: the admin page needs the extra 'admin' (docs/installation.md)\n"
    )


def test_times_that_no_calendar_has(core: Driver, clock: Monotonic) -> None:
    """Another program may have written a row; its number is shown."""
    handle = core.create("ada").handle
    core.change_row(handle, expires_at=2**62)
    admin = made(core)
    client = browser(admin)
    client.get(admin.link)
    for page in ("/user?id=ada", f"/session?handle={handle}"):
        shown = client.get(page)
        assert shown.status_code == 200
        assert f"<time>{2**62} ms</time>" in shown.text
