"""What providers publish is kept, for a while, and a bounded number of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest

from supertokens_py.recipe.thirdparty.providers.documents import (
    MAX_DOCUMENTS,
    Documents,
    Metadata,
    issuer_of,
)
from supertokens_py.recipe.thirdparty.providers.failures import SignInFailedError
from tests.support.clock import Stopwatch

URL = "https://idp.example/.well-known/openid-configuration"
KEYS = "https://idp.example/jwks"


class Site:
    """Answers from a table, and keeps what it was asked."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {
            URL: {"issuer": "https://idp.example"},
            KEYS: {"keys": [{"kid": "1"}]},
        }
        self.asked: list[tuple[str, Collection[str]]] = []
        self.is_down = False
        self.stopwatch = Stopwatch()
        self.kept = Documents(self._fetch, monotonic_s=self.stopwatch)

    def _fetch(self, url: str, trusted_origins: Collection[str], /) -> dict[str, Any]:
        self.asked.append((url, trusted_origins))
        if self.is_down:
            raise SignInFailedError("the site is down")
        return self.documents.get(url, {"issuer": url})

    def answered_meanwhile(self, url: str, trusted_origins: Collection[str], /) -> dict[str, Any]:
        """Fail, after another request for the same has had an answer."""
        if self.is_down:
            self.is_down = False
            self.kept.metadata(url, trusted_origins)
            self.is_down = True
        return self._fetch(url, trusted_origins)


def test_documents_are_kept_for_an_hour() -> None:
    site = Site()
    for _ in range(3):
        assert site.kept.metadata(URL, ()).issuer == "https://idp.example"
    site.stopwatch.advance(3599)
    site.kept.metadata(URL, ())
    assert len(site.asked) == 1
    site.stopwatch.advance(1)
    site.kept.metadata(URL, ())
    assert len(site.asked) == 2


def test_a_missing_key_is_looked_for_once_in_five_seconds() -> None:
    """Tokens with unknown keys are free to make."""
    site = Site()
    site.kept.keys(KEYS, ())
    site.stopwatch.advance(5)
    site.documents[KEYS] = {"keys": [{"kid": "1"}, {"kid": "2"}]}
    assert [key["kid"] for key in site.kept.keys(KEYS, ())] == ["1"]
    for _ in range(10):
        assert [key["kid"] for key in site.kept.keys(KEYS, (), again=True)] == ["1", "2"]
    assert len(site.asked) == 2
    site.stopwatch.advance(5)
    site.kept.keys(KEYS, (), again=True)
    assert len(site.asked) == 3


def test_a_provider_that_is_down_is_asked_once_in_five_seconds() -> None:
    site = Site()
    site.is_down = True
    for _ in range(3):
        with pytest.raises(SignInFailedError, match="the site is down"):
            site.kept.metadata(URL, ())
    assert len(site.asked) == 1
    site.is_down = False
    site.stopwatch.advance(5)
    assert site.kept.metadata(URL, ()).issuer == "https://idp.example"


def test_what_is_known_is_used_while_the_provider_is_down() -> None:
    """For another hour at most."""
    site = Site()
    site.kept.keys(KEYS, ())
    site.is_down = True
    site.stopwatch.advance(3600)
    assert site.kept.keys(KEYS, ())
    assert site.kept.keys(KEYS, (), again=True)
    site.stopwatch.advance(3600)
    with pytest.raises(SignInFailedError):
        site.kept.keys(KEYS, ())


def test_a_slow_failure_leaves_what_another_request_got() -> None:
    site = Site()
    site.is_down = True
    slow = Documents(site.answered_meanwhile, monotonic_s=site.stopwatch)
    site.kept = slow
    assert slow.metadata(URL, ()).issuer == "https://idp.example"
    assert slow.metadata(URL, ()).issuer == "https://idp.example"
    assert len(site.asked) == 2


def test_a_bounded_number_is_kept() -> None:
    site = Site()
    for number in range(MAX_DOCUMENTS + 1):
        site.kept.metadata(f"https://idp{number}.example/", ())
    site.kept.metadata(f"https://idp{MAX_DOCUMENTS}.example/", ())
    assert len(site.asked) == MAX_DOCUMENTS + 1
    site.kept.metadata("https://idp0.example/", ())
    assert len(site.asked) == MAX_DOCUMENTS + 2


def test_what_the_code_may_read_inside_a_tenant_may_not() -> None:
    """The same URL is asked with each one's rights."""
    site = Site()
    site.kept.metadata(URL, {"https://idp.example"})
    site.kept.metadata(URL, ())
    site.kept.metadata(URL, {"https://other.example"})
    site.kept.metadata(URL, {"https://idp.example:8443"})
    assert [len(origins) for _, origins in site.asked] == [1, 0]


def test_what_is_kept_is_had_without_asking() -> None:
    site = Site()
    assert (site.kept.kept_metadata(URL, ()), site.kept.kept_keys(KEYS, ())) == (None, None)
    site.kept.metadata(URL, ())
    site.kept.keys(KEYS, ())
    assert site.kept.kept_metadata(URL, ()) == Metadata("https://idp.example")
    assert site.kept.kept_keys(KEYS, ()) == [{"kid": "1"}]
    assert site.kept.kept_metadata(URL, {"https://idp.example"}) is None
    site.stopwatch.advance(5)
    assert site.kept.kept_keys(KEYS, (), again=True) is None
    site.stopwatch.advance(3595)
    assert site.kept.kept_metadata(URL, ()) is None
    assert len(site.asked) == 2
    site.is_down = True
    with pytest.raises(SignInFailedError):
        site.kept.metadata("https://down.example/", ())
    with pytest.raises(SignInFailedError, match="the site is down"):
        site.kept.kept_metadata("https://down.example/", ())


def test_the_parts_of_a_document() -> None:
    site = Site()
    site.documents[URL] = {
        "issuer": "https://idp.example",
        "authorization_endpoint": "a",
        "token_endpoint": "t",
        "userinfo_endpoint": "u",
        "jwks_uri": "j",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", 1],
        "authorization_response_iss_parameter_supported": True,
    }
    expected = Metadata("https://idp.example", "a", "t", "u", "j", ("client_secret_basic",), True)
    assert site.kept.metadata(URL, ()) == expected


@pytest.mark.parametrize(
    "document", [{}, {"issuer": ""}, {"issuer": 1}, {"issuer": "i", "token_endpoint": ["x"]}]
)
def test_documents_that_do_not_fit(document: dict[str, Any]) -> None:
    site = Site()
    site.documents[URL] = document
    with pytest.raises(SignInFailedError):
        site.kept.metadata(URL, ())


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": "x"}])
def test_key_sets_that_do_not_fit(document: dict[str, Any]) -> None:
    site = Site()
    site.documents[KEYS] = document
    with pytest.raises(SignInFailedError):
        site.kept.keys(KEYS, ())


def test_which_issuer_a_url_promises() -> None:
    assert issuer_of("https://idp.example/a/.well-known/openid-configuration") == "https://idp.example/a"
    assert issuer_of("https://idp.example/.well-known/openid-configuration?x=1") is None
    assert issuer_of("https://idp.example/config.json") is None
