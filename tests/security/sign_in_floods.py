"""Floods at sign-in: codes asked for contacts that are made up, and passwords guessed at one address."""

from __future__ import annotations

import gc
import io
import json
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.storage import server_clock
from supertokens_py.engine.limits import AT_MOST, DAY_MS, OF_ALL_CLIENTS
from supertokens_py.framework.wsgi import SuperTokensMiddleware
from supertokens_py.recipe import emailpassword, passwordless, session
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

LIFETIME_MS = 600_000
#: What makes up for a message at the rates of all clients and of what one address gets at most: two counts.
COUNTED_MS = DAY_MS // (20 * OF_ALL_CLIENTS) + DAY_MS // (20 * AT_MOST)
TABLES = ("passwordless_devices", "passwordless_codes", "key_value")
OWNER = "ada@example.com"
PASSWORD, WRONG = "correct horse 1", "wrong horse 1"
QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}


@dataclass
class Flood:
    """What a flood was answered with, and what it left behind."""

    asked: int
    answers: Counter[str] = field(default_factory=Counter[str])
    most: Counter[str] = field(default_factory=Counter[str])  #: rows of each table at most
    seen: list[tuple[int, Counter[str], int]] = field(default_factory=list[tuple[int, Counter[str], int]])
    #: after each tenth: requests, rows of each table, and bytes of the database
    objects: list[int] = field(default_factory=list[int])  #: of Python's in this process, after each tenth
    left: Counter[str] = field(default_factory=Counter[str])  #: rows after a clean-up two days later
    problems: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        most, left = (_listed(rows) for rows in (self.most, self.left))
        answers = ", ".join(f"{n} {status}" for status, n in self.answers.most_common())
        return (
            f"{self.asked} requests: {answers}\n  rows at most: {most}\n"
            + "".join(f"  after {n}: {_listed(rows)}; {size / 1e6:.1f} MB\n" for n, rows, size in self.seen)
            + f"  objects in memory after a tenth and at the end: {self.objects[0]}, {self.objects[-1]}\n"
            f"  rows two days later: {left}"
        )


def _listed(rows: Counter[str]) -> str:
    return ", ".join(f"{n} {table}" for table, n in rows.items())


class LastCode(
    passwordless.EmailDeliveryInterface[passwordless.EmailTemplateVars],
    passwordless.SMSDeliveryInterface[passwordless.SMSTemplateVars],
):
    """Sends nothing, and keeps the code of the owner's last message."""

    code = ""

    async def send_email(self, template_vars: passwordless.EmailTemplateVars, user_context: Any) -> None:
        if template_vars.email.startswith("ada"):
            self.code = str(template_vars.user_input_code)

    async def send_sms(self, template_vars: passwordless.SMSTemplateVars, user_context: Any) -> None:
        """Send nothing."""


class Application:
    """The routes of sign-in, in process; a request says from which address it comes."""

    def __init__(self, made: TestDatabase, *, knows_clients: bool, **settings: Any) -> None:
        self.made, self.clock, self.outbox = made, Clock(), LastCode()
        config = EngineConfig(
            now_ms=self.clock,
            clean_up_interval=0,
            sqlite_synchronous="NORMAL",
            pool_size=3,
            **(QUICK | settings),
        )
        Supertokens.reset()
        init(
            InputAppInfo("Shop", "http://localhost:8000", website_domain="http://localhost:3000"),
            supertokens_config=SupertokensConfig(made.uri, engine=config),
            recipe_list=[
                session.init(),
                emailpassword.init(),
                passwordless.init(
                    passwordless.ContactEmailOrPhoneConfig(),
                    "USER_INPUT_CODE_AND_MAGIC_LINK",
                    email_delivery=passwordless.EmailDeliveryConfig(self.outbox),
                    sms_delivery=passwordless.SMSDeliveryConfig(self.outbox),
                ),
            ],
            client_ip=(lambda request: request.request.environ["REMOTE_ADDR"]) if knows_clients else None,
        )
        self._app = SuperTokensMiddleware(lambda *_: [b"null"])
        engine = Supertokens.get_instance().engine
        assert isinstance(engine, EmbeddedEngine)
        self.engine = engine

    def post(self, path: str, body: Any, *, client: str = "192.0.2.1") -> Any:
        text = json.dumps(body).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"/auth{path}",
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(text)),
            "REMOTE_ADDR": client,
            "wsgi.input": io.BytesIO(text),
        }
        return json.loads(b"".join(self._app(environ, lambda *_: None)))

    def form(self, path: str, **fields: str) -> str:
        """Send the form of EmailPassword from another client; return the status of the answer."""
        body = {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}
        return str(self.post(path, body, client="198.51.100.7")["status"])

    def signs_in_by_code(self, number: int) -> str:
        """Let somebody ask for a code and use it, from another client."""
        client = f"198.51.100.{number % 250}"
        asked = self.post("/signinup/code", {"email": f"ada-{number}@example.com"}, client=client)
        if asked["status"] != "OK":
            return str(asked["status"])
        body = {name: asked[name] for name in ("deviceId", "preAuthSessionId")}
        used = self.post("/signinup/code/consume", {**body, "userInputCode": self.outbox.code}, client=client)
        return str(used["status"])

    def rows(self) -> Counter[str]:
        return Counter({table: self.made.query(f"SELECT count(*) FROM {table}")[0][0] for table in TABLES})

    def size(self) -> int:
        """Return the bytes of the database; of SQLite with its log."""
        if self.made.kind == "postgresql":
            return int(self.made.query("SELECT pg_database_size(current_database())")[0][0])
        return sum(file.stat().st_size for file in self.made.path.parent.glob(f"{self.made.path.name}*"))


