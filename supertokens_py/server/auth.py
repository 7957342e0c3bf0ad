"""Who may call: API keys, and no web page without one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from hmac import compare_digest
from ipaddress import ip_address, ip_network

from supertokens_py.exceptions import ConfigError
from supertokens_py.urls import is_ip

from .endpoint_request import Refused

_KEY = re.compile(r"[A-Za-z0-9=-]{20,}")
#: Names that the public DNS gives to nobody (RFC 6761, RFC 6762, ICANN resolution 2024.07.29.06).
_PRIVATE_DOMAINS = (".localhost", ".local", ".internal")
#: Addresses that the public internet does not route (RFC 1122, 1918, 3927, 4193, 4291, 6598).
_PRIVATE_NETWORKS = tuple(
    map(
        ip_network,
        (
            "127.0.0.0/8",
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "169.254.0.0/16",
            "100.64.0.0/10",
            "::1/128",
            "fc00::/7",
            "fe80::/10",
        ),
    )
)
#: Keys that documentations show, ours and that of the core's image.
_PLACEHOLDERS = frozenset(
    (
        "choose-a-long-random-key",
        "your-long-random-api-key",
        "your-api-key-your-api-key",
        "some-random-api-key-of-yours",
    )
)


class ApiKeys:
    """The API keys, kept as hashes and compared in constant time; without any, every program may call.

    A web page may not, whatever it is: a browser on a developer's machine reaches a server there.
    """

    def __init__(self, keys: Iterable[str]) -> None:
        self._hashes = [_hash(_checked(key)) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def check(self, headers: Mapping[str, str]) -> None:
        """Refuse a request that shows none of the keys."""
        if not self._hashes:
            _refuse_web_pages(headers)
            return
        shown = _hash(_shown_key(headers))
        matches = [compare_digest(shown, known) for known in self._hashes]
        if not any(matches):
            raise Refused(401, "Invalid API key")


def parse_api_keys(text: str | None) -> list[str]:
    """Split the comma-separated form that settings use."""
    return [key for part in (text or "").split(",") if (key := "".join(part.split()))]


def _checked(key: str) -> str:
    if key.lower() in _PLACEHOLDERS:
        raise ConfigError(f"{key!r} is an example of the documentation, not an API key: everybody knows it")
    if not _KEY.fullmatch(key):
        raise ConfigError("an API key needs at least 20 characters out of A-Z, a-z, 0-9, '=' and '-'")
    return key


def _shown_key(headers: Mapping[str, str]) -> str:
    key = headers.get("api-key")
    if key is None:
        scheme, _, rest = headers.get("authorization", "").strip().partition(" ")
        key = rest if scheme.lower() == "bearer" else scheme
    return key.strip()


def _refuse_web_pages(headers: Mapping[str, str]) -> None:
    # No SDK sends these headers. A page leaves them out only where its own name leads here (DNS rebinding),
    # which makes it one of the same origin.
    if "origin" in headers or headers.get("sec-fetch-site", "none") != "none":
        raise Refused(403, "Requests from web pages need an API key")
    name = _host_name(headers.get("host", ""))
    if not _is_private(name):
        raise Refused(403, f"Requests to {name} need an API key")


def _host_name(host: str) -> str:
    return host.rpartition("]")[0].removeprefix("[") if "]" in host else host.partition(":")[0]


def _is_private(name: str) -> bool:
    """Return whether no stranger can have this name: a private address, or one outside the public DNS."""
    if is_ip(name):
        address = ip_address(name)
        return any(address in network for network in _PRIVATE_NETWORKS if network.version == address.version)
    return "." not in name or name.lower().endswith(_PRIVATE_DOMAINS)


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()
