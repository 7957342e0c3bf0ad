"""What Django's users expect besides `verify_session`: an application, checks, a command, `request.user`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .clients import django_settings  # noqa: F401  must be first

# isort: split
from django.apps import AppConfig
from django.core.management.base import CommandError
from django.test import override_settings

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.app import Supertokens
from supertokens_py.events import SessionCreated, SessionRevoked
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.adapter import initialise
from supertokens_py.framework.django.management.commands.supertokens import Command
from supertokens_py.framework.django.system_checks import check_deployment, check_settings
from supertokens_py.recipe import session
from supertokens_py.recipe.session import syncio as session_syncio

OURS = "supertokens_py.framework.django.django_middleware.middleware"
USERS = "supertokens_py.framework.django.users.user_middleware"
CORS = "corsheaders.middleware.CorsMiddleware"
LOGIN_REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"
STRANGER = "5b8f-not-a-number"
UNAUTHORISED = [401, {"message": "unauthorised"}]
TRY_REFRESH = [401, {"message": "try refresh token"}]
BLOCKS = "in an async view request.user would block: write `await request.auser()`, also before a template"
NO_ROW = (
    "the user '5b8f-not-a-number' of a session is no row of AUTH_USER_MODEL (auth.User), so that "
    "request.user is anonymous: map the user ids of a sign-in recipe to your rows, or set SUPERTOKENS_USER; "
    'see docs/moving-users.md, "People who sign up from then on". This is logged once per process.'
)
TEMPLATE_BLOCKS = (
    "in an async view a template would block looking for the session: guard the view by "
    "verify_session(session_required=False), which looks before"
)


pytestmark = pytest.mark.timeout(180)  # some start a project in processes of their own


@pytest.fixture(autouse=True)
def no_app() -> Iterator[None]:
    Supertokens.reset()
    yield
    Supertokens.reset()


def run(directory: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    given = {
        "PROJECT_DATABASE": str(directory / "project.db"),
        "PROJECT_SESSIONS": f"sqlite:///{directory}/sessions.db",
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.framework.django_project", *arguments],
        env={**os.environ, **given, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def visit(directory: Path, **environ: str) -> dict[str, Any]:
    done = run(directory, "visit", **environ)
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "log": done.stderr}


def test_views_find_the_user_of_the_session_and_can_require_one(tmp_path: Path) -> None:
    """CP-40: sync and async; a view that does not look at its user costs no query."""
    seen = visit(tmp_path)
    for kind in ("", "async "):
        ada = {"user": "ada", "known": True}
        anonymous = {"user": "", "known": False}
        assert seen[f"ada {kind}/user"] == [200, ada]
        assert seen[f"nobody {kind}/user"] == [200, anonymous]
        for nobody in ("stranger", "misspelt", "inactive"):
            assert seen[f"{nobody} {kind}/user"] == [200, anonymous]
        assert seen[f"ada {kind}/auser"] == [200, {"user": "ada", "same": True}]
        assert seen[f"nobody {kind}/auser"] == [200, {"user": "", "same": True}]
        for where in ("guarded", "guarded-async", "class", "class-async", "dispatch"):
            assert seen[f"ada {kind}/{where}"] == [200, {"session": "1"}]
            assert seen[f"nobody {kind}/{where}"] == UNAUTHORISED
        assert seen[f"ada {kind}/page"] == [200, "1"]
        assert seen[f"nobody {kind}/page"] == [200, "visitor"]
        assert seen[f"nobody {kind}/blocks"] == [200, {"error": BLOCKS}]
        assert seen[f"nobody {kind}/page-blocks"] == [200, {"error": TEMPLATE_BLOCKS}]
        assert seen[f"ada {kind}/page-async"] == [200, "1"]
        assert seen[f"nobody {kind}/page-async"] == [200, "visitor"]
        for where in ("user", "auser", "guarded", "class", "page"):
            assert seen[f"forger {kind}/{where}"] == TRY_REFRESH
        assert seen[f"guest {kind}/user"] == [200, anonymous]
        assert seen[f"guest {kind}/page"] == [200, "visitor"]
        assert seen[f"guest {kind}/guarded"][0] == seen[f"guest {kind}/class"][0] == 403
        assert seen[f"ada {kind}/guests"] == [200, {"guest": False, "known": True}]
        assert seen[f"guest {kind}/guests"] == [200, {"guest": True, "known": False}]
    for who in ("nobody", "ada", "stranger", "forger"):
        assert seen[f"{who} queries /nobody"] == [0, 0]
    for where in ("/user", "/auser"):  # one each, where the view looks: so they are counted
        assert seen[f"ada queries {where}"] == [1, 1]


def test_login_required_middleware_asks_the_session(tmp_path: Path) -> None:
    """A user whose id is no primary key is redirected to the log-in again and again; the log says so once."""
    seen = visit(tmp_path, PROJECT_MIDDLEWARE=json.dumps([LOGIN_REQUIRED]))
    assert [line for line in seen["log"].splitlines() if "no row" in line] == [NO_ROW]
    for kind in ("", "async "):
        assert seen[f"ada {kind}/nobody"] == [200, "anybody"]
        assert seen[f"nobody {kind}/nobody"] == [302, "/login?next=/nobody"]
        assert seen[f"stranger {kind}/nobody"] == [302, "/login?next=/nobody"]
        assert seen[f"forger {kind}/nobody"] == TRY_REFRESH  # a frontend refreshes, and asks again
        for where in ("guarded", "guarded-async", "class", "class-async", "dispatch"):
            assert seen[f"ada {kind}/{where}"] == [200, {"session": "1"}]
            assert seen[f"nobody {kind}/{where}"] == UNAUTHORISED  # as the view's own guard has it
            assert seen[f"inactive {kind}/{where}"] == [302, f"/login?next=/{where}"]


def test_the_documented_mapping_makes_users_of_codes_rows_of_django() -> None:
    """In views of both kinds, and within a transaction of the view's own connection."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.framework.django_mapped_users"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "sync": ["1 sync@example.com"] * 2,
        "async": ["2 async@example.com"] * 2,
        "in a transaction": ["3 ada@example.com"] * 2,
        "rows": 3,
    }
    assert "no row" not in done.stderr


