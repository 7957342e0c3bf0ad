"""What an error tracker would send of a sign-in with a provider: no code, verifier, token or secret."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.wsgi import SuperTokensMiddleware
from supertokens_py.recipe import session, thirdparty
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput
from tests.security.test_sign_in_frames import Watch
from tests.support.clock import Clock
from tests.support.databases import Sqlite
from tests.support.fake_provider import (
    ACCESS_TOKEN,
    CLIENT_ID,
    CLIENT_SECRET,
    CODE,
    FakeProvider,
    Reply,
    fake_provider,
)

BACK = "https://example.com/auth/callback/own"


@pytest.fixture
def provider(sqlite_files: Sqlite, clock: Clock) -> Iterator[FakeProvider]:
    """A provider on this machine, and a site whose users sign in with it."""
    Supertokens.reset()
    with fake_provider() as running:
        config = ProviderConfig(
            "own",
            clients=[ProviderClientConfig(CLIENT_ID, CLIENT_SECRET, scope=["email"])],
            authorization_endpoint=f"{running.address}/authorize",
            token_endpoint=f"{running.address}/token",
            user_info_endpoint=f"{running.address}/me",
        )
        init(
            InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
            supertokens_config=SupertokensConfig(
                sqlite_files.create().uri, engine=EngineConfig(clean_up_interval=0, now_ms=clock)
            ),
            recipe_list=[
                session.init(),
                thirdparty.init(thirdparty.SignInAndUpFeature([ProviderInput(config)])),
            ],
        )
        yield running
    Supertokens.reset()


def send(method: str, path: str, query: str = "", body: bytes = b"") -> Any:
    """Ask the routes in this thread, without a server."""
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": f"/auth{path}",
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_ST_AUTH_MODE": "header",
        "wsgi.input": io.BytesIO(body),
    }

    def nothing(*_: Any) -> Any:
        raise AssertionError("the route was not found")

    return json.loads(b"".join(SuperTokensMiddleware(nothing)(environ, lambda *_: None)))


@pytest.mark.parametrize("fails", [None, "/token", "/me"])
def test_no_variable_shows_what_a_sign_in_brings(provider: FakeProvider, fails: str | None) -> None:
    """SI-73: also where the provider repeats it, and where it fails."""
    if fails is not None:
        provider.answers[fails] = Reply(500, f"{CODE} {ACCESS_TOKEN} {CLIENT_SECRET}".encode())
    query = f"thirdPartyId=own&redirectURIOnProviderDashboard={BACK}"
    verifier = send("GET", "/authorisationurl", query)["pkceCodeVerifier"]
    watch = Watch()
    watch.secrets = {CODE, ACCESS_TOKEN, CLIENT_SECRET, verifier}
    info = {
        "redirectURIOnProviderDashboard": BACK,
        "redirectURIQueryParams": {"code": CODE, "state": "s"},
        "pkceCodeVerifier": verifier,
    }
    body = json.dumps({"thirdPartyId": "own", "redirectURIInfo": info}).encode()
    with watch.over_everything():
        answer = send("POST", "/signinup", body=body)
    assert answer["status"] == ("OK" if fails is None else "GENERAL_ERROR")
    assert {"_sign_in_up", "sign_in_up_post", "exchange_auth_code_for_oauth_tokens"} <= watch.seen
    assert {place for place in watch.found if "framework/" not in place} == set()
