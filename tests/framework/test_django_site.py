"""A site of pages with Django's own users and its admin."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(180)  # a project in a process of its own

ADMIN_LOGIN = [302, "/admin/login/?next=/admin/"]


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.framework.django_site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_admin_goes_by_the_log_in_of_django_alone(seen: dict[str, Any]) -> None:
    """Its log-in and log-out work beside the user middleware, and no session enters it or holds it up."""
    assert seen["admin: visitor"] == ADMIN_LOGIN
    assert seen["admin: log-in"] == [302, "/admin/"]
    assert seen["admin: afterwards"] == [200, "root"]
    assert seen["admin: elsewhere"] == [[200, "visitor"], [302, "/login?next=/orders"]]
    assert seen["admin: with a session of ada"] == [[200, "root"], [200, "ada"]]
    assert seen["admin: sign-out of ada"] == [[303, "/"], [200, "root"]]
    assert seen["admin: log-out"] == [200, ADMIN_LOGIN]
    assert seen["admin: session after log-out"] == [200, "root"]
    assert seen["admin: bad token"] == [ADMIN_LOGIN, [302, "/admin/"], [200, "root"]]


def test_redirects_and_forms_are_as_the_test_client_of_django_expects(seen: dict[str, Any]) -> None:
    """It follows redirects by their `url`, and sends forms as multipart/form-data."""
    assert seen["pages: followed"] == [[["/login?next=/account", 303]], [200, "log in"]]
    assert seen["pages: log-in"] == [302, "/"]
    assert seen["pages: account"] == [200, "account"]
    assert seen["pages: form with an old token"] == [401, "text/html; charset=utf-8"]
    assert seen["pages: signed out"] == [200, "visitor"]


def test_a_form_with_an_expired_token_is_not_led_to_the_log_in(seen: dict[str, Any]) -> None:
    """Below `LoginRequiredMiddleware`, over WSGI and ASGI; visitors are redirected, public views take it."""
    send_again = [401, True, None]
    assert seen["members: form with an old token"] == [
        send_again,
        send_again,
        [302, False, "/login?next=/orders"],
        [200, False, None],
    ]


def test_templates_of_async_views_find_the_user_that_auser_has_loaded(seen: dict[str, Any]) -> None:
    assert seen["pages: user of templates"] == [[200, "ada"], [200, "ada"]]


def test_login_as_takes_what_force_login_takes(seen: dict[str, Any]) -> None:
    assert [seen[f"login_as: {one}"] for one in ("row", "number", "text")] == [[200, "ada"]] * 3
    assert seen["login_as: unsaved"] == (
        "login_as needs a user id, a number, or a saved row of a Django model, not <User: unsaved>"
    )


@pytest.mark.parametrize("stack", ["members", "all"])
def test_to_whoever_merely_looks_a_form_of_a_subdomain_is_a_visitors(
    seen: dict[str, Any], stack: str
) -> None:
    """With `LoginRequiredMiddleware` or not; views that require a session refuse it."""
    assert seen[f"{stack}: /anybody"] == [[200, "an assertion of an identity provider"]] * 2
    assert seen[f"{stack}: /"] == seen[f"{stack}: /async"] == [[200, "visitor"]] * 2
    assert seen[f"{stack}: /looks"] == [[200, "no session"]] * 2
    assert (
        seen[f"{stack}: /orders"]
        == [[302, "/login?next=/orders"] if stack == "members" else [200, "orders"]] * 2
    )
    for refuses in ("/account", "/key"):
        assert [status for status, _ in seen[f"{stack}: {refuses}"]] == [401, 401]


@pytest.mark.parametrize("stack", ["members", "all"])
@pytest.mark.parametrize("view", ["/open", "/open-async", "/open-shared"])
def test_a_view_that_accepts_forms_of_subdomains_has_their_user(
    seen: dict[str, Any], stack: str, view: str
) -> None:
    """The user is that of the session which the view has verified, whatever a look would find."""
    assert seen[f"{stack}: {view}"] == [[200, "ada 1"]] * 2


def test_a_guard_inside_of_a_view_that_requires_no_log_in_is_left_to_the_view(seen: dict[str, Any]) -> None:
    """`functools.wraps` makes it look as if it were the guard of the whole view."""
    assert seen["key"] == [[200, "by key"], [303, "/login?next=/key"]]


def test_a_guard_chooses_its_claims_below_login_required_middleware(seen: dict[str, Any]) -> None:
    assert seen["plans"] == [200, "plans for eve"]
    assert seen["no plan"] == 403