@pytest.mark.real
def test_manage_py_works_on_the_sessions_of_the_project(tmp_path: Path) -> None:
    visit(tmp_path)
    checked = run(tmp_path, "check")
    assert (checked.returncode, checked.stdout) == (0, "System check identified no issues (0 silenced).\n")
    listed = run(tmp_path, "supertokens", "sessions", "list", STRANGER, "--json")
    (found,) = json.loads(listed.stdout)
    assert found["user_id"] == STRANGER
    ended = run(tmp_path, "supertokens", "sessions", "revoke", "--user", STRANGER)
    assert (ended.returncode, listed.returncode) == (0, 0)
    gone = run(tmp_path, "supertokens", "sessions", "show", found["handle"])
    assert gone.returncode == 1
    wrong = run(tmp_path, "supertokens", "sessions", "revoke")
    assert wrong.returncode == 2
    assert "say which sessions to revoke: either handles or --user" in wrong.stderr


def test_manage_py_check_says_what_is_wrong(tmp_path: Path) -> None:
    """CP-40: the four checks are registered, those of a deployment for `check --deploy` only."""
    csrf = "django.middleware.csrf.CsrfViewMiddleware"
    faults = {
        "PROJECT_MIDDLEWARE": json.dumps([csrf, "django.contrib.auth.middleware.AuthenticationMiddleware"]),
        "PROJECT_WEBSITE": "https://shop.example.com",
    }
    always = {"supertokens.W003", "supertokens.W004"}
    for arguments, found in (
        ((), always),
        (("--deploy",), {*always, "supertokens.W002", "supertokens.W006"}),
    ):
        said = run(tmp_path, "check", *arguments, **faults).stderr
        assert {*re.findall(r"\((supertokens\.\w+)\)", said)} == found, said


def test_manage_py_of_a_project_without_init_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """An error of the command, and no traceback."""
    with pytest.raises(CommandError) as raised:
        Command().handle(arguments=["doctor"])
    assert raised.value.returncode == 2
    assert "did not call supertokens_py.init(...) while it was loaded" in capsys.readouterr().err


