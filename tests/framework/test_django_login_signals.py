"""Django's own signals are sent for sessions of this package, as their receivers expect them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(180)  # a project in a process of its own

HIDDEN = "********************"
NOTHING = [200]


@pytest.fixture(scope="module")
def everything() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.framework.django_login_signals"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=["sync", "async"])
def seen(everything: dict[str, Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """What receivers heard of a browser of Django's sync or async handler."""
    return everything[request.param]


def ada(act: str, path: str) -> list[Any]:
    """Return what one receiver hears: the class of the row as sender, and `request.user` is that row."""
    return [200, [act, "User", "ada", path, True]]


def test_who_signs_in_is_told_once(seen: dict[str, Any]) -> None:
    """A receiver that fails reaches nobody; Django's own one writes `last_login`."""
    assert seen["log-in"] == ada("in", "/login")
    assert seen["last log-in"] == [True, False]
    assert seen["re-authentication"] == ada("in", "/again")
    assert seen["refresh"] == NOTHING


def test_who_signs_out_is_told_once(seen: dict[str, Any]) -> None:
    assert seen["sign-out"] == ada("out", "/auth/signout")
    assert seen["revoked by the view"] == ada("out", "/leave")
    assert seen["sign-out without a session"] == [401]


def test_nobody_else_is_told_of(seen: dict[str, Any]) -> None:
    """Guests, people without a row, and who acts as somebody else have not logged in as a user."""
    assert seen["guest"] == seen["nobody's row"] == seen["impersonation"] == [NOTHING, NOTHING]
    assert seen["inactive"] == [NOTHING, [200, ["out", "User", "eve", "/leave", True]]]


def test_sessions_that_no_client_has_got_are_not_told_of(seen: dict[str, Any]) -> None:
    assert seen["withdrawn"] == [500]
    assert seen["regretted"] == NOTHING


def test_failures_of_sign_in_recipes_are_told_without_the_password(seen: dict[str, Any]) -> None:
    sender, hidden = "supertokens_py.recipe.emailpassword", {"password": HIDDEN, "tenant_id": "public"}
    given = {"email": "ada@example.com", **hidden}
    assert seen["wrong password at the route"] == [200, ["failed", sender, given, "/auth/signin"]]
    assert seen["wrong password in a view"] == [200, ["failed", sender, hidden, "/check"]]


def test_users_that_are_no_rows_are_not_told_of(everything: dict[str, Any]) -> None:
    """Receivers would fail; and an error while the user is loaded ends no request that has logged in."""
    assert everything["load_something"] == everything["load_nothing"] == NOTHING
    assert everything["nobody listens"] == [NOTHING, NOTHING]
