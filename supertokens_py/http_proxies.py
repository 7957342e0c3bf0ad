"""Which HTTP proxy the environment names for a host (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`)."""

from __future__ import annotations

import urllib.request


def proxy_from_environment(scheme: str, host: str) -> str | None:
    """Return the URL of the proxy for requests to a host, as other programs read the environment, or None."""
    proxies = urllib.request.getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if not proxy or urllib.request.proxy_bypass(host):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"
