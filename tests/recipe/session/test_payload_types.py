"""Payloads and session data are dicts; anything else is refused by name, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe.session import SessionContainer, SessionRecipe
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.claims import BooleanClaim

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


@pytest.mark.parametrize(
    ("payload", "place", "kind"),
    [
        ({"last_login": datetime(2026, 1, 2)}, '["last_login"]', "datetime"),
        ({"a": [1, {"b c": {1, 2}}]}, '["a"][1]["b c"]', "set"),
        ({"a": ({}, float("nan"))}, '["a"][1]', "nan"),
        ({"a": float("-inf")}, '["a"]', "-inf"),
    ],
)
def test_a_value_without_a_json_form_is_named_with_its_place(
    live: SessionContainer, payload: dict[str, Any], place: str, kind: str
) -> None:
    """In new sessions, in their data, in changes."""
    remedy = "convert it to a string, a number, a list or a dict"
    why = f"cannot be written as JSON: {kind} is not a JSON value; {remedy}"
    for name in ("access_token_payload", "session_data_in_database"):
        text = refusal(
            lambda name=name: sessions.create_new_session_without_request_response(
                "public", "u2", **{name: payload}
            )
        )
        assert text == f"{name}{place} {why}"
    update = f"access_token_payload_update{place} {why}"
    assert refusal(lambda: live.sync_merge_into_access_token_payload(payload)) == update
    assert refusal(lambda: sessions.merge_into_access_token_payload(live.get_handle(), payload)) == update
    assert sessions.get_all_session_handles_for_user("u2") == []


def test_a_claim_that_fetches_something_else_is_named(start: Start) -> None:
    """By its key in the payload."""
    start()
    fetched: Any = datetime(2026, 1, 2)
    claim = BooleanClaim("seen", lambda *_: fetched)
    SessionRecipe.get_instance().add_claim_from_other_recipe(claim)
    text = refusal(lambda: sessions.create_new_session_without_request_response("public", "u2"))
    assert text.startswith('access_token_payload["seen"]["v"] cannot be written as JSON: datetime is not ')


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
