"""The pytest plugin, as the tests of an application use it: each suite below runs in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx2
import pytest
from flask import Flask

import supertokens_py.testing
from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.config import EngineConfig
from supertokens_py.recipe import session
from supertokens_py.testing import SupertokensClock, assert_claim_failed
from supertokens_py.testing.pytest_plugin.applications import under_test

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.timeout(300)  # each is a whole run of pytest

INIT = """
from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import session, userroles
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.userroles import UserRoleClaim

def start():
    init(
        app_info=InputAppInfo(
            app_name="Shop", api_domain="https://api.example.com", website_domain="https://example.com"
        ),
        supertokens_config=SupertokensConfig(connection_uri="sqlite:///real.db"),
        recipe_list=[session.init(), userroles.init()],
    )
"""

FASTAPI_APP = """
from fastapi import Depends, FastAPI
from common import SessionContainer, UserRoleClaim, start
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe.session.framework.fastapi import verify_session

start()
app = FastAPI()
app.add_middleware(get_middleware())

@app.get("/me")
async def me(session: SessionContainer = Depends(verify_session())):
    return {"user": session.get_user_id(), "plan": session.get_access_token_payload().get("plan")}

def admins(validators, *_):
    return [*validators, UserRoleClaim.validators.includes("admin")]

ADMIN = verify_session(override_global_claim_validators=admins)

@app.get("/admin")
async def admin(session: SessionContainer = Depends(ADMIN)):
    return {"user": session.get_user_id()}
"""

TEST_FASTAPI = """
import httpx2, pytest
from fastapi.testclient import TestClient
from shop import app
from supertokens_py.events import SessionCreated, TokenReused
from supertokens_py.testing import assert_claim_failed, assert_logged_out, steal

@pytest.fixture(params=["cookie", "header"])
def mode(request):
    return request.param

@pytest.fixture
def client():
    return TestClient(app, base_url="https://api.example.com")

def test_a_client_is_somebody(client, login_as, mode):
    assert client.get("/me").status_code == 401
    login_as(client, "ada", payload={"plan": "pro"}, mode=mode)
    assert client.get("/me").json() == {"user": "ada", "plan": "pro"}

def test_two_clients_are_two_people(login_as):
    ada, bob = TestClient(app), TestClient(app)
    login_as(ada, "ada", mode="header")
    login_as(bob, "bob", mode="header")
    assert [one.get("/me").json()["user"] for one in (ada, bob, ada)] == ["ada", "bob", "ada"]

def test_roles(client, login_as, mode):
    login_as(client, "ada", mode=mode)
    assert_claim_failed(client.get("/admin"), "st-role")
    login_as(client, "ada", roles=["admin"], mode=mode)
    assert client.get("/admin").status_code == 200

def test_expiry_and_refresh(client, login_as, mode, supertokens_clock):
    login = login_as(client, "ada", mode=mode)
    supertokens_clock.until_access_token_expires(login.session)
    assert client.get("/me").json() == {"message": "try refresh token"}
    assert login.refresh().status_code == 200
    if mode == "cookie":
        assert client.get("/me").status_code == 200
        assert login.sign_out().json() == {"status": "OK"}
        assert client.get("/me").status_code == 401

def test_theft(client, login_as, mode, supertokens_clock, supertokens_events):
    login = login_as(client, "ada", mode=mode)
    thief = steal(login)
    login.refresh()
    supertokens_clock.advance("31s")
    assert_logged_out(thief.replay(TestClient(app, base_url="https://api.example.com")))
    assert [type(one) for one in supertokens_events if isinstance(one, (SessionCreated, TokenReused))] == [
        SessionCreated, TokenReused
    ]

def test_within_the_grace_period_it_is_none(client, login_as, mode, supertokens_clock):
    login = login_as(client, "ada", mode=mode)
    thief = steal(login)
    login.refresh()
    supertokens_clock.advance(29)
    assert thief.replay(TestClient(app, base_url="https://api.example.com")).status_code == 200

@pytest.mark.asyncio
async def test_an_async_client(login_as, mode):
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://api.example.com") as client:
        login_as(client, "ada", mode=mode)
        assert (await client.get("/me")).json()["user"] == "ada"

@pytest.mark.supertokens(access_token_validity=60)
def test_a_marker_sets_the_engine(client, login_as, supertokens_clock):
    login_as(client, "ada")
    supertokens_clock.advance("2m")
    assert client.get("/me").status_code == 401

def test_an_unknown_client_is_told(login_as):
    with pytest.raises(TypeError, match="login_as does not know a object. It knows: TestClient of Starlette"):
        login_as(object(), "ada")

