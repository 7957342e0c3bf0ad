"""What the two OpenID providers of the tests do."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import jwt
import pytest

from tests.support.openid import PROVIDERS, OpenIDProvider

REDIRECT = "http://localhost:3000/auth/callback/shop"
VERIFIER = "v" * 64

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]  # the first test installs npm's packages


@pytest.fixture(scope="module", params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Iterator[OpenIDProvider]:
    """Each provider."""
    with PROVIDERS[request.param]() as running:
        yield running


@pytest.fixture
def http() -> Iterator[httpx2.Client]:
    """A program on this machine."""
    with httpx2.Client(trust_env=False, verify=False) as client:
        yield client


def authorise(metadata: dict[str, Any], client_id: str = "shop") -> str:
    """Return the address that a log-in opens."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
    parameters = {
        "client_id": client_id,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid email",
        "state": "of the page",
        "nonce": "n-1",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{metadata['authorization_endpoint']}?{urlencode(parameters)}"


def log_in(provider: OpenIDProvider, http: httpx2.Client, client_id: str = "shop") -> dict[str, Any]:
    """Return what the token endpoint answers to ada's code."""
    metadata = http.get(provider.document).json()
    target = provider.sign_in(authorise(metadata, client_id), "ada@example.com")
    assert target.startswith(REDIRECT)
    query = parse_qs(urlsplit(target).query)
    assert query["state"] == ["of the page"]
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": provider.client_secret,
        "code": query["code"][0],
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
    }
    return {**http.post(metadata["token_endpoint"], data=form).json(), "query": query}


def test_a_log_in(provider: OpenIDProvider, http: httpx2.Client) -> None:
    """The ID token is signed with a published key; where there are several, it says by which."""
    metadata = http.get(provider.document).json()
    assert metadata["issuer"] == provider.issuer
    tokens = log_in(provider, http)
    keys = http.get(metadata["jwks_uri"]).json()["keys"]
    kid = jwt.get_unverified_header(tokens["id_token"]).get("kid")
    assert (kid, len(keys)) == (("rsa", 3) if provider.name == "npm" else (None, 1))
    (key,) = [key for key in keys if key.get("kid") == kid or kid is None]
    payload = jwt.decode(
        tokens["id_token"],
        jwt.PyJWK(key, algorithm="RS256"),
        algorithms=["RS256"],
        audience="shop",
        issuer=provider.issuer,
    )
    assert payload["nonce"] == "n-1"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    info = http.get(metadata["userinfo_endpoint"], headers=headers).json()
    assert info["sub"] == payload["sub"]
    assert info["email"] == "ada@example.com"
    assert ("email" in payload) is (provider.name == "python")
    assert tokens["query"].get("iss") == ([provider.issuer] if provider.name == "npm" else None)


def test_a_refusal(provider: OpenIDProvider, http: httpx2.Client) -> None:
    """The page gets the error and its state back."""
    target = provider.refuse(authorise(http.get(provider.document).json()))
    assert target.startswith(REDIRECT)
    query = parse_qs(urlsplit(target).query)
    assert query["error"] == ["access_denied"]


@pytest.mark.parametrize("name", ["PS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("provider", ["npm"], indirect=True)
def test_other_signatures(provider: OpenIDProvider, http: httpx2.Client, name: str) -> None:
    """The npm provider has a client for each."""
    tokens = log_in(provider, http, f"shop-{name.lower()}")
    assert jwt.get_unverified_header(tokens["id_token"])["alg"] == name
