"""The admin page where a core keeps the sessions: what it cannot know is said, and the rest works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.app import Supertokens
from supertokens_py.recipe import session
from supertokens_py.server import create_app
from supertokens_py.testing import SupertokensClock
from tests.admin.conftest import ORIGIN, Site, application_with
from tests.engine.driver import Driver
from tests.engine.remote.conftest import Host


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    """The server of the core."""
    host = Host()
    host.start()
    yield host
    host.stop()


@pytest.fixture
def core(host: Host) -> Iterator[Driver]:
    """What is behind the core's server."""
    driver = Driver("sqlite://")
    host.app = create_app(driver.engine, allow_no_api_key=True)
    yield driver
    driver.close()


@pytest.fixture
def over_a_core(host: Host, core: Driver) -> Iterator[Site]:
    """The application, with this core."""
    init(
        app_info=InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
        supertokens_config=SupertokensConfig(host.address),
        recipe_list=[session.init(step_up=True)],
    )
    yield Site(application_with(), SupertokensClock())
    Supertokens.reset()


def test_every_page_is_shown(over_a_core: Site) -> None:
    """No events, no devices, no counting, no rotation: each is said where it would be."""
    site = over_a_core
    handle = site.session_of("ada")
    admin = site.signed_in("writer-1")
    user = admin.get("/admin/user?id=ada").text
    assert "1 live session" in user
    assert "a SuperTokens core cannot" in user
    assert "DeviceSettings" in admin.get(f"/admin/session?handle={handle}").text
    assert "No events are kept here" in admin.get("/admin/events").text
    keys = admin.get("/admin/keys").text
    assert "A SuperTokens core keeps these keys" in keys
    assert 'href="rotate"' not in keys
    assert "not counted" in admin.get("/admin/figures").text
    assert "answers, CDI" in admin.get("/admin/health").text
    assert admin.get("/admin/tenant?id=public").status_code == 200
    assert admin.get("/admin/session?handle=none").status_code == 404
    listed = admin.get("/admin/sessions?tenant=public")
    assert (listed.status_code, "A core finds the sessions of a user only" in listed.text) == (501, True)


def test_sessions_are_ended(over_a_core: Site, core: Driver) -> None:
    """One, the others, all."""
    site = over_a_core
    kept, other = site.session_of("ada"), site.session_of("ada")
    admin = site.signed_in("writer-1")
    site.session_of("ada")
    assert site.send(admin, f"/admin/revoke?handle={other}").headers["location"] == "user?id=ada&ended=1"
    assert site.send(admin, f"/admin/revoke?handle={kept}&others=1").status_code == 303
    assert core.sessions.user_handles("ada", tenant_id=None) == [kept]
    assert site.send(admin, "/admin/revoke?user=ada").status_code == 303
    assert core.sessions.user_handles("ada", tenant_id=None) == []


def test_keys_are_not_rotated(over_a_core: Site) -> None:
    """The core does that itself."""
    admin = over_a_core.signed_in("writer-1")
    answer = over_a_core.send(admin, "/admin/rotate", word="rotate")
    assert answer.status_code == 409
    assert "A core renews its keys itself" in answer.text
