"""What `session.init` decided, as code may ask for it, and mistakes that show only in a request."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import inspect
from starlette.requests import Request

from supertokens_py import InputAppInfo, Supertokens, init
from supertokens_py.engine.session_records import NO_FEATURES
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe import session
from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.utils import get_token_transfer_method_default, normalise_session_scope

from .conftest import Start


def test_without_arguments_nothing_is_kept(stored: Start) -> None:
    """CP-1: neither a feature of the engine is on, nor is a table of one made, whatever is done."""
    stored()
    assert SessionRecipe.get_instance().session_features == NO_FEATURES
    made = sessions.create_new_session_without_request_response("public", "ada")
    assert made.refresh_token is not None
    sessions.refresh_session_without_request_response(made.refresh_token.token)
    assert len(sessions.list_sessions("ada")) == 1
    assert sessions.revoke_all_sessions_for_user("ada") == [made.get_handle()]
    engine: Any = Supertokens.get_instance().engine
    tables = inspect(engine.database.pool).get_table_names()
    assert "session_info" in tables
    assert [name for name in tables if name.startswith("supertokens_py_")] == []


def request(*headers: tuple[bytes, bytes]) -> Request:
    return Request({"type": "http", "method": "GET", "path": "/x", "headers": list(headers)})


@pytest.mark.parametrize("mode", ["NONE", "VIA_TOKEN", "VIA_CUSTOM_HEADER"])
def test_a_fixed_anti_csrf_mode(start: Start, mode: str) -> None:
    """It is the mode itself."""
    start(anti_csrf=mode)
    assert SessionRecipe.get_instance().config.anti_csrf_function_or_string == mode


@pytest.mark.parametrize(("same_site", "mode"), [("none", "VIA_CUSTOM_HEADER"), ("lax", "NONE")])
def test_an_anti_csrf_mode_that_requests_decide(start: Start, same_site: str, mode: str) -> None:
    """Otherwise it is the function that decides."""
    start(cookie_same_site=same_site)
    decide: Any = SessionRecipe.get_instance().config.anti_csrf_function_or_string
    assert decide(as_base_request(request()), {}) == mode


def test_what_init_was_given_of_the_framework() -> None:
    """By the names of 0.24; a mode is derived where none was given."""
    Supertokens.reset()
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        framework="flask",
        recipe_list=[session.init()],
    )
    config = SessionRecipe.get_instance().config
    assert (config.framework, config.mode) == ("flask", "wsgi")
    Supertokens.reset()


@pytest.mark.parametrize(
    ("preferred", "method"), [(b"header", "header"), (b"cookie", "cookie"), (b"", "any")]
)
def test_the_default_transfer_method(preferred: bytes, method: str) -> None:
    """A client chooses for a new session; of one that there is, both are looked at."""
    base = as_base_request(request((b"st-auth-mode", preferred)))
    assert get_token_transfer_method_default(base, True, {}) == method
    assert get_token_transfer_method_default(base, False, {}) == "any"


@pytest.mark.parametrize("given", ["Example.com", "https://example.com/path", "example.com:8000"])
def test_a_cookie_domain(given: str) -> None:
    """The older name of the function does the same."""
    assert normalise_session_scope(given) == "example.com"
    assert normalise_session_scope(f".{given}") == ".example.com"


@pytest.mark.parametrize("answer", [None, "both", 1])
def test_a_transfer_method_that_is_none(start: Start, answer: Any) -> None:
    """The application's function answers nonsense: the error says what it must return."""
    start(get_token_transfer_method=lambda *_: answer)
    message = rf'get_token_transfer_method returned {answer!r}; it must return "cookie", "header" or "any"'
    with pytest.raises(ConfigError, match=message):
        sessions.get_session(request())
