"""OpenAPI documents: how requests authenticate, what they are refused with, the SDK's own routes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from fastapi import FastAPI

from supertokens_py import Supertokens
from supertokens_py.framework.fastapi import (
    CurrentSession,
    FreshSession,
    OptionalSession,
    document_routes,
    get_middleware,
)
from supertokens_py.recipe.session import (
    DeviceSettings,
    Impersonation,
    InputOverrideConfig,
    PageSettings,
    SessionRecipe,
)
from supertokens_py.recipe.session.interfaces import APIInterface
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import Site

REFUSED = {
    "401": (
        "No valid session. `unauthorised`: sign in; `try refresh token`: refresh, and ask again",
        "Refusal",
    ),
    "403": ("The session lacks a claim", "InvalidClaims"),
    "503": ("The sessions are out of reach; tokens stay valid", "Refusal"),
}


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    made = Site("fastapi", sqlite_files.create().uri, clock).init(devices=DeviceSettings())
    yield made
    made.close()


def _app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(get_middleware())

    @app.get("/open")
    async def unguarded() -> str:
        return "anybody"

    @app.get("/me")
    async def me(session: CurrentSession) -> str:
        return session.get_user_id()

    @app.get("/greeting")
    async def greeting(session: OptionalSession) -> str:
        return "hello"

    @app.post("/email", responses={403: {"description": "Not you"}})
    async def email(session: FreshSession) -> str:
        return "changed"

    return app


def _documented() -> dict[str, Any]:
    app = _app()
    document_routes(app)
    return app.openapi()


def _refusals(operation: dict[str, Any]) -> dict[str, tuple[str, str]]:
    def schema(response: dict[str, Any]) -> str:
        reference: str = response["content"]["application/json"]["schema"]["$ref"]
        return reference.removeprefix("#/components/schemas/SuperTokens")

    refused = {status: one for status, one in operation["responses"].items() if status in REFUSED}
    return {status: (one["description"], schema(one)) for status, one in refused.items()}


def test_guarded_routes_take_either_token_and_say_what_they_refuse(site: Site) -> None:
    """Bearer or cookie; 401, 403 and 503 with their bodies. Open routes say nothing of it."""
    document = _documented()
    paths = document["paths"]
    for path in ("/me", "/greeting"):
        operation = paths[path]["get"]
        assert operation["security"] == [{"SuperTokens": []}, {"SuperTokensCookie": []}]
        assert _refusals(operation) == REFUSED
    assert "security" not in paths["/open"]["get"]
    assert [*paths["/open"]["get"]["responses"]] == ["200"]
    schemas = document["components"]["schemas"]
    assert schemas["SuperTokensRefusal"]["required"] == ["message"]
    assert {*schemas["SuperTokensInvalidClaims"]["properties"]} == {"message", "claimValidationErrors"}
    schemes = {
        name: (one["type"], one.get("name") or one["scheme"])
        for name, one in document["components"]["securitySchemes"].items()
    }
    assert schemes == {
        "SuperTokens": ("http", "bearer"),
        "SuperTokensCookie": ("apiKey", "sAccessToken"),
        "SuperTokensRefresh": ("http", "bearer"),
        "SuperTokensRefreshCookie": ("apiKey", "sRefreshToken"),
    }


def test_what_the_application_says_itself_stays(site: Site) -> None:
    assert _documented()["paths"]["/email"]["post"]["responses"]["403"]["description"] == "Not you"


def test_the_routes_of_the_sdk_are_documented(site: Site) -> None:
    """Those in use, with how they authenticate."""
    paths = _documented()["paths"]
    found = {
        (method, path): [name for one in operation["security"] for name in one]
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("tags") == ["Session"]
    }
    access = ["SuperTokens", "SuperTokensCookie"]
    assert found == {
        ("post", "/auth/session/refresh"): ["SuperTokensRefresh", "SuperTokensRefreshCookie"],
        ("post", "/auth/signout"): access,
        ("get", "/auth/sessions"): access,
        ("post", "/auth/sessions/revoke"): access,
    }
    assert [*paths["/auth/signout"]["post"]["responses"]] == ["200", "401", "503"]
    assert [*paths["/auth/sessions/revoke"]["post"]["responses"]] == ["200", "401", "403", "503"]
    assert [*paths["/auth/sessions/revoke"]["post"]["requestBody"]["content"]] == ["application/json"]


#: Which no frontend calls: browsers do by themselves.
OF_BROWSERS = {
    ("GET", "/session/refresh"),
    ("POST", "/session/device/register"),
    ("POST", "/session/device/refresh"),
}


def test_every_route_of_sessions_is_documented(site: Site) -> None:
    """With all features that have one."""
    site.init(
        devices=DeviceSettings(),
        device_binding="auto",
        impersonation=Impersonation(may=lambda *_: True, routes=True),
        pages=PageSettings(login_path="/login"),
    )
    routes = Supertokens.get_instance().recipe(SessionRecipe).routes()
    wanted = {(one.method, one.path) for one in routes} - OF_BROWSERS
    paths = _documented()["paths"]
    found = {
        (method.upper(), path.removeprefix("/auth"))
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("tags") == ["Session"]
    }
    assert found == wanted
    assert ("POST", "/impersonation/end") in found
    assert [*paths["/auth/impersonation/end"]["post"]["responses"]] == ["200", "401", "503", "400"]


def test_routes_that_are_off_are_not(site: Site) -> None:
    """Without devices and sign-out the refresh is left; statuses are the configured ones."""

    def without_signout(original: APIInterface) -> APIInterface:
        original.disable_signout_post = True
        return original

    site.init(
        devices=None,
        override=InputOverrideConfig(apis=without_signout),
        session_expired_status_code=440,
        invalid_claim_status_code=460,
    )
    document = _documented()
    assert [path for path in document["paths"] if path.startswith("/auth")] == ["/auth/session/refresh"]
    assert [*document["paths"]["/me"]["get"]["responses"]] == ["200", "440", "460", "503"]


def test_the_document_is_made_anew_and_stays_the_same(site: Site) -> None:
    """FastAPI keeps the document, and so do proxies of it: nothing grows, nothing is shared."""
    app = _app()
    document_routes(app)
    first = deepcopy(app.openapi())
    assert app.openapi() == first
    app.openapi()["components"]["schemas"]["SuperTokensRefusal"]["title"] = "mine"
    assert _documented() == first
    document_routes(app)  # by mistake
    assert len(app.openapi()["paths"]["/me"]["get"]["security"]) == 2


def test_the_documents_of_ninja_and_rest_framework(site: Site) -> None:
    """The same for both, under the names of the schemes that they have."""
    from .clients import django_settings  # noqa: F401  # pyright: ignore[reportUnusedImport]

    # isort: split
    from ninja import NinjaAPI

    from supertokens_py.framework.django.ninja import SessionAuth
    from supertokens_py.framework.django.ninja import document_routes as document_ninja
    from supertokens_py.framework.django.spectacular import document_routes as hook

    api = NinjaAPI(urls_namespace="documented", auth=SessionAuth())

    @api.get("/it")
    def it(request: Any) -> None: ...

    document_ninja(api)
    ninja: Any = api.get_openapi_schema(path_prefix="/api/")
    operation = ninja["paths"]["/api/it"]["get"]
    assert operation["security"] == [{"SessionAuth": []}, {"SuperTokensCookie": []}]
    assert _refusals(operation) == REFUSED
    assert ninja["paths"]["/auth/signout"]["post"]["security"] == operation["security"]

    either: list[dict[str, list[str]]] = [{"sessionBearer": []}, {"sessionCookie": []}]
    drf = hook({"paths": {"/it": {"get": {"security": [*either]}}}}, None, None, True)
    assert drf["paths"]["/it"]["get"]["security"] == either
    assert _refusals(drf["paths"]["/it"]["get"]) == REFUSED
    assert drf["paths"]["/auth/signout"]["post"]["security"] == either