def start(api: str = "https://api.example.com", uri: str = "sqlite://") -> None:
    init(
        app_info=InputAppInfo(app_name="Shop", api_domain=api, website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(uri),
        recipe_list=[session.init()],
    )


@pytest.mark.parametrize(
    ("middleware", "ids"),
    [
        ([OURS], []),
        (["supertokens_py.framework.django.middleware"], []),
        ([], ["supertokens.E001"]),
        ([CORS, OURS], []),
        ([OURS, CORS], ["supertokens.E002"]),
        ([OURS, "django.contrib.auth.middleware.AuthenticationMiddleware", USERS], []),
        ([OURS, USERS, "django.contrib.auth.middleware.AuthenticationMiddleware"], ["supertokens.W003"]),
    ],
)
def test_checks_read_the_order_of_the_middleware(middleware: list[str], ids: list[str]) -> None:
    """CP-40: E001, E002 and W003 are found, and only where they are."""
    start()
    with override_settings(MIDDLEWARE=middleware):
        assert [one.id for one in check_settings()] == ids


def test_checks_find_a_missing_init() -> None:
    """CP-40: E003 is found; other tests call `init`, and find none."""
    assert [one.id for one in check_settings()] == ["supertokens.E003"]
    assert check_deployment() == []


@pytest.mark.parametrize(
    ("api", "uri", "header", "ids"),
    [
        ("https://api.example.com", "sqlite://", None, ["supertokens.W001", "supertokens.W002"]),
        ("https://api.example.com", "https://core.example.com", None, ["supertokens.W001"]),
        ("https://api.example.com", "https://core.example.com", ("HTTP_X_FORWARDED_PROTO", "https"), []),
        ("http://localhost:8000", "sqlite://", None, ["supertokens.W002"]),
    ],
)
def test_deployment_is_checked(api: str, uri: str, header: Any, ids: list[str]) -> None:
    """CP-40: W001 and W002 are found, and only where they are."""
    start(api, uri)
    with override_settings(SECURE_PROXY_SSL_HEADER=header):
        assert [one.id for one in check_deployment()] == ids


def test_settings_that_are_no_arguments_of_init_are_named() -> None:
    with pytest.raises(ConfigError, match=r"not the arguments of supertokens_py\.init: .*colour"):
        initialise({"colour": "red"})
    assert Supertokens.current() is None


def test_without_arguments_in_the_settings_nothing_is_initialised() -> None:
    AppConfig.create("supertokens_py.framework.django").ready()
    assert Supertokens.current() is None
    message = r"^SUPERTOKENS must be a dict with the arguments of supertokens_py\.init$"
    with override_settings(SUPERTOKENS=["sqlite://"]), pytest.raises(ConfigError, match=message):
        AppConfig.create("supertokens_py.framework.django").ready()


def test_settings_give_way_to_a_call_of_init() -> None:
    start()
    made = Supertokens.current()
    initialise({"colour": "red"})
    assert Supertokens.current() is made


def test_a_second_init_names_the_settings_of_the_first(caplog: pytest.LogCaptureFixture) -> None:
    """Neither this package nor Django, which loads its applications, is where somebody can change it."""
    arguments = {
        "app_info": InputAppInfo("Shop", "http://localhost:8000", website_domain="http://localhost:3000"),
        "supertokens_config": SupertokensConfig("sqlite://"),
        "recipe_list": [session.init()],
    }
    with override_settings(SUPERTOKENS=arguments):
        AppConfig.create("supertokens_py.framework.django").ready()
    start()
    assert "the first call stands (SUPERTOKENS in the settings)." in caplog.messages[-1]


def test_events_are_signals_of_django(caplog: pytest.LogCaptureFixture) -> None:
    """Receivers get the record; one that fails is logged, and reaches nobody."""
    from supertokens_py.framework.django import signals

    seen: list[Any] = []

    def keep(sender: Any, event: Any, **_: Any) -> None:
        seen.append((sender, event))

    def fail(**_: Any) -> None:
        raise RuntimeError("a receiver's own mistake")

    start()
    for signal in (signals.session_created, signals.session_revoked):
        signal.connect(fail)
        signal.connect(keep)
    created = session_syncio.create_new_session_without_request_response("public", "ada")
    session_syncio.revoke_session(created.get_handle())
    for signal in (signals.session_created, signals.session_revoked):
        assert [signal.disconnect(one) for one in (fail, keep)] == [True, True]
    session_syncio.create_new_session_without_request_response("public", "bob")
    handle = created.get_handle()
    assert seen == [
        (SessionCreated, SessionCreated(handle=handle, user_id="ada", tenant_id="public")),
        (SessionRevoked, SessionRevoked(handle=handle, user_id="ada", tenant_id="public")),
    ]
    assert [one.name for one in caplog.records if one.exc_info] == ["django.dispatch"] * 2
