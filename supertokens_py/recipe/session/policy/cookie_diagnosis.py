"""Cookie settings with which a browser drops the cookies: `init` warns of them, `doctor` fails them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from supertokens_py.exceptions import ConfigError
from supertokens_py.urls import cookie_domain, host_of, is_ip, is_local, scheme_of, site_of


@dataclass(frozen=True, slots=True)
class Loss:
    """Why cookies are lost, and what to do."""

    text: str
    advice: str


def by_secure(api: str, secure: bool) -> Loss | None:
    """Return the loss where the origin of an API cannot set cookies because they are Secure."""
    if not secure or scheme_of(api) != "http" or is_local(host_of(api)):
        return None
    return Loss(
        "a browser drops Secure cookies that come over http: every request stays without a session",
        "serve the API over https, or set cookie_secure=False on a development machine",
    )


def by_name(api: str, website: str, *, cross_sites: bool) -> Loss | None:
    """Return the loss where API and website pass for one site and are two: each IP address is a site.

    Args:
        api: origin of the API.
        website: origin of the website.
        cross_sites: whether the cookies are SameSite=None; Secure, so browsers send them nevertheless.
    """
    hosts = (host_of(website), host_of(api))
    if cross_sites or hosts[0] == hosts[1]:
        return None
    if all(is_local(host) for host in hosts):
        are, same = "are both this machine, but two sites", "name for both, such as localhost"
    elif any(is_ip(host) for host in hosts) and site_of(website) == site_of(api):
        are, same = "are two sites", "name or address for both"
    else:
        return None
    return Loss(
        f"{hosts[0]} and {hosts[1]} {are} to a browser: cookies of one are not sent from pages of the other",
        f"use the same {same}",
    )


def by_domain(api: str, domain: str | None) -> Loss | None:
    """Return the loss where the origin of an API cannot set cookies because of their Domain."""
    if domain is None:
        return None
    try:
        meant = cookie_domain(domain).lstrip(".")
        site_of(f"https://{meant}")
    except ConfigError as error:
        return Loss(str(error), "correct cookie_domain")
    host = host_of(api)
    if host == meant or host.endswith("." + meant):
        return None
    return Loss(
        f"{host} may not set cookies for {meant}: a browser drops them",
        f"use {host} or one of its parents, or leave cookie_domain out",
    )
