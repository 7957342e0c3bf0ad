"""Requests of sessions that another process has revoked (`session.init(instant_revocation=...)`)."""

from __future__ import annotations

import inspect
import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import psycopg
import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.background import Pace
from supertokens_py.engine.embedded.revocation.revocation_log import RevocationLog
from supertokens_py.engine.session_records import Lifetime, SessionFeatures
from supertokens_py.events import Event, RevocationsStale, subscribe
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.recipe import session
from supertokens_py.recipe.session import InstantRevocation, SessionContainer, SessionLifetime, SessionRecipe
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_session_without_request_response,
    revoke_all_sessions_for_user,
    revoke_session,
)
from supertokens_py.recipe.session.verification.verifier import Verifier
from supertokens_py.recipe.session.verification.watched_verifier import WatchedVerifier
from tests.engine.driver import QUIET
from tests.support.clock import Clock
from tests.support.databases import TestDatabase
from tests.support.temporary_postgres import Server

from ..conftest import Start

STALE_S = 5
STEADY = Pace(poll_s=0, gather_s=0)


class App:
    """The application of this process, and another one on its database."""

    def __init__(self, start: Start, clock: Clock, **settings: Any) -> None:
        start(instant_revocation=InstantRevocation(**settings) if settings else True)
        self.clock = clock
        self.log.pace = Pace(poll_s=3600)  # nothing is read unless a request has it read
        other = EngineConfig(**QUIET, now_ms=clock).resolve({})
        uri = self.log.database.location.url.render_as_string()
        self._other = EmbeddedEngine(uri, other, features=SessionFeatures(revocations=True))

    @property
    def log(self) -> RevocationLog:
        engine: Any = Supertokens.get_instance().engine
        return engine.revocations

    def sign_in(self) -> str:
        return create_new_session_without_request_response("public", "user").get_access_token()

    def request(self, token: str, **more: Any) -> SessionContainer:
        found = get_session_without_request_response(token, **more)
        assert found is not None
        return found

    def revoke_elsewhere(self, session: SessionContainer) -> None:
        assert self._other.sessions.revoke([session.get_handle()]) == [session.get_handle()]

    def close(self) -> None:
        self._other.close()


@pytest.fixture
def open_app(start: Start, clock: Clock) -> Any:
    apps: list[App] = []

    def opened(**settings: Any) -> App:
        apps.append(App(start, clock, **settings))
        return apps[-1]

    yield opened
    for app in apps:
        app.close()


@pytest.fixture
def app(open_app: Callable[..., App]) -> App:
    return open_app()


def refusal(app: App, token: str) -> tuple[str, bool]:
    with pytest.raises(UnauthorisedError) as caught:
        app.request(token)
    return str(caught.value.code), caught.value.clear_tokens


def test_a_session_that_another_process_revoked(app: App) -> None:
    """CP-16: refused although its token was verified before, and by no cache accepted again."""
    token = app.sign_in()
    session = app.request(token)
    app.revoke_elsewhere(session)
    assert app.request(token).get_handle() == session.get_handle()  # nothing has been read since
    app.log.poll()
    for _ in range(3):
        assert refusal(app, token) == ("session_revoked", True)
        app.clock.advance(s=2)
        app.log.poll()


def test_what_is_too_old_is_read_before_the_answer(app: App) -> None:
    """CP-16: a process that has not read for 5 seconds asks."""
    token = app.sign_in()
    app.revoke_elsewhere(app.request(token))
    app.clock.advance(s=STALE_S)
    app.request(token)
    app.clock.advance(ms=1)
    assert refusal(app, token) == ("session_revoked", True)


@pytest.fixture(params=["sqlite", "postgresql"])
def deploy(request: pytest.FixtureRequest, clock: Clock, sqlite_database: TestDatabase) -> Any:
    """Start the application anew, on each database, with another lifetime of access tokens in seconds."""
    database = sqlite_database
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres_database")

    def deployed(validity: int) -> None:
        Supertokens.reset()
        engine = EngineConfig(**QUIET, now_ms=clock, access_token_validity=validity)
        init(
            InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
            supertokens_config=SupertokensConfig(database.uri, engine=engine),
            recipe_list=[session.init(instant_revocation=True)],
        )

    yield deployed
    Supertokens.reset()


@pytest.mark.parametrize("seen", ["before", "after"])
def test_longer_tokens_than_one_s_own_stay_refused(
    deploy: Callable[[int], None], app: App, clock: Clock, seen: str
) -> None:
    """Those that were issued before a deployment, to their end; whether or not this process had seen one."""
    deploy(3600)
    token = app.sign_in()
    handle = app.request(token).get_handle()
    deploy(300)
    if seen == "before":
        app.request(token)
    assert revoke_session(handle)
    for _ in range(8):
        clock.advance(minutes=7)
        app.request(app.sign_in())  # has the log read, and what is old forgotten
        assert refusal(app, token) == ("session_revoked", True)
    deploy(300)
    assert refusal(app, token) == ("session_revoked", True)


