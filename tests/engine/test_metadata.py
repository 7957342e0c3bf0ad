"""User metadata, on every database."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError
from tests.engine.conftest import EVERY_KIND
from tests.engine.driver import Driver

pytestmark = EVERY_KIND


def test_metadata_are_merged_at_the_root(core: Driver):
    """CS-82: null deletes, a nested object is replaced as a whole, a nested null stays."""
    assert core.metadata.merge("u", {"a": 1, "n": {"x": 1, "y": 2}, "gone": 1}) == {
        "a": 1, "n": {"x": 1, "y": 2}, "gone": 1,
    }  # fmt: skip
    expected = {"a": 1, "n": {"z": None}, "ü": "☃"}
    assert core.metadata.merge("u", {"n": {"z": None}, "gone": None, "none": None, "ü": "☃"}) == expected
    assert core.metadata.read("u") == expected
    assert core.metadata.merge("u", {}) == expected


def test_parallel_updates_all_survive(core: Driver):
    """CS-83: 20 distinct keys on a user who had none."""
    threads = [threading.Thread(target=core.metadata.merge, args=("u", {f"key{n}": n})) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert core.metadata.read("u") == {f"key{n}": n for n in range(20)}


def test_unknown_users_have_none(core: Driver):
    """CS-84: and clearing is always fine."""
    assert core.metadata.read("nobody") == {}
    core.metadata.merge("u", {"a": 1})
    assert core.metadata.clear("u") is core.metadata.clear("u") is None
    assert core.metadata.read("u") == {}


@pytest.mark.parametrize(
    ("user_id", "update", "message"),
    [
        ("u", [], "metadata_update must be a JSON object"),
        ("u", {1: 1}, "not a string"),
        ("u", {"a": "x" * 1_048_576}, "1048584 bytes"),
        ("", {}, "user_id must not be empty"),
        ("x" * 129, {}, "128"),
        ("\tu", {}, "white space"),
    ],
)
def test_what_cannot_be_stored_is_refused(core: Driver, user_id: Any, update: Any, message: str):
    """Nothing is written (engine: Limits)."""
    with pytest.raises(BadInputError, match=message):
        core.metadata.merge(user_id, update)
    assert core.count("user_metadata") == 0
