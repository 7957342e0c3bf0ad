"""What an error tracker would send: the variables of every frame of a failure hold no secret."""

from __future__ import annotations

import asyncio
import socketserver
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.embedded.keys.key_cipher import AtRest
from supertokens_py.engine.factory import open_engine
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.engine.uris import check_connection_uri, check_location
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.framework.asgi import Connection
from supertokens_py.framework.asgi import SuperTokensMiddleware as AsgiMiddleware
from supertokens_py.framework.wsgi import Environ
from supertokens_py.framework.wsgi import SuperTokensMiddleware as WsgiMiddleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session import asyncio as functions
from supertokens_py.recipe.session import syncio
from supertokens_py.secret import SecretBytes, SecretEnviron, SecretText, masked, new_secret
from supertokens_py.server.environment import create_from
from tests.support.databases import Sqlite, TestDatabase

SECRET, OTHER = new_secret(), new_secret()
THIS_FILE = __file__


def start(uri: str, secret: str | None) -> None:
    Supertokens.reset()
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(
            uri, engine=EngineConfig(clean_up_interval=0, encryption_key=secret, pool_timeout=1)
        ),
        recipe_list=[session.init()],
    )


@pytest.fixture
def database(sqlite_files: Sqlite) -> Iterator[TestDatabase]:
    """An empty database, and no app afterwards."""
    yield sqlite_files.create(template=False)
    Supertokens.reset()


def variables(error: BaseException | None, *, of: str = "") -> str:
    """Return the variables of every frame below this file's, causes and contexts included.

    `of` is what the paths of the frames contain.
    """
    shown: list[str] = []
    if error is None:
        return ""
    found: traceback.TracebackException | None = traceback.TracebackException.from_exception(
        error, capture_locals=True
    )
    while found is not None:
        for frame in found.stack:
            if frame.filename != THIS_FILE and of in frame.filename:
                shown += (f"{frame.name}: {name} = {text}" for name, text in (frame.locals or {}).items())
        found = found.__cause__ or found.__context__
    return "\n".join(shown)


def failure(call: Callable[[], Any]) -> Exception | None:
    """Return what a call fails with; some faults are none to some calls."""
    try:
        call()
    except Exception as error:
        return error
    return None


FAULTS: dict[str, Callable[[TestDatabase], None]] = {
    "damaged row": lambda database: database.query("UPDATE session_info SET jwt_user_payload = '{'"),
    "no table": lambda database: database.query("DROP TABLE session_info"),
    "wrong key": lambda database: start(database.uri, OTHER),
    "no key": lambda database: start(database.uri, None),
    "damaged master key": lambda database: (
        database.query("UPDATE key_value SET value = 'x' WHERE name = 'refresh_token_key'"),
        start(database.uri, SECRET),
    ),
    "half a signing key": lambda database: (
        database.query("UPDATE session_access_token_signing_keys SET value = 'x' || value"),
        start(database.uri, None),
    ),
    "damaged signing key": lambda database: (
        database.query("UPDATE session_access_token_signing_keys SET value = 'x'"),
        start(database.uri, SECRET),
    ),
}  # type: ignore[dict-item]


async def refresh_async(token: str) -> Any:
    return await functions.refresh_session_without_request_response(token)


