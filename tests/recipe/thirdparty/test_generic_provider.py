"""The flow of a code with a provider that is configured by its OpenID Connect document."""

from __future__ import annotations

import base64
import hashlib

import pytest

from tests.recipe.thirdparty.conftest import CALLBACK, Frontend, MakeSource, custom, found, id_token
from tests.support.clock import Clock
from tests.support.fake_provider import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, CODE, FakeProvider


async def test_the_authorisation_url(source: MakeSource, fake: FakeProvider) -> None:
    """SI-51"""
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    url, verifier = frontend.redirect.url_with_query_params, frontend.redirect.pkce_code_verifier
    assert verifier is not None
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert url.startswith(f"{fake.address}/authorize?")
    assert "nonce" in frontend.query
    assert {**frontend.query, "nonce": ""} == {
        "client_id": CLIENT_ID,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid email",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "nonce": "",
    }
    assert 43 <= len(verifier) <= 128


@pytest.mark.parametrize(("scope", "asked"), [(None, "openid email"), ([], None), (["groups"], "groups")])
async def test_the_scopes_of_an_openid_provider(
    source: MakeSource, fake: FakeProvider, scope: list[str] | None, asked: str | None
) -> None:
    """Without a word about scopes, what a sign-in needs is asked for; an empty list asks for nothing."""
    frontend = await Frontend(await found(source(custom(fake, scope=scope)))).begin()
    assert frontend.query.get("scope") == asked


async def test_a_code_becomes_a_user(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    user = await frontend.come_back()
    assert user.third_party_user_id == "ada"
    assert user.email is not None
    assert (user.email.id, user.email.is_verified) == ("ada@example.com", True)
    assert user.raw_user_info_from_provider.from_user_info_api == fake.user
    payload = user.raw_user_info_from_provider.from_id_token_payload
    assert payload is not None
    assert payload["sub"] == "ada"
    assert fake.last("/token").form == {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code": CODE,
        "code_verifier": frontend.redirect.pkce_code_verifier,
        "grant_type": "authorization_code",
        "redirect_uri": CALLBACK,
    }
    assert fake.last("/me").headers["authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert fake.paths() == ["/.well-known/openid-configuration", "/token", "/jwks", "/me"]
