"""The audit log: exactly one event for each thing that happened, and never a secret in any log."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from supertokens_py.audit import LOGGER_NAME, detail_of
from supertokens_py.engine.embedded.storage.database import UnitConflictError
from supertokens_py.engine.session_records import Ending
from supertokens_py.events import (
    ClientRefused,
    ContactRefused,
    EmailDropped,
    Event,
    SessionCreated,
    SessionRefused,
    SessionRevoked,
    TokenReused,
    emit,
)
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.recipe.session.claims import BooleanClaim
from tests.engine.driver import Driver
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.units import before_each_unit, refused_units

if TYPE_CHECKING:
    from tests.support.databases import Sqlite, TestDatabase

Events = list[tuple[str, str, dict[str, Any]]]


class _Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.events: Events = []

    def emit(self, record: logging.LogRecord) -> None:
        known: Any = record
        self.events.append((record.levelname, known.event, known.facts))


@pytest.fixture
def events() -> Iterator[Events]:
    """What the audit logger records, as (level, event, facts)."""
    log, listener = logging.getLogger(LOGGER_NAME), _Listener()
    before = log.level
    log.addHandler(listener)
    log.setLevel(logging.INFO)
    yield listener.events
    log.setLevel(before)
    log.removeHandler(listener)


@pytest.fixture(params=["sqlite_database", pytest.param("postgres_database", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest) -> TestDatabase:
    return request.getfixturevalue(request.param)


@pytest.fixture
def core(database: TestDatabase, clock: Clock) -> Iterator[Driver]:
    driver = Driver(database.uri, now_ms=clock)
    yield driver
    driver.close()


def test_the_life_of_a_session(core: Driver, clock: Clock, events: Events) -> None:
    """Created, refreshed, refreshed again within the window, reused after it: one event each."""
    session = core.create("somebody")
    core.refresh(session)
    clock.advance(s=7)
    core.refresh(session)
    clock.advance(minutes=5)
    core.refresh(session)
    handle = session.handle
    assert events == [
        ("INFO", "session.created", {"handle": handle, "user_id": "somebody", "tenant_id": "public"}),
        ("INFO", "session.refreshed", {"handle": handle}),
        (
            "WARNING",
            "session.refreshed_again",
            {
                "handle": handle,
                "user_id": "somebody",
                "presented": "previous",
                "age_ms": 7000,
                "late": True,
            },
        ),
        (
            "WARNING",
            "session.reuse",
            {"handle": handle, "user_id": "somebody", "subtype": "RECENT_PREV", "age_ms": 307000},
        ),
    ]


def test_older_tokens_are_told_apart(core: Driver, clock: Clock, events: Events) -> None:
    """Reuse of a token from before the previous one names its subtype."""
    first = core.create()
    second = core.refresh(first)
    clock.advance(s=31)
    core.refresh(second)
    del events[:]
    core.refresh(first)
    ((level, event, facts),) = events
    assert (level, event, facts["subtype"]) == ("WARNING", "session.reuse", "STALE_LINEAGE")


def test_each_revoked_session_is_an_event(core: Driver, events: Events) -> None:
    """Once for each session that existed, with why and by whom; nothing for one that did not."""
    one, two, three = core.create("a"), core.create("b"), core.create("b")
    del events[:]
    core.sessions.revoke([one.handle, "unknown", one.handle])
    ending = Ending(reason="admin", actor_id="boss")
    core.sessions.revoke_user("b", tenant_id="public", ending=ending)
    core.sessions.revoke([two.handle])
    core.refresh(three)
    by_admin = {"reason": "admin", "actor_id": "boss", "user_id": "b"}
    facts = [{"reason": "application", "user_id": "a"}, by_admin, by_admin]
    revoked = [
        ("INFO", "session.revoked", {"handle": session.handle, "tenant_id": "public"} | more)
        for session, more in zip((one, two, three), facts, strict=True)
    ]
    assert sorted(events, key=str) == sorted(revoked, key=str)


def test_a_key_that_is_made_and_a_rotation_are_one_event_each(
    sqlite_files: Sqlite, clock: Clock, events: Events
) -> None:
    """A key that is made, and a rotation by request; a second engine that finds the keys made none."""
    uri = sqlite_files.create(template=False).uri
    core = Driver(uri, now_ms=clock)
    core.keys.jwks()
    kids = sorted(core.engine.keys.key_set().keys)
    assert sorted(events, key=str) == [("INFO", "key.created", {"kid": kid}) for kid in kids]
    del events[:]
    kid = core.rotate_signing_key(drop_old=True)
    static = next(key["kid"] for key in core.keys.jwks().keys if key["kid"].startswith("s-"))
    assert static not in kids
    rotated = [("INFO", "key.rotated", {"kid": new, "earlier_dropped": True}) for new in (kid, static)]
    assert events == rotated
    del events[:]
    other = Driver(uri, now_ms=clock)
    other.keys.jwks()
    assert events == []
    other.close()
    core.close()


def test_nothing_is_told_of_what_was_not_done(core: Driver, events: Events) -> None:
    """A unit that finds no connection leaves no event; one that is repeated leaves one."""
    session, other = core.create(), core.create("other")
    del events[:]
    with refused_units(core.database, "the disk is full"):
        for call in (
            lambda: core.create(),
            lambda: core.refresh(session),
            lambda: core.sessions.revoke([other.handle]),
            lambda: core.sessions.revoke_user("other", tenant_id=None),
            lambda: core.rotate_signing_key(),
        ):
            with pytest.raises(EngineUnavailableError):
                call()
    assert events == []

    problems: list[Exception] = [UnitConflictError()]

    def ask_to_repeat() -> None:
        if problems:
            raise problems.pop()

    with before_each_unit(core.database, ask_to_repeat):
        core.refresh(session)
    assert events == [("INFO", "session.refreshed", {"handle": session.handle})]


def test_nothing_is_told_of_what_was_not_committed(core: Driver, events: Events) -> None:
    """Everything was done, and the commit failed: whose sessions they were sees them again, and no event."""
    core.create("other")
    kept = core.sessions.user_handles("other", tenant_id=None), core.keys.jwks().keys
    del events[:]

    def fail(connection: Any) -> None:
        connection.connection.rollback()  # as databases do where a commit fails
        raise EngineUnavailableError("the disk is full")

    event.listen(core.database.pool, "commit", fail)
    for call in (lambda: core.users.remove("other"), core.rotate_signing_key):
        with pytest.raises(EngineUnavailableError):
            call()
    event.remove(core.database.pool, "commit", fail)
    assert (core.sessions.user_handles("other", tenant_id=None), core.keys.jwks().keys) == kept
    assert events == []


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django_sync", "django_async"])
def test_failed_claims_and_a_lost_store(
    framework: str, sqlite_database: TestDatabase, clock: Clock, events: Events
) -> None:
    """Refusals that the engine does not see are recorded as well, in every framework."""
    site = Site(framework, sqlite_database.uri, clock).init()
    claim = BooleanClaim("admin", lambda *_: False)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    visitor = site.sign_in()
    del events[:]
    assert visitor.get("/claims").status == 403
    assert events == [("INFO", "session.claims_failed", {"handle": visitor.handle, "claims": "admin"})]
    del events[:]
    site.uri = "sqlite:////dev"
    site.init()
    assert visitor.get("/protected").status == 503
    assert events == [("WARNING", "engine.unavailable", {})]
    site.close()


def test_a_refusal_is_an_event_at_debug(sqlite_database: TestDatabase, clock: Clock, events: Events) -> None:
    """Whoever wants to know why requests are refused sets the level to DEBUG, and sees one code for each."""
    site = Site("fastapi", sqlite_database.uri, clock).init()
    logging.getLogger(LOGGER_NAME).setLevel(logging.DEBUG)
    visitor = site.sign_in("header")
    clock.advance(hours=2)
    del events[:]
    assert visitor.get("/protected").status == 401
    assert site.get("/protected").status == 401
    assert events == [
        ("DEBUG", "session.refused", {"code": "access_token_expired", "may_refresh": True}),
        ("DEBUG", "session.refused", {"code": "no_token", "may_refresh": False}),
    ]
    site.close()


def test_a_verification_is_no_event(sqlite_database: TestDatabase, clock: Clock, events: Events) -> None:
    """The hot path logs nothing, and neither does a forged token: a flood must not fill a disk."""
    site = Site("flask", sqlite_database.uri, clock).init()
    visitor = site.sign_in()
    del events[:]
    assert visitor.get("/protected").status == 200
    for forged in (visitor.access or "").rpartition(".")[0], "x", "a.b.c":
        site.get("/protected", cookies=[("sAccessToken", forged)])
        site.post("/auth/session/refresh", cookies=[("sRefreshToken", forged)])
    assert events == []
    site.close()


@given(st.text(max_size=20))
def test_a_value_cannot_forge_a_line_or_a_fact(value: str) -> None:
    """A user id with line breaks or with "x=y" in it stays inside its own fact."""
    log, records = logging.getLogger(LOGGER_NAME), []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        emit(SessionCreated(handle="h", user_id=value, tenant_id="public"))
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    (line,) = records
    assert line.isprintable()
    line = line.removesuffix(" tenant_id=public")
    assert re.fullmatch(r'session\.created handle=h user_id=([^ ="]*|".*")', line) or '"' in value
    text = line.partition("user_id=")[2]
    assert text == value or json.loads(text) == value


def test_nothing_is_formatted_while_nobody_listens() -> None:
    """With the level above INFO, an event costs no string."""

    class Loud:
        def __str__(self) -> str:
            raise AssertionError("formatted")

    logging.getLogger(LOGGER_NAME).setLevel(logging.ERROR)
    try:
        emit(SessionCreated(handle=Loud(), user_id="u", tenant_id="public"))  # type: ignore[arg-type]
    finally:
        logging.getLogger(LOGGER_NAME).setLevel(logging.NOTSET)


# -- secrets ---------------------------------------------------------------------------------------

NAMES = (
    "supertokens_py",
    "sqlalchemy.engine",
    "sqlalchemy.engine.Engine.supertokens_py",
    "sqlalchemy.pool",
    "psycopg",
)
PASSWORD = "hush-this-is-the-database-password"


@pytest.fixture
def everything() -> Iterator[list[str]]:
    """The text of every record of every logger, at DEBUG, with everything that formatters could print."""
    lines: list[str] = []
    root = logging.getLogger()
    formatter = logging.Formatter("%(message)s")

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{formatter.format(record)} {record.__dict__!r}")

    handler, before = Keep(), root.level
    loggers = [
        root,
        *(logging.getLogger(name) for name in ("supertokens_py", "sqlalchemy.engine", "psycopg")),
    ]
    levels = [logger.level for logger in loggers]
    root.addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield lines
    root.removeHandler(handler)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    root.setLevel(before)


def pieces(secret: str) -> list[str]:
    """Every piece of a long secret, so that half of one in a log is found as well."""
    return [secret[at : at + 24] for at in range(0, max(1, len(secret) - 23), 24)]


@pytest.mark.parametrize("framework", ["fastapi", "flask"])
def test_no_secret_in_any_log(
    framework: str, database: TestDatabase, clock: Clock, everything: list[str]
) -> None:
    """A whole conversation, errors and theft included, at DEBUG: no token, no key, no password."""
    uri = database.uri
    if database.kind == "postgresql":
        uri = uri.replace("postgres@", f"postgres:{PASSWORD}@")
    site = Site(framework, uri, clock).init(anti_csrf="VIA_TOKEN")
    secrets: set[str] = {PASSWORD}

    def note(visitor: Any) -> None:
        found = (visitor.access, visitor.refresh_token, visitor.anti_csrf)
        secrets.update(text for text in found if text)

    for mode in ("cookie", "header"):
        visitor = site.sign_in(mode, payload={"private": "the-payload-is-nobodys-business"})
        note(visitor)
        stolen = visitor.refresh_token
        visitor.get("/protected")
        visitor.post("/database", do=lambda view: (yield view.merge({"more": 1})))
        note(visitor)
        visitor.post("/protected", without=["anti-csrf"])
        visitor.get("/protected", headers=[("authorization", f"Bearer {visitor.access}x")])
        visitor.refresh()
        note(visitor)
        clock.advance(minutes=5)
        visitor.refresh_token = stolen
        visitor.refresh()
        site.get("/auth/jwt/jwks.json")
    site.sign_in().post("/auth/signout")
    site.engine.database.close()
    broken = Site(framework, uri.replace("://", "://", 1), clock)
    broken.uri = f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/none" if PASSWORD in uri else "sqlite:////dev"
    broken.init()
    assert broken.post("/open", do=lambda view: (yield view.create())).status == 503
    broken.close()
    site.close()
    secrets.add("the-payload-is-nobodys-business")
    for (value,) in database.query("SELECT value FROM session_access_token_signing_keys"):
        secrets.add(value.rpartition("|")[2].rpartition(";")[2])
    for (value,) in database.query("SELECT key_string FROM jwt_signing_keys"):
        secrets.add(value.rpartition("|")[2].rpartition(";")[2])
    for (value,) in database.query("SELECT value FROM key_value WHERE name = 'refresh_token_key'"):
        secrets.update(value.split(":")[1:])
    assert len(secrets) > 12
    text = "\n".join(everything)
    assert "session.reuse" in text
    leaked = [piece for secret in secrets for piece in pieces(secret) if piece in text]
    # Every access token of ours begins with the same header, which is no secret.
    header = re.compile(r"eyJhbGciOiJSUzI1NiIs")
    assert [piece for piece in leaked if not header.match(piece)] == []


_SET_UP = {
    "nothing": "",
    "uvicorn": "import uvicorn.config; logging.config.dictConfig(uvicorn.config.LOGGING_CONFIG)",
    "gunicorn": "from gunicorn import config, glogging; glogging.Logger(config.Config())",
    "flask": "import flask; flask.Flask('shop').logger.warning('own')",
    "django": "from django.utils.log import DEFAULT_LOGGING; logging.config.dictConfig(DEFAULT_LOGGING)",
    # The usual mistake: everything that was imported before is disabled.
    "disabling": "logging.config.dictConfig({'version': 1})",
}


@pytest.mark.parametrize("server", sorted(_SET_UP))
def test_a_theft_leaves_a_line_on_stderr(server: str) -> None:
    """With the logging that a server sets up by itself: warnings once each, and nothing else."""
    script = (
        "import logging, logging.config, supertokens_py\nfrom supertokens_py.events import *\n"
        "again = {'handle': 'h', 'user_id': 'u', 'presented': 'current', 'age_ms': 9}\n"
        "DJANGO = __import__('django.conf', fromlist=['settings']).settings.configure(DEBUG=True)\n"
        f"{_SET_UP[server]}\n"
        "emit(SessionCreated(handle='h', user_id='u', tenant_id='public'))\n"
        "emit(SessionRefreshedAgain(**again, late=False))\n"
        "emit(SessionRefreshedAgain(**again, late=True))\n"
        "emit(TokenReused(handle='h', subtype='RECENT_PREV'))\n"
        "emit(EngineUnavailable())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert [line for line in done.stderr.splitlines() if "session." in line or "engine." in line] == [
        "session.refreshed_again handle=h user_id=u presented=current age_ms=9 late=True",
        "session.reuse handle=h subtype=RECENT_PREV",
    ]


@pytest.mark.parametrize(
    ("happened", "detail"),
    [
        (SessionCreated(handle="h", user_id="u", tenant_id="public"), ""),
        (TokenReused(subtype="RECENT_PREV"), "RECENT_PREV"),
        (TokenReused(subtype=None), ""),
        (SessionRevoked(handle="h", reason="admin"), "admin"),
        (EmailDropped(recipe_id="passwordless", tenant_id="public", reason="queue"), "queue"),
        (ClientRefused(kind="sign_in", retry_after_ms=1), "sign_in"),
        (ContactRefused(kind="phone", tenant_id="public", retry_after_ms=1), "phone"),
        (SessionRefused(code="no_token", may_refresh=False), "no_token"),
    ],
)
def test_the_word_that_metrics_tell_events_of_a_kind_apart_by(happened: Event, detail: str) -> None:
    """Out of a short list each: no tenant, and nothing that clients choose."""
    assert detail_of(happened) == detail