@pytest.mark.parametrize("by", ["2 hours", "h", "", "1.2.3s"])
def test_a_time_that_is_none(by, supertokens_clock):
    with pytest.raises(ValueError, match="advance takes seconds, or a text"):
        supertokens_clock.advance(by)
"""

TEST_REAL_STORE = """
from pathlib import Path
import pytest
from fastapi.testclient import TestClient
from shop import app
from supertokens_py.exceptions import ConfigError
from supertokens_py.testing import login_as

STORE = Path("real.db")

@pytest.fixture
def client():
    return TestClient(app, base_url="https://api.example.com")

def test_without_the_fixture(client):
    with pytest.raises(ConfigError, match="login_as would write to the store that the application itself"):
        login_as(client, "ada", roles=["admin"])
    assert client.get("/me").status_code == 401
    assert not STORE.exists()

def test_with_the_fixture(client, supertokens):
    login_as(client, "ada", roles=["admin"])
    assert client.get("/admin").json() == {"user": "ada"}
    assert not STORE.exists()

def test_where_it_is_wanted(client):
    login_as(client, "ada", allow_real_store=True)
    assert client.get("/me").json()["user"] == "ada"
    assert STORE.exists()
"""

TEST_FLASK = """
import pytest
from flask import Flask, g
from common import start
from supertokens_py import Supertokens
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session.framework.flask import verify_session

def create_app():
    start()
    app = Flask(__name__)
    Middleware(app)

    @app.get("/me")
    @verify_session()
    def me():
        return {"user": g.supertokens.get_user_id()}

    return app

@pytest.fixture
def client(supertokens):
    return create_app().test_client()

@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_a_factory(client, login_as, mode, supertokens_clock):
    login = login_as(client, "ada", mode=mode)
    assert client.get("/me").get_json() == {"user": "ada"}
    supertokens_clock.until_access_token_expires(login.session)
    assert client.get("/me").status_code == 401
    assert login.refresh().status_code == 200

def test_the_app_of_the_factory_is_gone():
    assert Supertokens.current() is None
"""

TEST_DJANGO = """
import django, pytest
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"], SECRET_KEY="x", ROOT_URLCONF=__name__, INSTALLED_APPS=[], USE_TZ=True,
    MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"],
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
)
django.setup()
from django.http import JsonResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import path
from rest_framework.test import APIClient
from common import start
from supertokens_py.recipe.session.framework.django.syncio import verify_session

start()

@verify_session()
def me(request):
    return JsonResponse({"user": request.supertokens.get_user_id()})

urlpatterns = [path("me", me)]

@pytest.mark.parametrize("mode", ["cookie", "header"])
@pytest.mark.parametrize("kind", [Client, APIClient])
def test_clients(kind, login_as, mode, supertokens_clock):
    client = kind()
    login = login_as(client, "ada", mode=mode)
    assert client.get("/me").json() == {"user": "ada"}
    supertokens_clock.until_access_token_expires(login.session)
    assert client.get("/me").status_code == 401
    assert login.refresh().status_code == 200

@pytest.mark.asyncio
@pytest.mark.parametrize("mode", ["cookie", "header"])
async def test_an_async_client(login_as, mode):
    client = AsyncClient()
    login = login_as(client, "ada", mode=mode)
    response = await client.get("/me")
    assert response.json() == {"user": "ada"}
    assert (await login.refresh()).status_code == 200

@pytest.mark.parametrize("mode", ["cookie", "header"])
def test_a_request_of_a_factory(login_as, mode):
    request = RequestFactory().get("/me")
    login = login_as(request, "ada", mode=mode)
    assert me(request).content == b'{"user": "ada"}'
    with pytest.raises(TypeError, match="a request of RequestFactory sends nothing"):
        login.refresh()
"""


def run(pytester: pytest.Pytester, *arguments: str, **files: str) -> pytest.RunResult:
    pytester.makepyfile(common=INIT, **files)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error")
    return pytester.runpytest_subprocess("-p", "no:django", *arguments)


@pytest.mark.real
def test_fastapi_in_four_processes_and_random_order(pytester: pytest.Pytester) -> None:
    """CP-34, CP-35: four workers, any order, and no file."""
    result = run(pytester, "-n", "4", shop=FASTAPI_APP, test_fastapi=TEST_FASTAPI)
    result.assert_outcomes(passed=19)
    caches = {"__pycache__", ".pytest_cache"}
    left = {one.name for one in pytester.path.rglob("*") if one.is_file() and not caches & {*one.parts}}
    assert left - {"stdout", "stderr"} == {"common.py", "shop.py", "test_fastapi.py", "tox.ini"}  # the suite


def test_the_store_of_the_application_is_left_alone(pytester: pytest.Pytester) -> None:
    """Whoever imports `login_as` must not sign somebody in for real, or make them an administrator."""
    result = run(pytester, "-p", "no:randomly", shop=FASTAPI_APP, test_real_store=TEST_REAL_STORE)
    result.assert_outcomes(passed=3)


def test_a_flask_factory(pytester: pytest.Pytester) -> None:
    """CP-35: with Flask's client, and an application that a fixture makes."""
    run(pytester, test_flask=TEST_FLASK).assert_outcomes(passed=3)


