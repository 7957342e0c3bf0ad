"""What `session.init` decided, as code may ask for it, and mistakes that show only in a request."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.native import as_base_request
from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.utils import normalise_session_scope

from .conftest import Start


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