WAYS: dict[str, Callable[[str], Any]] = {
    "refresh": lambda token: syncio.refresh_session_without_request_response(token),
    "refresh, async": lambda token: asyncio.run(refresh_async(token)),
    "create": lambda token: syncio.create_new_session_without_request_response("public", "bob"),
    "create a JWT": lambda token: syncio.create_jwt({"a": 1}),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("secret", [SECRET, None], ids=["encrypted", "plain"])
def test_no_secret_is_in_a_variable(database: TestDatabase, fault: str, way: str, secret: str | None) -> None:
    """Of any frame of ours or of a library, for each fault that a call can end in."""
    start(database.uri, secret)
    made = syncio.create_new_session_without_request_response("public", "ada")
    assert made.refresh_token is not None
    engine: Any = Supertokens.get_instance().engine
    keys = engine.keys
    secrets = {
        "master key": str(keys.master_key().text),
        "private key": repr(keys.signer(static=False).private_der),
        "refresh token": made.refresh_token.token,
        "secret": SECRET,
        "another secret": OTHER,
    }
    FAULTS[fault](database)
    shown = variables(failure(lambda: WAYS[way](made.refresh_token.token)))
    assert [name for name, value in secrets.items() if value[8:40] in shown] == []


PLANTED = "PLANTED-SECRET-0123456789"
OURS = "/supertokens_py/"
ENVIRONMENT = {
    "SUPERTOKENS_ENCRYPTION_KEY": PLANTED,
    "SUPERTOKENS_PREVIOUS_ENCRYPTION_KEY": PLANTED,
    "SUPERTOKENS_API_KEYS": PLANTED,
    "SUPERTOKENS_CONNECTION_URI": f"postgresql://shop:{PLANTED}@127.0.0.1:1/shop",
    "CLOUD_SECRET": PLANTED,
}
WRONG_SETTINGS: dict[str, Callable[[], Any]] = {
    "engine": lambda: EngineConfig().resolve({**ENVIRONMENT, "SUPERTOKENS_POOL_SIZE": "abc"}),
    "engine, given": lambda: EngineConfig(encryption_key=PLANTED, pool_size=0).resolve(ENVIRONMENT),
    "engine, lifetimes": lambda: EngineConfig(
        encryption_key=PLANTED, access_token_validity=86_400, refresh_token_validity=1
    ).resolve(ENVIRONMENT),
    "a short secret": lambda: EngineConfig(encryption_key="PLANTED").resolve({}),
    "server, engine": lambda: create_from({**ENVIRONMENT, "SUPERTOKENS_POOL_SIZE": "abc"}),
    "server": lambda: create_from({**ENVIRONMENT, "SUPERTOKENS_MAX_BODY_BYTES": "abc"}),
    "server, misspelt": lambda: create_from({**ENVIRONMENT, "SUPERTOKENS_POOLSIZE": "5"}),
    "server, flag": lambda: create_from({**ENVIRONMENT, "SUPERTOKENS_ALLOW_NO_API_KEY": "yes"}),
    "api_key": lambda: SupertokensConfig("http://127.0.0.1:0", api_key=PLANTED),
    "engine of config": lambda: SupertokensConfig(
        f"http://me:{PLANTED}@core.example.com",
        api_key=PLANTED,
        engine="x",  # type: ignore[arg-type]
    ),
}
WRONG_URIS = [
    f"http://me:{PLANTED}@core:0/",
    f"http://me:{PLANTED}@core.example.com/?a=b;http://core",
    f"http://me:{PLANTED}@[core/",
    f"mysql://me:{PLANTED}@host/x",
    f"postgresql:me:{PLANTED}@host/x",
    f"postgresql://me:{PLANTED}@db/x?bogus=1",
    f"postgresql://me:{PLANTED}@db:99999/x",
    f"postgresql://me:{PLANTED}@x@db/x",
    f"postgresql://me:{PLANTED}@db/x?sslmode=none&prepare_threshold=5",
    f"host=db password={PLANTED} port=x",
    f"host=db password={PLANTED} bogus",
]


@pytest.mark.parametrize("name", WRONG_SETTINGS)
def test_no_secret_of_the_configuration_is_in_a_variable(name: str) -> None:
    """Nor anything else of the environment, when one setting is wrong."""
    error = failure(WRONG_SETTINGS[name])
    assert isinstance(error, ConfigError)
    assert "PLANTED" not in variables(error, of=OURS)


@pytest.mark.parametrize("uri", WRONG_URIS)
def test_no_password_of_a_uri_is_in_a_variable(uri: str) -> None:
    """Whatever is wrong with the URI, and whoever looks at it."""

    def check() -> None:
        check_connection_uri(uri)
        check_location(uri)

    for look in (check, lambda: SupertokensConfig(uri)):
        error = failure(look)
        assert PLANTED not in variables(error, of=OURS)
    assert isinstance(failure(check), ConfigError)


@pytest.mark.parametrize("secret", [SECRET, None], ids=["encrypted", "plain"])
@pytest.mark.parametrize("table", ["session_access_token_signing_keys", "jwt_signing_keys", "key_value"])
def test_no_new_key_is_in_a_variable(
    database: TestDatabase, table: str, secret: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the database refuses to store it; not even its row is shown."""
    engine: Any = open_engine(database.uri, EngineConfig(encryption_key=secret).resolve({}))
    engine.keys.jwks()
    stored: list[str] = []
    protect = AtRest.protect

    def noted(self: AtRest, text: str, *, label: str) -> SecretText:
        stored.extend((str(text), str(protected := protect(self, text, label=label))))
        return protected

    monkeypatch.setattr(AtRest, "protect", noted)
    for event in ("INSERT", "UPDATE"):
        database.query(
            f"CREATE TRIGGER no_{event} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    order = RenewalOrder(dynamic=True, static=True, master=True, keep_sessions_ms=1000, drop_old=False)
    error = failure(lambda: engine.keys.renew(order))
    engine.close()
    assert error is not None
    assert stored
    shown = variables(error, of=OURS)
    assert [text for text in stored if text[-60:-20] in shown] == []


def test_no_refresh_token_for_a_core_is_in_a_variable(core_that_hangs_up: str) -> None:
    """When the core goes away in the middle of a refresh."""
    start(core_that_hangs_up, None)
    error = failure(lambda: syncio.refresh_session_without_request_response(f"{PLANTED}.abc.V2"))
    Supertokens.reset()
    assert isinstance(error, EngineUnavailableError)
    assert PLANTED not in variables(error, of=OURS)


def test_no_cookie_is_in_a_variable_when_the_client_is_gone(database: TestDatabase) -> None:
    """At the start of a response with tokens, on ASGI and WSGI."""
    start(database.uri, None)
    made: list[str] = []

    async def asgi_app(scope: Any, receive: Any, send: Any) -> None:
        new = await functions.create_new_session(Connection(scope, receive), "public", "ada")
        made.append(new.get_all_session_tokens_dangerously()["refreshToken"] or "")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def wsgi_app(environ: Any, start_response: Any) -> list[bytes]:
        new = syncio.create_new_session(Environ(environ), "public", "ada")
        made.append(new.get_all_session_tokens_dangerously()["refreshToken"] or "")
        start_response("200 OK", [])
        return []

    async def gone(message: Any) -> None:
        raise OSError("client gone")

    def gone_at_once(*_: Any) -> None:
        raise OSError("client gone")

    scope = {"type": "http", "method": "POST", "path": "/login", "headers": [], "query_string": b""}
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/login", "QUERY_STRING": ""}
    errors = (
        failure(lambda: asyncio.run(AsgiMiddleware(asgi_app)(scope, no_message, gone))),
        failure(lambda: list(WsgiMiddleware(wsgi_app)(environ, gone_at_once))),
    )
    assert [str(error) for error in errors] == ["client gone"] * 2
    shown = "".join(variables(error, of=OURS) for error in errors)
    assert [token for token in made if token.split(".")[1] in shown] == []
    assert len(made) == 2


async def no_message() -> Any:
    """Receive nothing: the requests have no body."""
    return {"type": "http.request", "body": b"", "more_body": False}


@pytest.fixture
def core_that_hangs_up() -> Iterator[str]:
    """The address of a server that answers no request."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_secret_text_shows_nothing_and_is_the_text():
    """Nor does a part of it, which is what tracebacks with a limit of length show."""
    text = SecretText("a secret of some length")
    assert [repr(text), f"{text!r}", repr(text[:5]), repr([text])] == ["'***'", "'***'", "'***'", "['***']"]
    assert (text, f"{text}", hash(text), text[2]) == ("a secret of some length",) * 2 + (hash(str(text)), "s")
    assert masked("x") == "x"
    assert repr(masked("x")) == "'***'"
    assert masked(None) is None
    assert (repr(SecretBytes(b"x")), SecretBytes(b"x")) == ("b'***'", b"x")
    environ = SecretEnviron({"A": "x"})
    assert repr(environ) == "{***}"
    assert (dict(environ), len(environ)) == ({"A": "x"}, 1)
