"""Sessions in Django's admin: who may look, who may end them, and what the pages say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

LIST = "/admin/supertokens/session/"
TIME = "0000-00-00 00:00:00Z"

pytestmark = pytest.mark.timeout(180)  # the project starts in a process of its own


def visit(directory: Path, **environ: str) -> dict[str, Any]:
    given = {
        "PROJECT_DATABASE": str(directory / "project.db"),
        "PROJECT_SESSIONS": f"sqlite:///{directory}/sessions.db",
    }
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.framework.django_admin_project"],
        env={**os.environ, **given, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return visit(tmp_path_factory.mktemp("django_admin"))


@pytest.mark.parametrize(
    ("visitor", "looks", "ends"),
    [
        ("anonymous", 302, 302),
        ("customer", 302, 302),  # has both permissions, and is not staff
        ("staff", 403, 403),  # has the permission to end sessions only
        ("reader", 200, 403),
        ("writer", 200, 200),
        ("root", 200, 200),
    ],
)
def test_staff_with_permissions_come_in(seen: dict[str, Any], visitor: str, looks: int, ends: int) -> None:
    """By a thread and by an event loop."""
    assert seen[visitor] == {"list": [looks, looks], "revoke": [ends, ends], "others": [ends, ends]}


def test_who_may_only_look_ends_nothing(seen: dict[str, Any]) -> None:
    assert seen["reader, list"] == [True, True, False, False]
    assert [seen[f"{who} posts"] for who in ("reader", "staff", "anonymous")] == [
        [403, 4],
        [403, 4],
        [302, 4],
    ]


def test_a_row_says_where_the_session_is_used(seen: dict[str, Any]) -> None:
    assert seen["cells"] == ["", "Firefox on Linux", "203.0.113.0", TIME, TIME, TIME, "public"]


def test_a_session_ends_in_the_name_of_the_administrator(seen: dict[str, Any]) -> None:
    handle = seen["handles"][0]
    assert seen["one"] == [302, f"{LIST}?user=bea", True]
    assert seen["one, shown"] is True
    writer = seen["keys"]["writer"]
    assert seen["one, events"] == [
        ["revoked", writer, "admin", handle],
        ["acted", writer, f"session {handle}"],
    ]


def test_the_other_sessions_end(seen: dict[str, Any]) -> None:
    _, kept, *others = seen["handles"]
    writer = seen["keys"]["writer"]
    assert seen["others"] == [302, True]
    *revoked, acted = seen["others, events"]
    assert sorted(revoked) == sorted(["revoked", writer, "admin", handle] for handle in others)
    assert acted == ["acted", writer, f"sessions other than {kept}"]


def test_the_question_says_how_many_sessions_end_also_those_that_are_not_shown(seen: dict[str, Any]) -> None:
    """203 sessions, of which a page shows 200, and one stays: that is named, too."""
    assert seen["many"] == {"title": "End 202 sessions?", "named": 200, "rest": ["and 3 more"], "left": 1}


def test_django_logs_each_session_that_ended(seen: dict[str, Any]) -> None:
    first, _, *others = seen["handles"]
    deletion = 3
    assert seen["log"][0] == ["writer", first, f"session {first} of user bea", deletion]
    assert sorted(entry[1] for entry in seen["log"][1:]) == sorted(others)


def test_only_live_sessions_of_the_user_on_the_page_end(seen: dict[str, Any]) -> None:
    status, location, texts, is_alive = seen["foreign"]
    assert (status, location, is_alive) == (302, f"{LIST}?user=bea", True)
    assert texts == ["Select sessions that are alive."]
    status, texts, alive = seen["two stay"]
    assert (status, texts[-1], alive) == (302, "Select the one session that stays.", 4)
    assert seen["no others"][-1] == "There is no other session."


@pytest.mark.parametrize(
    ("how", "status"),
    [("foreign, without token", 403), ("foreign, with token", 403), ("no token", 403), ("own", 302)],
)
def test_forms_of_other_sites_end_nothing(seen: dict[str, Any], how: str, status: int) -> None:
    assert seen[f"csrf, {how}"] == [status, True]


def test_hostile_ids_are_text(seen: dict[str, Any]) -> None:
    """Markup, direction marks and line breaks are shown as such, on the pages and in Django's log."""
    assert [seen[f"hostile {page}"] for page in ("list", "revoke", "nobody")] == [
        [200, False, True],
        [200, False, True],
        [200, False, False],
    ]
    assert [seen[f"hostile {page}, shown"] for page in ("list", "revoke", "nobody")] == [True] * 3
    assert (seen["hostile revoked"], seen["hostile, back"]) == ([302, []], 200)
    assert seen["hostile, log"] == r""" of user "><script>alert(1)</script>\u202e\nx"""
    assert (seen["too long"], seen["nul"], seen["refused"]) == (400, 200, [400, True])
    assert seen["too long, revoke"][-1] == "No id has more than 512 characters."


@pytest.mark.parametrize("page", ["add/", "1/change/", "1/delete/", "1/history/"])
def test_nothing_can_be_edited(seen: dict[str, Any], page: str) -> None:
    assert seen[page] == 404


def test_a_database_that_is_away_is_said(seen: dict[str, Any]) -> None:
    away = "The database or the core of the sessions does not answer. Try again in a moment."
    assert seen["down"] == [503, True]
    status, texts, logs_nothing = seen["down, revoke"]
    assert (status, texts[-1], logs_nothing) == (302, away, True)


def test_the_index_and_the_users_link_to_it(seen: dict[str, Any]) -> None:
    assert seen["index"] == [True, False]
    assert seen["link"] is True


def test_an_admin_site_of_the_project_has_pages_of_its_own(seen: dict[str, Any]) -> None:
    assert seen["other site"] == [True, False, "/other/supertokens/session/?user=ada"]


def test_the_database_of_django_is_asked_about_permissions_only(seen: dict[str, Any]) -> None:
    assert {*seen["queries"]} <= {"auth_group", "auth_permission", "auth_user", "django_session"}
    assert seen["rows"] == [[], 0]


def test_manage_py_finds_no_table(seen: dict[str, Any]) -> None:
    """`makemigrations` has nothing to write, and `dumpdata` nothing to read."""
    assert seen["manage.py"] == [
        "System check identified no issues (0 silenced).",
        "No changes detected",
        "[]",
    ]


def test_a_session_opens_no_admin(tmp_path: Path) -> None:
    """With `user_middleware`; no devices are kept here, so a row says only what is known."""
    assert visit(tmp_path, PROJECT_USERS="sessions") == {
        "session": 302,
        "log-in": 200,
        "cells": ["", "-", "-", TIME, "-", TIME, "public"],
    }
