"""Cookie settings with which a browser drops the cookies: `init` warns of them, `doctor` fails them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from supertokens_py.exceptions import ConfigError
from supertokens_py.urls import cookie_domain, host_of, is_local, scheme_of, site_of


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


def by_name(api: str, website: str) -> Loss | None:
    """Return the loss where API and website are this machine under two names: localhost and 127.0.0.1."""
    hosts = (host_of(website), host_of(api))
    if hosts[0] == hosts[1] or not all(is_local(host) for host in hosts):
        return None
    return Loss(
        f"{hosts[0]} and {hosts[1]} are both this machine, but two sites to a browser: cookies of one are "
        "not sent from pages of the other",
        "use the same name for both, such as localhost",
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
