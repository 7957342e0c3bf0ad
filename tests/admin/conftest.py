"""An application with the admin page, and people who ask for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.admin import AdminAction, create_admin
from supertokens_py.app import Supertokens
from supertokens_py.framework.starlette import SuperTokensMiddleware, verify_session
from supertokens_py.recipe import session
from supertokens_py.recipe.session import (
    DeviceSettings,
    EventSettings,
    GuestSettings,
    Impersonation,
    SessionContainer,
)
from supertokens_py.recipe.session.asyncio import create_guest_session, create_impersonation_session
from supertokens_py.recipe.session.syncio import create_new_session_without_request_response
from supertokens_py.testing import SupertokensClock, login_as

ORIGIN = "http://localhost:8000"
#: What a browser says of a form that a page of this origin sends.
HERE = {"sec-fetch-site": "same-origin"}
_TOKEN = re.compile(r'name="form_token" value="(\w+)"')

EVERYTHING: dict[str, Any] = {
    "step_up": True,
    "devices": DeviceSettings(),
    "events": EventSettings(),
    "guests": GuestSettings(),
    "impersonation": Impersonation(may=lambda *_: True),
}


def authorize(session: SessionContainer, action: AdminAction) -> bool:
    """Let writers do everything, and readers look."""
    name = session.get_user_id().partition("-")[0]
    return name == "writer" or (name == "reader" and action == "read")


@dataclass
class Site:
    """The application, and how people come to it."""

    app: Any
    clock: SupertokensClock

    def client(self) -> TestClient:
        return TestClient(self.app, base_url=ORIGIN, follow_redirects=False)

    def signed_in(self, user_id: str, **how: Any) -> TestClient:
        client = self.client()
        login_as(client, user_id, allow_real_store=True, **how)
        return client

    def session_of(self, user_id: str, **how: Any) -> str:
        """Create a session of somebody else and return its handle."""
        return create_new_session_without_request_response("public", user_id, **how).get_handle()

    def send(self, client: TestClient, page: str, **fields: str) -> Any:
        """Send the form of a page as a browser does."""
        shown = client.get(page)
        assert shown.status_code == 200, shown.text
        token = _TOKEN.search(shown.text)
        assert token is not None
        return client.post(page, data={"form_token": token[1], **fields}, headers=HERE)


async def _act_as(request: Request) -> Response:
    await create_impersonation_session(
        request, "writer-2", actor=request.state.supertokens, reason="to see what they see"
    )
    return JSONResponse({})


async def _visit(request: Request) -> Response:
    await create_guest_session(request)
    return JSONResponse({})


def application_with(**admin: Any) -> Starlette:
    """Return the application; the arguments are those of the page, where they differ."""
    page = create_admin(**({"authorize": authorize, "writes": True} | admin))
    routes = [
        Route("/act-as", verify_session()(_act_as), methods=["POST"]),
        Route("/visit", _visit, methods=["POST"]),
        Mount("/admin", page),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(SuperTokensMiddleware)
    return app


@pytest.fixture
def make_site(supertokens: Any, supertokens_clock: SupertokensClock) -> Callable[..., Site]:
    """Make the application; the arguments are those of `session.init` and, as `admin`, of the page."""

    def make(admin: dict[str, Any] | None = None, uri: str = "sqlite://", **settings: Any) -> Site:
        if Supertokens.current() is None:
            init(
                app_info=InputAppInfo(app_name="Shop", api_domain=ORIGIN, website_domain=ORIGIN),
                supertokens_config=SupertokensConfig(uri),
                recipe_list=[session.init(**(settings or EVERYTHING))],
            )
        return Site(application_with(**(admin or {})), supertokens_clock)

    return make


@pytest.fixture
def site(make_site: Callable[..., Site]) -> Site:
    return make_site()
