"""Text in, checked text out: origins, paths, cookie domains, sites (protocol: Domains and paths, Sites)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .exceptions import ConfigError

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_SCHEMES = ("http://", "https://", "supertokens://")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_ORIGIN = 300  #: a host name has 253 characters at most
_DROPPED = "%s has a path, %s, which is dropped, as origins have none"
_SEVERAL = ",;*"  #: characters of lists and patterns, never of hosts
LOCAL_SITE = "localhost"
#: names of this machine; the second is what the frontends' own tests call it
_LOCAL_NAMES = (LOCAL_SITE, "localhost.org")


def api_origin(text: str) -> str:
    """Return scheme, host and non-default port of `text`, such as "https://api.example.com".

    Without a scheme, localhost and IP addresses get http, others https.

    Raises:
        ConfigError: `text` has no host that could be meant.
    """
    trimmed = text.strip().lower()
    if any(character in _SEVERAL for character in _authority(trimmed)):
        raise ConfigError(
            f"Please provide a valid domain name: {text!r} has to be one origin; "
            "for several pass `origin=` a function"
        )
    if _has_space(trimmed):
        raise _not_a_domain(text)
    if not trimmed.startswith(_SCHEMES):
        trimmed = _with_scheme(trimmed.removeprefix("."), text)
    try:
        parts = urlsplit(trimmed)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError as error:
        raise _not_a_domain(text) from error
    if not host or not host.strip("."):
        raise _not_a_domain(text)
    if ":" in host:
        host = f"[{host}]"
    default = port is None or port == _DEFAULT_PORTS.get(scheme)
    return f"{scheme}://{host}" if default else f"{scheme}://{host}:{port}"


def _authority(text: str) -> str:
    """Return host and port of a text with or without a scheme."""
    _, scheme, rest = text.partition("://")
    return re.split("[/?#]", rest if scheme else text, maxsplit=1)[0].rpartition("@")[2]


def _with_scheme(host: str, text: str) -> str:
    if _is_local_or_ip(_host_only(host)):
        return f"http://{host}"
    if "." in host.partition("/")[0]:
        return f"https://{host}"
    scheme, found, _ = host.partition("://")
    if found:
        raise ConfigError(
            f"Please provide a valid domain name: {text!r} has to start with http:// or https://, "
            f"not with {scheme!r}"
        )
    raise _not_a_domain(text)


def _not_a_domain(text: str) -> ConfigError:
    return ConfigError(f"Please provide a valid domain name: {text!r} has no usable host")


def base_path(text: str) -> str:
    """Return `text` as a path without a trailing slash: "/auth", or "" for the root. Case is kept.

    Raises:
        ConfigError: the path has characters that no path may have.
    """
    trimmed = re.split("[?#]", text.strip(), maxsplit=1)[0]
    if trimmed.lower().startswith(_SCHEMES):
        path = urlsplit(trimmed).path
    elif not trimmed.startswith("/") and _starts_with_host(trimmed):
        path = "/" + trimmed.partition("/")[2]
    else:
        path = trimmed if trimmed.startswith("/") else f"/{trimmed}"
    if any(character <= " " or character == ";" or character == "\x7f" for character in path):
        raise ConfigError(f"Please provide a valid URL path: {text!r} has spaces, control characters or ';'")
    return path.removesuffix("/")


def request_path(path: str) -> str:
    """Return a request's path in the form of `base_path`."""
    return path.removesuffix("/")


def _starts_with_host(text: str) -> bool:
    host = text.partition("/")[0]
    return "." in host or _host_only(host) == LOCAL_SITE


def cookie_domain(text: str) -> str:
    """Return the Domain attribute meant by `text`; a leading dot stays except on localhost and IPs.

    Raises:
        ConfigError: there is no host in it.
    """
    trimmed = text.strip().lower()
    dotted = trimmed.startswith(".")
    bare = trimmed.removeprefix(".")
    try:
        host = urlsplit(bare if "://" in bare else f"//{bare}").hostname
    except ValueError:
        host = None
    if not host or _has_space(bare) or any(character in host for character in ';,"\\'):
        raise ConfigError(f"Please provide a valid session_scope: {text!r} is not a cookie domain")
    if host == LOCAL_SITE or is_ip(host):
        return host
    return f".{host}" if dotted else host