@contextmanager
def _application(made: TestDatabase, *, knows_clients: bool, **settings: Any) -> Generator[Application]:
    try:
        # The clock is moved on, and PostgreSQL is to go by it.
        with patch.object(server_clock, "server_now_ms", lambda _: None):
            yield Application(made, knows_clients=knows_clients, **settings)
    finally:
        Supertokens.reset()


def flood_codes(
    made: TestDatabase,
    count: int,
    *,
    per_second: float = 10,
    knows_client: bool = False,
    of_client: int = 50,
) -> Flood:
    """Ask for so many codes, each for an address of its own, at this pace by the clock of the application.

    Devices and codes of two lifetimes may be there, and counts until they are made up for and half as many
    again, or some more by chance. Of a known client there may be no more than it may ask for: `of_client` in
    an hour. Meanwhile others sign in.
    """
    flood, limits = Flood(count), {"code_requests_per_client_and_hour": of_client}
    with _application(made, knows_clients=knows_client, **limits) as app:
        for number in range(count):
            asked = app.post("/signinup/code", {"email": f"made-up-{number}@example.com"})
            flood.answers[asked["status"]] += 1
            app.clock.advance(ms=round(1000 / per_second))
            _look(app, flood, number, lambda n=number: app.signs_in_by_code(n))
        bound = round(2 * LIFETIME_MS / 1000 * per_second) + 10
        if knows_client:
            allowed = of_client + round(of_client * count / per_second / 3600)
            bound = min(bound, allowed + 10)
            if flood.answers["OK"] > allowed:
                flood.problems.append("a client asked for more codes than it may")
        for table in TABLES[:2]:
            if flood.most[table] > bound:
                flood.problems.append(f"{flood.most[table]} rows of {table}, more than {bound}")
        if flood.most["key_value"] > (most := round(2 * COUNTED_MS / 1000 * per_second) + 50):
            flood.problems.append(f"{flood.most['key_value']} rows of key_value, more than {most}")
        _two_days_later(app, flood)
    return flood


def flood_guesses(made: TestDatabase, count: int, *, per_second: float = 10) -> Flood:
    """Guess so often at the password of one address, at this pace; others sign in meanwhile."""
    flood = Flood(count)
    with _application(made, knows_clients=False) as app:
        for name in ("ada", "bob"):
            assert app.form("/signup", email=f"{name}@example.com", password=PASSWORD) == "OK"
        before = app.rows()["key_value"]
        for number in range(count):
            body = {"formFields": [{"id": "email", "value": OWNER}, {"id": "password", "value": WRONG}]}
            flood.answers[app.post("/signin", body)["status"]] += 1
            app.clock.advance(ms=round(1000 / per_second))
            _look(app, flood, number, lambda: app.form("/signin", email="bob@example.com", password=PASSWORD))
        # Ten at once, then after 1, 2, 4 ... seconds, at most 15 minutes.
        allowed = 20 + round(count / per_second / 900) + 1
        if flood.answers["WRONG_CREDENTIALS_ERROR"] > allowed:
            flood.problems.append(f"more than {allowed} guesses were looked at")
        if flood.most["key_value"] > before + 2:
            flood.problems.append("more than one row counts the guesses at an address")
        _two_days_later(app, flood)
    return flood


def _look(app: Application, flood: Flood, number: int, other: Any) -> None:
    """Ten times in a flood: count rows, and see that somebody else signs in."""
    tenth = max(1, flood.asked // 10)
    if (number + 1) % tenth:
        return
    flood.seen.append((number + 1, app.rows(), app.size()))
    for table, rows in flood.seen[-1][1].items():
        flood.most[table] = max(flood.most[table], rows)
    if (status := other()) != "OK":
        flood.problems.append(f"after {number + 1} requests somebody else got {status}")
    gc.collect()
    # Objects rather than bytes: tracing every allocation would take longer than the flood.
    flood.objects.append(len(gc.get_objects()))
    if (grown := flood.objects[-1] - flood.objects[0]) > 20_000:
        flood.problems.append(f"{grown} objects more in memory than after a tenth")


def _two_days_later(app: Application, flood: Flood) -> None:
    app.clock.advance(hours=49)
    app.engine.clean_up()
    flood.left = app.rows()
    for table in TABLES[:2]:
        if flood.left[table]:
            flood.problems.append(f"{flood.left[table]} rows of {table} after a clean-up")
