"""Which servers may be asked: URLs may come from a tenant, and lead into our own network. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from supertokens_py.urls import is_local

from .failures import SignInFailedError

_LONGEST = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_IPv4InIPv6 = ipaddress.ip_network("64:ff9b::/96")  # NAT64
_NAT64_LOCAL = ipaddress.ip_network("64:ff9b:1::/48")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked, if its host's addresses may."""

    url: str
    scheme: str
    host: str
    port: int
    is_trusted: bool  #: the application's own code names the host

    @property
    def authority(self) -> str:
        """The `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRules:
    """What the application allows.

    Args:
        development: the website is on localhost: so may providers be.
        private_networks: any address may be asked, whoever named it.
    """

    development: bool = False
    private_networks: bool = False

    def target(self, url: str, trusted_hosts: Collection[str]) -> Target:
        """Return a URL in parts.

        Raises:
            SignInFailedError: nobody may be asked by such a URL.
        """
        parts, port = _parts(url)
        host = (parts.hostname or "").rstrip(".")
        trusted = host in trusted_hosts
        if parts.scheme == "http" and not is_local(host) and not (self.development and trusted):
            raise SignInFailedError(f"{host} may be asked by https only")
        return Target(url, parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], trusted)

    def allows(self, target: Target, address: str) -> bool:
        """Return whether an address of a target may be connected to."""
        if target.is_trusted or self.private_networks:
            return True
        try:
            parsed = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if parsed.is_loopback:
            return self.development
        return parsed.is_global and not parsed.is_multicast


def host_of(url: str | None) -> str | None:
    """Return the host of a URL as targets have it; None where there is none."""
    try:
        return None if url is None else (urlsplit(url).hostname or "").rstrip(".") or None
    except ValueError:
        return None


def _parts(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SignInFailedError("a URL of the provider cannot be read") from error
    odd = len(url) > _LONGEST or not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url)
    if odd or not parts.hostname or "@" in parts.netloc or "%" in parts.netloc or parts.fragment:
        raise SignInFailedError("a URL of the provider has parts that it must not have")
    if parts.scheme not in _DEFAULT_PORTS:
        raise SignInFailedError("a URL of the provider is not of https")
    return parts, port


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, or the same."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _IPv4InIPv6:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64_LOCAL:
        return ipaddress.IPv4Address("0.0.0.0")  # noqa: S104 - it is refused
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1] or address