def _has_space(text: str) -> bool:
    # urlsplit drops line breaks and tabs silently; such a host is an error.
    return any(character <= " " or character == "\x7f" for character in text)


def scheme_of(origin: str) -> str:
    """Return the scheme of an origin."""
    return origin.partition("://")[0]


def host_of(origin: str) -> str:
    """Return the host name of an origin, without port and brackets."""
    return urlsplit(origin).hostname or ""


def is_ip(host: str) -> bool:
    """Return whether `host` is an IPv4 or IPv6 literal."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_local(host: str) -> bool:
    """Return whether a host is this machine, as browsers see it."""
    if host == LOCAL_SITE or host.endswith(f".{LOCAL_SITE}"):
        return True
    return is_ip(host) and ipaddress.ip_address(host).is_loopback


def site_of(origin: str) -> str:
    """Return the site of an origin: its registrable domain; "localhost" for localhost and IPs.

    Hosts without a listed public suffix (such as "backend" or "*.local") are sites of their own.

    Raises:
        ConfigError: the host is itself a public suffix, for which browsers store no cookies.
    """
    return _site_of_host(_host_only(origin.partition("://")[2]))


def web_origin(text: str) -> str | None:
    """Return what a request claims as an origin in the normal form, or None: no web page could have it.

    None are "null" (sandboxed frames, files), the schemes of hybrid apps, public suffixes and garbage.
    """
    return _web_origin(text) if len(text) <= _LONGEST_ORIGIN else None


@lru_cache(maxsize=1024)
def _web_origin(text: str) -> str | None:
    try:
        origin = api_origin(text)
        site_of(origin)
    except ConfigError:
        return None
    return origin if scheme_of(origin) in _DEFAULT_PORTS else None


@dataclass(frozen=True, slots=True)
class DroppedPath:
    """What is wrong with a domain that was given with a path, and what to do about it."""

    text: str
    advice: str


def dropped_paths(
    api_domain: str,
    api_base_path: str,
    website: str | None,
    website_base_path: str,
    *,
    website_argument: str = "website_domain",
) -> Iterator[DroppedPath]:
    """Yield the paths of domains, which `api_origin` drops, unless the normalised base paths have them."""
    if (path := _dropped_path(api_domain, api_base_path)) is not None:
        advice = f'set api_base_path="{path}{api_base_path}"'
        advice += f', or api_gateway_path="{path}" where a gateway strips it'
        yield DroppedPath(_DROPPED % ("api_domain", path), advice)
    if website is not None and (path := _dropped_path(website, website_base_path)) is not None:
        advice = f'set website_base_path="{path}{website_base_path}"'
        yield DroppedPath(_DROPPED % (website_argument, path), advice)


def _dropped_path(domain: str, base_path: str) -> str | None:
    _, scheme, rest = domain.partition("://")
    whole = re.split("[?#]", rest if scheme else domain, maxsplit=1)[0]
    path = whole.partition("/")[2].strip("/ ")
    return None if not path or f"{base_path}/".startswith(f"/{path}/") else f"/{path}"


def schemeful_site(origin: str) -> str:
    """Return scheme and site as browsers compare them for `SameSite`, where each IP address is a site."""
    host = host_of(origin)
    return f"{scheme_of(origin)}://{host if is_ip(host) else site_of(origin)}"


def _is_local_or_ip(host: str) -> bool:
    return host in _LOCAL_NAMES or is_ip(host)


def _host_only(authority: str) -> str:
    if authority.startswith("["):
        return authority[1:].partition("]")[0]
    return authority.partition("/")[0].partition(":")[0]


@lru_cache(maxsize=1024)
def _site_of_host(host: str) -> str:
    if _is_local_or_ip(host):
        return LOCAL_SITE
    suffixes = _public_suffixes()
    site = suffixes.privatesuffix(host)
    if site:
        return site
    if suffixes.publicsuffix(host) is None or host.endswith(".amazonaws.com"):
        return host
    raise ConfigError(
        "Please make sure that the apiDomain and websiteDomain have correct values: "
        f"{host!r} is a public suffix, so it cannot hold cookies"
    )


@cache
def _public_suffixes() -> PublicSuffixList:
    # Loading the list costs milliseconds, and most set-ups (localhost, IPs) never need it.
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415

    return PublicSuffixList(accept_unknown=False)
