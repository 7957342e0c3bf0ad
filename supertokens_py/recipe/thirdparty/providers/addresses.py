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
    is_trusted: bool  #: the application's own code names the origin

    @property
    def authority(self) -> str:
        """The `Host` header."""
        return _authority(self.scheme, self.host, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkRules:
    """What the application allows.

    Args:
        development: the website is on localhost: so may providers be.
        private_networks: any address may be asked, whoever named it.
    """

    development: bool = False
    private_networks: bool = False

    def target(self, url: str, trusted_origins: Collection[str]) -> Target:
        """Return a URL in parts.

        Raises:
            SignInFailedError: nobody may be asked by such a URL.
        """
        parts, port = _parts(url)
        host = (parts.hostname or "").rstrip(".")
        trusted = origin_of(url) in trusted_origins
        if parts.scheme == "http" and not is_local(host) and not (self.development and trusted):
            raise SignInFailedError(f"{host} may be asked by https only")
        return Target(url, parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme], trusted)

    def allows_any(self, target: Target) -> bool:
        """Return whether a target may be at any address."""
        return target.is_trusted or self.private_networks

    def allows(self, target: Target, address: str) -> bool:
        """Return whether an address of a target may be connected to."""
        if self.allows_any(target):
            return True
        try:
            parsed = _unwrapped(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if parsed.is_loopback:
            return self.development
        return parsed.is_global and not parsed.is_multicast


def origin_of(url: str | None) -> str | None:
    """Return scheme, host and port of a URL, as in "https://idp.example:8443"; None where it has none.

    A host alone says too little: other ports of it are other programs.
    """
    try:
        parts = urlsplit(url or "")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    default = _DEFAULT_PORTS.get(parts.scheme)
    if not host or default is None:
        return None
    return f"{parts.scheme}://{_authority(parts.scheme, host, port or default)}"


def _authority(scheme: str, host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"


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
