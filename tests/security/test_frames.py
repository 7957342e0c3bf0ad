"""What an error tracker would send: the variables of every frame of a failure hold no secret."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.session import asyncio as functions
from supertokens_py.recipe.session import syncio
from supertokens_py.secret import SecretText, hidden, new_secret
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


def variables(error: BaseException | None) -> str:
    """Return the variables of every frame below this file's, causes and contexts included."""
    shown: list[str] = []
    if error is None:
        return ""
    found: traceback.TracebackException | None = traceback.TracebackException.from_exception(
        error, capture_locals=True
    )
    while found is not None:
        for frame in found.stack:
            if frame.filename != THIS_FILE:
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


def test_a_secret_text_shows_nothing_and_is_the_text():
    """Nor does a part of it, which is what tracebacks with a limit of length show."""
    text = SecretText("a secret of some length")
    assert [repr(text), f"{text!r}", repr(text[:5]), repr([text])] == ["'***'", "'***'", "'***'", "['***']"]
    assert (text, f"{text}", hash(text), text[2]) == ("a secret of some length",) * 2 + (hash(str(text)), "s")
    assert hidden("x") == "x"
    assert repr(hidden("x")) == "'***'"
    assert hidden(None) is None  # type: ignore[arg-type]