@pytest.mark.real
def test_django_and_rest_framework(pytester: pytest.Pytester) -> None:
    """CP-35: with Django's clients, that of REST framework, and a bare request."""
    run(pytester, test_django=TEST_DJANGO).assert_outcomes(passed=8)


def shop() -> None:
    engine = EngineConfig(
        access_token_validity=4, refresh_token_rotation_grace_period=7, table_prefix="shop", now_ms=lambda: 0
    )
    config = SupertokensConfig(connection_uri="sqlite:///real.db", engine=engine)
    init(
        InputAppInfo("Shop", api_domain="https://api.example.com", website_domain="https://example.com"),
        supertokens_config=config,
        recipe_list=[session.init()],
    )


@pytest.mark.parametrize("by_factory", [True, False])
@pytest.mark.parametrize(("marked", "lifetime_s"), [({}, 4), ({"access_token_validity": 60}, 60)])
def test_the_settings_of_the_application_hold(
    by_factory: bool, marked: dict[str, Any], lifetime_s: int
) -> None:
    """All but the database, the clock and what chance decides; the marker of a test wins."""
    if not by_factory:
        shop()
    clock = SupertokensClock()
    try:
        with under_test(clock, uri="sqlite://", engine=marked):
            if by_factory:
                shop()
            config = Supertokens.get_instance().supertokens_config
            assert config.connection_uri == "sqlite://"
            assert config.engine is not None
            assert config.engine.now_ms is clock
            resolved = config.engine.resolve({})
            assert (resolved.access_token_validity, resolved.table_prefix) == (lifetime_s, "")
            assert resolved.refresh_token_rotation_grace_period == 7
            assert resolved.access_token_validity_jitter == 0
            assert (resolved.argon2_memory_kb, resolved.argon2_iterations) == (1024, 1)
    finally:
        Supertokens.reset()


def test_a_page_that_names_no_claim_is_told() -> None:
    """As where the application answers with a 403 page of its own."""
    app = Flask(__name__)
    clock = SupertokensClock()
    with under_test(clock, uri="sqlite://", engine={}):
        shop()
        for body in ("<h1>No</h1>", {"message": "no"}):
            with app.app_context():
                response = app.response_class(json.dumps(body), 403, content_type="text/html")
                if isinstance(body, dict):
                    response.content_type = "application/json"
            with pytest.raises(AssertionError, match=f"names no claims: it is {response.content_type}, as"):
                assert_claim_failed(response, "st-role")
        with pytest.raises(AssertionError, match="names no claims: it is text/html; charset=utf-8, as"):
            assert_claim_failed(httpx2.Response(403, html="<h1>No</h1>"), "st-role")


def test_interpreters_complete_the_names() -> None:
    """They come with their first use, and are shown before; there are no others."""
    assert {"login_as", "steal", "assert_logged_out", "SupertokensClock"} <= set(dir(supertokens_py.testing))
    with pytest.raises(AttributeError, match=r"supertokens_py\.testing' has no attribute 'log_in_as'$"):
        supertokens_py.testing.log_in_as  # noqa: B018


def test_the_plugin_is_six_modules_until_a_fixture_is_used() -> None:
    """CP-34: every run of pytest loads it, where it is installed: no framework, no database, no SDK."""
    code = (
        "import sys, pytest; before = set(sys.modules); import supertokens_py.testing.pytest_plugin; "
        "print(*sorted(name for name in set(sys.modules) - before if name.startswith('supertokens_py'))); "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours, loaded = (line.split() for line in done.stdout.splitlines())
    assert ours == [
        "supertokens_py",
        "supertokens_py.event_dispatch",
        "supertokens_py.exceptions",
        "supertokens_py.formatting",
        "supertokens_py.testing",
        "supertokens_py.testing.pytest_plugin",
    ]
    heavy = {"sqlalchemy", "cryptography", "jwt", "fastapi", "starlette", "flask", "django", "httpx2"}
    assert heavy & set(loaded) == set()
