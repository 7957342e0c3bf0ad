"""The cookie domain of a running service is changed; browsers then hold two cookies of one name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.servers import Backend, Setup, backend
from tests.browser.tab import REFRESH, Tab, Traffic

HOST = "api.example.test"
DOMAIN = ".example.test"
#: The backends have different ports, and so different issuers, but are one service.
ONE_SERVICE: dict[str, Any] = {"accepted_issuers": "any"}

#: (settings before, settings after): from host-only cookies to a domain, and from one domain to another.
_MOVES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "host-to-domain": ({}, {"cookie_domain": DOMAIN, "older_cookie_domain": ""}),
    "domain-to-domain": (
        {"cookie_domain": ".api.example.test"},
        {"cookie_domain": DOMAIN, "older_cookie_domain": ".api.example.test"},
    ),
}


@dataclass(frozen=True)
class Service:
    """The service before and after the change; cookies do not see the different ports."""

    before: Backend
    after: Backend
    database: str


@pytest.fixture(scope="module", params=_MOVES)
def service(
    request: pytest.FixtureRequest, kind: Any, pages: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Two backends on one database."""
    old, new = _MOVES[request.param]
    database = f"sqlite:///{tmp_path_factory.mktemp('domain')}/sessions.db"
    with (
        backend(kind, database, pages, Setup(ONE_SERVICE | old, {}, api_host=HOST)) as before,
        backend(kind, database, pages, Setup(ONE_SERVICE | new, {}, api_host=HOST)) as after,
    ):
        yield Service(before, after, database)


@pytest.fixture
def open_tab(context: BrowserContext, traffic: Traffic) -> Callable[[Backend, str], Tab]:
    """Open a tab on the page of a backend; the client shares its cookies between all of example.test."""
    del traffic

    def open_tab(on: Backend, client: str) -> Tab:
        settings = {"client": client, "session": {"sessionTokenFrontendDomain": DOMAIN}}
        return Tab(context.new_page(), on.origin, settings).open()

    return open_tab


@pytest.fixture
def forgetful(kind: Any, service: Service, pages: Path) -> Iterator[Backend]:
    """The service after the change, too, but nobody has told it of the older domain."""
    setup = Setup(ONE_SERVICE | {"cookie_domain": DOMAIN}, {}, api_host=HOST)
    with backend(kind, service.database, pages, setup) as running:
        yield running


def session_cookies(context: BrowserContext) -> list[tuple[str, str]]:
    """Return name and domain of the session cookies."""
    names = ("sAccessToken", "sRefreshToken")
    return sorted(
        (cookie["name"], cookie["domain"]) for cookie in context.cookies() if cookie["name"] in names
    )


def test_a_client_with_doubled_cookies_recovers(
    service: Service,
    open_tab: Callable[[Backend, str], Tab],
    context: BrowserContext,
    traffic: Traffic,
    user: str,
    client: str,
) -> None:
    """FP-118: with `older_cookie_domain` it recovers after one failed call at most."""
    tab = open_tab(service.before, client)
    tab.sign_in(user)
    tab.page.close()
    tab = open_tab(service.after, client)
    assert tab.call("/me").body["user"] == user  # the cookies of before still work
    assert tab.refresh() is True  # and the new ones come beside them
    assert len(session_cookies(context)) == 4

    traffic.clear()
    failed = tab.call("/me")
    # The client of today takes a refresh without front-token for a mistake of the server, once.
    assert failed.status == 0
    assert "front-token" in failed.body
    assert traffic.statuses(REFRESH) == [200]
    assert session_cookies(context) == [("sAccessToken", DOMAIN), ("sRefreshToken", DOMAIN)]
    assert tab.call("/me").body["user"] == user
    assert tab.exists() is True
    assert tab.refresh() is True
    assert tab.call("/checked").body["user"] == user
    tab.sign_out()
    assert session_cookies(context) == []
    assert tab.exists() is False


@pytest.mark.parametrize("service", ["host-to-domain"], indirect=True, scope="module")
def test_without_older_cookie_domain_the_log_says_what_to_do(
    service: Service,
    forgetful: Backend,
    open_tab: Callable[[Backend, str], Tab],
    context: BrowserContext,
    traffic: Traffic,
    user: str,
) -> None:
    """Refreshing ends with 500 until `older_cookie_domain` is set; then the same session goes on."""
    tab = open_tab(service.before, "website")
    tab.sign_in(user)
    handle = tab.payload()["sessionHandle"]
    tab.page.close()
    tab = open_tab(forgetful, "website")
    assert tab.refresh() is True
    doubled = session_cookies(context)
    assert len(doubled) == 4

    traffic.clear()
    tab.take_events()
    assert tab.call("/me").status == 500
    assert traffic.statuses("/me") == [401]
    assert traffic.statuses(REFRESH) == [500]
    forgetful.wait_for_log(
        "To clear tokens from the previous domain, set 'older_cookie_domain' in your config."
    )
    assert tab.take_events() == []
    assert tab.exists() is True
    assert session_cookies(context) == doubled
    tab.page.close()

    tab = open_tab(service.after, "website")
    assert tab.call("/me").status == 0  # the one failed call, as above
    assert tab.call("/checked").body["handle"] == handle
    assert session_cookies(context) == [("sAccessToken", DOMAIN), ("sRefreshToken", DOMAIN)]
