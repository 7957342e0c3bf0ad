"""Which proxy the environment names for a request, and for which hosts it names none."""

from __future__ import annotations

import os

import pytest

from supertokens_py.http_proxies import proxy_from_environment

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name == "REQUEST_METHOD":
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variables", "scheme", "proxy"),
    [
        ({}, "http", None),
        ({"HTTP_PROXY": PROXY}, "http", PROXY),
        ({"http_proxy": "proxy.example:3128"}, "http", PROXY),
        ({"HTTP_PROXY": PROXY}, "https", None),
        ({"HTTPS_PROXY": PROXY}, "https", PROXY),
        ({"ALL_PROXY": PROXY}, "https", PROXY),
    ],
)
def test_the_proxy_of_a_scheme(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], scheme: str, proxy: str | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_from_environment(scheme, "core.internal", 3567) == proxy


@pytest.mark.parametrize(
    ("exceptions", "host", "direct"),
    [
        ("*", "core.internal", True),
        ("core.internal", "core.internal", True),
        ("internal", "core.internal", True),
        (".internal", "core.internal", True),
        ("*.internal", "core.internal", True),
        ("other, CORE.internal:3567", "core.internal", True),
        ("core.internal:80", "core.internal", False),
        ("ternal", "core.internal", False),
        ("*.core.internal", "core.internal", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "core.internal", False),
        ("::1", "::1", True),
        ("[::1]", "[::1]", True),
        ("fd00::/8", "fd12::1", True),
        ("", "core.internal", False),
    ],
)
def test_hosts_that_are_asked_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, exceptions: str, host: str, direct: bool
) -> None:
    """What is sent to a core has its key and tokens of users: no proxy that was not meant may read them."""
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", exceptions)
    assert proxy_from_environment("http", host, 3567) == (None if direct else PROXY)


def test_a_variable_that_changes_counts_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxy_from_environment("http", "core.internal") is None
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert proxy_from_environment("http", "core.internal") == PROXY