@pytest.mark.parametrize("where", ["here", "elsewhere"])
@pytest.mark.parametrize("limit", ["idle", "absolute"])
def test_a_life_that_is_over_by_being_shortened(stored: Start, clock: Clock, where: str, limit: str) -> None:
    """It is refused at once, by whichever process it was shortened; one with an end to come is accepted."""
    stored(instant_revocation=True, lifetime=SessionLifetime(absolute=86_400))
    engine: Any = Supertokens.get_instance().engine
    engine.revocations.pace = Pace(poll_s=3600)
    token = create_new_session_without_request_response("public", "user").get_access_token()
    session = get_session_without_request_response(token)
    assert session is not None
    handle = session.get_handle()
    clock.advance(minutes=10)
    sessions, other = engine.sessions, None
    if where == "elsewhere":
        settings = EngineConfig(**QUIET, now_ms=clock).resolve({})
        uri = engine.database.location.url.render_as_string(hide_password=False)
        other = EmbeddedEngine(uri, settings)
        sessions = other.sessions
    milliseconds = {"idle": "idle_ms", "absolute": "absolute_ms"}[limit]
    assert sessions.shorten(handle, Lifetime(**{milliseconds: 601_000}))
    engine.revocations.poll()
    assert get_session_without_request_response(token) is not None
    assert sessions.shorten(handle, Lifetime(**{milliseconds: 600_000}))
    if other is not None:
        other.close()
        engine.revocations.poll()
    with pytest.raises(UnauthorisedError) as caught:
        get_session_without_request_response(token)
    assert caught.value.code == "session_revoked"


def test_one_s_own_revocations_hold_at_once(app: App) -> None:
    """Before the call returns; the refusal clears the tokens of the client."""
    token = app.sign_in()
    assert revoke_session(app.request(token).get_handle())
    assert refusal(app, token) == ("session_revoked", True)


def test_anti_csrf_tokens_are_compared_as_ever(start: Start) -> None:
    """Also where the access token was verified before."""
    start(instant_revocation=True, anti_csrf="VIA_TOKEN")
    made = create_new_session_without_request_response("public", "user")
    tokens = made.get_all_session_tokens_dangerously()
    for _ in range(2):
        with pytest.raises(TryRefreshTokenError) as refused:
            get_session_without_request_response(tokens["accessToken"], "wrong")
        assert refused.value.code == "csrf_token_wrong"
        found = get_session_without_request_response(tokens["accessToken"], tokens["antiCsrfToken"])
        assert found is not None


