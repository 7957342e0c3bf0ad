"""Two OpenID providers of others, run for a test: the npm package and the Python one.

They differ where providers do. The npm one names its keys (`kid`), answers with `iss` (RFC 9207), insists on
PKCE and keeps the address out of ID tokens; the Python one has one key without a name and ID tokens with the
address, and any client may use it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urljoin

import httpx2

from tests.browser.packages import install
from tests.servers.harness import ANSWER_SECONDS, GTHREAD, Kind, gunicorn, launched
from tests.support.programs import node

FOLDER = Path(__file__).parents[1] / "browser"
#: Of all clients of the npm provider; the Python one takes any.
CLIENT_SECRET = "a secret of the tests, 32 characters or more"


@dataclass(frozen=True)
class OpenIDProvider:
    """A running provider."""

    name: str
    issuer: str
    client_id: str = "shop"
    client_secret: str = CLIENT_SECRET

    @property
    def document(self) -> str:
        """The address of the discovery document."""
        return f"{self.issuer}/.well-known/openid-configuration"

    def know(self, subject: str, **claims: object) -> None:
        """Give an account of the Python provider these claims, such as `email` and `email_verified`."""
        with _client() as client:
            answer = client.put(f"{self.issuer}/users/{quote(subject, safe='')}", json=claims)
        assert answer.status_code == 204, answer.text

    def sign_in(self, url: str, address: str) -> str:
        """Sign in on the provider's pages without a browser; return where they send the person."""
        return self._press(url, {"email": address, "sub": address, "choice": "sign-in"})

    def refuse(self, url: str) -> str:
        """Press Cancel; return where the pages send the person."""
        return self._press(url, {"choice": "cancel", "action": "deny"})

    def _press(self, url: str, form: dict[str, str]) -> str:
        with _client() as client:
            page = client.get(url, follow_redirects=True)
            assert page.status_code == 200, page.text
            answer = client.post(str(page.url), data=form)
            while (target := urljoin(str(answer.url), answer.headers.get("location", ""))).startswith(
                self.issuer
            ):
                assert answer.is_redirect, answer.text
                answer = client.get(target)
            return target


@contextlib.contextmanager
def npm_provider() -> Iterator[OpenIDProvider]:
    """Run npm's `oidc-provider`; its clients are "shop", "shop-ps256", "shop-es256" and "shop-eddsa"."""
    install(FOLDER)
    with launched(Kind("oidc-provider", FOLDER, (node(), "openid/provider.mjs", "{fd}"))) as server:
        yield OpenIDProvider("npm", f"http://localhost:{server.port}")


@contextlib.contextmanager
def python_provider() -> Iterator[OpenIDProvider]:
    """Run `oidc-provider-mock`; whoever types a subject is that person, with the subject as address."""
    with launched(
        Kind("oidc-provider-mock", FOLDER, gunicorn("oidc_provider_mock:app()", *GTHREAD))
    ) as server:
        yield OpenIDProvider("python", f"http://localhost:{server.port}")


PROVIDERS = {"npm": npm_provider, "python": python_provider}


def _client() -> httpx2.Client:
    return httpx2.Client(timeout=ANSWER_SECONDS, trust_env=False, verify=False)
