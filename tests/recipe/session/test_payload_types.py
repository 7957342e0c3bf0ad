"""Payloads and session data are dicts; anything else is refused by name, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session import syncio as sessions

from .conftest import Start

WRONG: list[Any] = [[], [{"a": 1}], "a=1", 5]


@pytest.fixture
def live(start: Start) -> SessionContainer:
    start()
    return sessions.create_new_session_without_request_response("public", "u1", {"a": 1})


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(BadInputError) as refused:
        call()
    return str(refused.value)


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["access_token_payload", "session_data_in_database"])
def test_a_new_session_takes_dicts(start: Start, name: str, value: Any) -> None:
    """The text names the argument, what it must be and what came."""
    start()
    text = refusal(
        lambda: sessions.create_new_session_without_request_response("public", "u1", **{name: value})
    )
    assert text == f"{name} must be a JSON object (a dict), not {type(value).__name__}"
    assert sessions.get_all_session_handles_for_user("u1") == []


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.filterwarnings("ignore:update_access_token_payload is deprecated:DeprecationWarning")
def test_changes_are_dicts(live: SessionContainer, value: Any) -> None:
    """With and without a session at hand."""
    handle, what = live.get_handle(), f"must be a JSON object (a dict), not {type(value).__name__}"
    update = f"access_token_payload_update {what}"
    assert refusal(lambda: live.sync_merge_into_access_token_payload(value)) == update
    assert refusal(lambda: sessions.merge_into_access_token_payload(handle, value)) == update
    replacement = f"new_access_token_payload {what}"
    assert refusal(lambda: live.sync_update_access_token_payload(value)) == replacement
    assert refusal(lambda: sessions.update_access_token_payload(handle, value)) == replacement
    data = f"session_data_in_database {what}"
    assert refusal(lambda: live.sync_update_session_data_in_database(value)) == data
    assert refusal(lambda: sessions.update_session_data_in_database(handle, value)) == data
    assert live.get_access_token_payload()["a"] == 1