def test_a_forged_token_of_a_revoked_session_is_only_a_forged_one(app: App) -> None:
    """Whoever knows a handle cannot have the tokens of its client cleared."""
    token = app.sign_in()
    revoke_session(app.request(token).get_handle())
    with pytest.raises(TryRefreshTokenError) as caught:
        app.request(token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB"))
    assert caught.value.code == "access_token_signature"


def test_after_too_many_revocations_everybody_refreshes_once(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token issued until then is to be refreshed; a later one is accepted."""
    monkeypatch.setattr("supertokens_py.engine.revoked_sessions.MAX_REMEMBERED", 1)
    token = app.sign_in()
    for _ in range(2):
        revoke_session(app.request(app.sign_in()).get_handle())
    with pytest.raises(TryRefreshTokenError) as caught:
        app.request(token)
    assert caught.value.code == "sessions_cut_off"
    app.clock.advance(s=1)
    app.request(app.sign_in())


@pytest.mark.parametrize("ending", ["one by one", "at once"])
def test_of_too_many_none_is_accepted_whose_token_came_from_a_clock_ahead(
    app: App, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """CP-16: clocks may be a minute apart. Whoever refreshes does so once, and again two minutes later."""
    most = {"one by one": 2, "at once": 1}[ending]
    monkeypatch.setattr("supertokens_py.engine.revoked_sessions.MAX_REMEMBERED", most)
    monkeypatch.setattr("supertokens_py.engine.embedded.revocation.revocation_rows.MAX_REMEMBERED", most)
    app.clock.advance(minutes=1)
    ahead = app.sign_in()
    handle = app.request(ahead).get_handle()
    app.clock.advance(minutes=-1)
    others = [app.request(app.sign_in()).get_handle() for _ in range(2)]
    if ending == "one by one":
        for one in (handle, *others):
            revoke_session(one)
            app.clock.advance(ms=1)
    else:
        assert len(revoke_all_sessions_for_user("user")) == 3
    app.clock.advance(s=1)
    refreshed = app.sign_in()
    for _ in range(24):
        with pytest.raises((UnauthorisedError, TryRefreshTokenError)):
            app.request(ahead)
        app.request(refreshed)
        app.clock.advance(s=5)
        app.log.poll()
    app.clock.advance(s=5)
    app.log.poll()
    for token in (ahead, refreshed):
        with pytest.raises(TryRefreshTokenError) as caught:
            app.request(token)
        assert caught.value.code == "sessions_cut_off"
    again = app.sign_in()
    monkeypatch.setattr(app.log.database, "read", None)  # nobody asks it any more
    app.request(again)


@pytest.mark.parametrize("when_stale", ["check", "open", "closed"])
def test_a_doubtful_token_while_the_database_is_down(
    open_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch, when_stale: str
) -> None:
    """As with everything that is not known: only `closed` refuses it."""
    app = open_app(when_stale=when_stale)
    monkeypatch.setattr("supertokens_py.engine.revoked_sessions.MAX_REMEMBERED", 0)
    revoke_session(app.request(app.sign_in()).get_handle())
    app.clock.advance(s=1)
    token = app.sign_in()
    app.request(token)
    break_database(app, monkeypatch)
    if when_stale == "closed":
        with pytest.raises(EngineUnavailableError):
            app.request(token)
    else:
        app.request(token)


def break_database(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the database away, and let the next request notice at once."""

    def fail(*_: object, **__: object) -> None:
        raise EngineUnavailableError("the database is down")

    app.log.pace = STEADY
    for name in ("read", "single", "write", "alone"):
        monkeypatch.setattr(app.log.database, name, fail)


@pytest.mark.parametrize("when_stale", ["check", "open", "closed"])
def test_while_the_database_is_down(
    open_app: Callable[..., App],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    when_stale: str,
) -> None:
    """CP-19: verification goes on, unless 503 was asked for; nothing is 401, and there is one warning."""
    app = open_app(when_stale=when_stale, max_staleness=10)
    token, gone = app.sign_in(), app.sign_in()
    app.request(token)
    revoke_session(app.request(gone).get_handle())
    break_database(app, monkeypatch)
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    app.clock.advance(s=10)
    app.request(token)
    app.clock.advance(ms=1)
    for _ in range(3):
        if when_stale == "closed":
            with pytest.raises(EngineUnavailableError):
                app.request(token)
        else:
            app.request(token)
            assert refusal(app, gone) == ("session_revoked", True)
    unsubscribe()
    stale = [event.age_ms for event in seen if isinstance(event, RevocationsStale)]
    warned = [one for one in caplog.records if one.message.startswith("revoked sessions cannot be read")]
    assert (set(stale), len(warned)) == (({10_001}, 1) if when_stale != "open" else (set(), 0))
    monkeypatch.undo()
    if when_stale != "open":
        with caplog.at_level(logging.INFO):
            app.request(token)
        assert "revoked sessions can be read again" in caplog.text


@pytest.mark.postgres
def test_while_a_server_is_killed(own_server: Server, start: Start, clock: Clock) -> None:
    """CP-17, CP-19: verification goes on, staleness is reported, and afterwards nothing has been missed."""
    app = App(partial(start, uri=own_server.uri), clock, max_staleness=10)
    token, gone, later = app.sign_in(), app.sign_in(), app.sign_in()
    revoke_session(app.request(gone).get_handle())
    last = app.request(later)
    seen: list[Event] = []
    unsubscribe = subscribe(seen.append)
    try:
        app.log.pace = STEADY  # each request that finds it too old tries again
        with psycopg.connect(own_server.uri, autocommit=True) as connection:
            connection.execute("CHECKPOINT")  # it commits asynchronously: a crash may lose what is new
        own_server.crash(signal.SIGQUIT)
        clock.advance(s=10, ms=1)
        for _ in range(3):
            app.request(token)
            app.request(later)
            assert refusal(app, gone) == ("session_revoked", True)
        assert {one.age_ms for one in seen if isinstance(one, RevocationsStale)} == {10_001}
        own_server.start()
        app.revoke_elsewhere(last)
        app.log.poll()
        assert refusal(app, later) == ("session_revoked", True)
        app.request(token)
    finally:
        unsubscribe()
        app.close()


@pytest.mark.parametrize("when_stale", ["check", "closed"])
def test_nobody_waits_for_a_reading_that_hangs(
    open_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch, when_stale: str
) -> None:
    """What another thread reads counts as unknown after a second: as where the database is down."""
    monkeypatch.setattr("supertokens_py.engine.embedded.revocation.revocation_log.PATIENCE_S", 0.01)
    app = open_app(when_stale=when_stale)
    token = app.sign_in()
    app.request(token)
    begun, ended, read = threading.Event(), threading.Event(), app.log.database.read

    def hang(work: Any) -> Any:
        begun.set()
        assert ended.wait(20)
        return read(work)

    monkeypatch.setattr(app.log.database, "read", hang)
    reader = threading.Thread(target=app.log.poll)
    reader.start()
    assert begun.wait(20)
    app.clock.advance(s=STALE_S, ms=1)
    try:
        for _ in range(2):
            if when_stale == "check":
                app.request(token)
                continue
            with pytest.raises(EngineUnavailableError):
                app.request(token)
    finally:
        ended.set()
        reader.join()
    app.log.poll()
    app.request(token)


def test_open_never_waits_for_the_database(open_app: Callable[..., App]) -> None:
    """Not even where it could be asked: the thread that reads will do so. A new process reads once."""
    app = open_app(when_stale="open")
    token = app.sign_in()
    app.revoke_elsewhere(app.request(token))
    app.clock.advance(minutes=10)
    app.request(token)
    app.log.poll()
    assert refusal(app, token) == ("session_revoked", True)


def test_a_process_that_has_never_reached_the_database(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its keys are known, as over a fork: tokens are accepted."""
    token = app.sign_in()
    app.request(token)
    app.log.after_fork_in_child()
    break_database(app, monkeypatch)
    ages: list[Any] = []
    unsubscribe = subscribe(lambda event: ages.append(getattr(event, "age_ms", "other")))
    app.request(token)
    unsubscribe()
    assert ages == [None]


def test_a_failure_is_not_asked_for_again_at_once(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests do not queue up behind a dead database: one tries, the others go on for a second."""
    token = app.sign_in()
    app.request(token)
    break_database(app, monkeypatch)
    app.log.pace = Pace(poll_s=3600)
    tries: list[int] = []
    monkeypatch.setattr(app.log.statements, "read", lambda *_: tries.append(1))
    app.clock.advance(s=6)
    app.request(token)
    assert app.log.is_cooling()
    monkeypatch.undo()
    app.request(token)
    assert tries == []


def test_where_threads_do_not_go_on_between_requests(
    open_app: Callable[..., App], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On AWS Lambda a request reads once in `max_staleness`, also with "open": nobody else would."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    app = open_app(when_stale="open")
    token = app.sign_in()
    app.revoke_elsewhere(app.request(token))
    assert not app.log.is_running()
    app.clock.advance(s=STALE_S)
    app.request(token)
    app.clock.advance(ms=1)
    assert refusal(app, token) == ("session_revoked", True)


def test_over_a_core_it_is_refused(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the engine is opened: a core tells nobody what it revokes."""
    start(instant_revocation=True)
    config = Supertokens.get_instance().supertokens_config
    monkeypatch.setattr(type(config), "engine_uri", "https://core.example.com")
    with pytest.raises(ConfigError, match="a SuperTokens core cannot do what instant_revocation asks for"):
        Supertokens.get_instance().open_engine()


def test_off_it_is_the_plain_verifier(start: Start) -> None:
    """CP-21: chosen by `init`, so that verifying has neither a look-up nor a frame more."""
    for settings in ({}, {"instant_revocation": False}, {"instant_revocation": None}):
        start(**settings)
        app = Supertokens.get_instance()
        assert type(app.recipe(SessionRecipe).verifier) is Verifier
        assert app.engine.revocations is None
    start(instant_revocation=True)
    assert type(Supertokens.get_instance().recipe(SessionRecipe).verifier) is WatchedVerifier


def test_both_verifiers_do_the_same_but_for_the_look_up() -> None:
    """The way of a known token is written out in both; a change of one belongs into the other."""
    plain, watched = (inspect.getsource(kind.session_of) for kind in (Verifier, WatchedVerifier))
    start, end = "        now = self._now_ms()", "            csrf.require_token(token, anti_csrf_token)\n"
    known = [
        "\n".join(line for line in text[text.index(start) : text.index(end)].splitlines() if "#" not in line)
        for text in (plain, watched)
    ]
    assert known[0] == known[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_staleness": 1}, "max_staleness must be 2 to 86400 seconds, not 1"),
        ({"max_staleness": True}, "max_staleness must be 2 to 86400 seconds, not True"),
        ({"max_staleness": "5"}, "max_staleness must be 2 to 86400 seconds, not '5'"),
        ({"when_stale": "never"}, 'when_stale must be "check", "open" or "closed", not \'never\''),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str) -> None:
    """The message names them."""
    with pytest.raises(ConfigError) as caught:
        InstantRevocation(**settings)
    assert str(caught.value) == f"InstantRevocation: {message}"


def test_the_argument_takes_nothing_else(start: Start) -> None:
    """A flag or settings."""
    with pytest.raises(ConfigError, match="instant_revocation must be True, False, an InstantRevocation or"):
        start(instant_revocation="yes")
