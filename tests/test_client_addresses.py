"""What counts as one client, and who says it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from supertokens_py.client_addresses import ClientAddresses, client_network
from supertokens_py.exceptions import ConfigError


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        (" 192.0.2.7 ", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("192.0.2.7, 198.51.100.9", None),
        ("example.com", None),
        ("", None),
        (7, None),
    ],
)
def test_a_client_is_an_address_or_a_network(address: Any, expected: str | None) -> None:
    assert client_network(address) == expected


def test_the_application_says_whom_a_request_comes_from(caplog: pytest.LogCaptureFixture) -> None:
    request: Any = object()
    assert ClientAddresses(None).network_of(request) is None
    assert ClientAddresses(lambda given: None).network_of(request) is None
    assert ClientAddresses(lambda given: "192.0.2.7" if given is request else None).network_of(request)
    wrong = ClientAddresses(lambda given: "unknown")
    with caplog.at_level(logging.WARNING):
        assert [wrong.network_of(request) for _ in range(3)] == [None] * 3
    assert caplog.text.count("client_ip returned no IP address") == 1


@pytest.mark.parametrize("wrong", ["x-forwarded-for", 1])
def test_something_else_is_refused(wrong: Any) -> None:
    """The name of a header above all: whoever sends it could choose it."""
    with pytest.raises(ConfigError, match="client_ip must be a plain function"):
        ClientAddresses(wrong)


def test_an_async_function_is_refused() -> None:
    async def client_ip(request: Any) -> str:
        return "192.0.2.7"

    with pytest.raises(ConfigError, match="plain function"):
        ClientAddresses(client_ip)  # type: ignore[arg-type]
