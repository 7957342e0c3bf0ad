"""Which HTTP proxy the environment names for a host (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`)."""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from functools import lru_cache

_NAMES = tuple(
    spelling
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
    for spelling in (name, name.upper())
)


def proxy_from_environment(scheme: str, host: str, port: int | None = None) -> str | None:
    """Return the URL of the proxy for requests to a host, as other programs read the environment, or None.

    `NO_PROXY` lists names (with all below them; also as `.name` and `*.name`), with a port or without,
    addresses and networks (`10.0.0.0/8`), and `*`.
    """
    return _proxy(scheme, host.strip("[]").lower(), port, tuple(map(os.environ.get, _NAMES)))


@lru_cache(
    maxsize=256
)  # reading the environment and the system's settings takes 100 us, and is done per request
def _proxy(scheme: str, host: str, port: int | None, _environ: tuple[str | None, ...]) -> str | None:
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or _is_excepted(host, port, proxies.get("no", "")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _is_excepted(host: str, port: int | None, exceptions: str) -> bool:
    place = f"[{host}]" if ":" in host else host
    if urllib.request.proxy_bypass(place if port is None else f"{place}:{port}"):
        return True
    listed = [each.strip().lower() for each in exceptions.split(",")]
    return any(_covers(each, host) for each in listed if each)


def _covers(exception: str, host: str) -> bool:
    if exception.startswith("*."):
        return host.endswith(exception[1:])
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(exception.strip("[]"), strict=False)
    except ValueError:
        return False
