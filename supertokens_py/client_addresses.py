"""Whom requests come from, as the application says: headers that anybody may write are never read here."""

from __future__ import annotations

import inspect
import ipaddress
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from .exceptions import ConfigError

if TYPE_CHECKING:
    from .framework.request import BaseRequest

#: Returns the address of a request's client, or None where it is not known.
ClientIP: TypeAlias = "Callable[[BaseRequest], str | None]"

_IPV6_PREFIX = 64  # the smallest network that providers assign to a customer

log: logging.Logger = logging.getLogger(__name__)


class ClientAddresses:
    """Asks the application whom a request comes from.

    Args:
        client_ip: `(request) -> address`, or None.

    Raises:
        ConfigError: it is no function, or an `async` one.
    """

    def __init__(self, client_ip: ClientIP | None) -> None:
        self.client_ip: ClientIP | None = checked_hook(client_ip, "client_ip")
        self._has_warned = False

    def network_of(self, request: BaseRequest) -> str | None:
        """Return what counts as one client: an IPv4 address, or the /64 network of an IPv6 address."""
        given = None if self.client_ip is None else self.client_ip(request)
        if given is None:
            return None
        network = client_network(given)
        if network is None and not self._has_warned:
            self._has_warned = True
            log.warning("client_ip returned no IP address, so that limits per client count nothing")
        return network


def checked_hook(client_ip: Any, name: str) -> Any:
    """Return a function of a request, or None.

    Raises:
        ConfigError: it is neither, or an `async` function; the message calls it `name`.
    """
    if client_ip is not None and (not callable(client_ip) or inspect.iscoroutinefunction(client_ip)):
        raise ConfigError(f"{name} must be a plain function (request) -> address or None, or None")
    return client_ip


def client_network(address: str) -> str | None:
    """Return what counts as one client: IPv4 address or IPv6 /64; None if it is not an IP address."""
    known = parse_ip(address)
    if isinstance(known, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((int(known), _IPV6_PREFIX), strict=False))
    return None if known is None else str(known)


def parse_ip(address: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Parse an IP address: without zone, IPv4-mapped IPv6 as IPv4; None if the value is not an address."""
    try:
        known = ipaddress.ip_address(address.strip().partition("%")[0])
    except (ValueError, AttributeError):
        return None
    mapped = known.ipv4_mapped if isinstance(known, ipaddress.IPv6Address) else None
    return mapped or known
