"""`session.init(device_binding=...)`, and where it can work at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.cookies import SameSite
from supertokens_py.recipe.session.policy.session_policy import SessionPolicy
from supertokens_py.urls import scheme_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceBinding:
    """`session.init(device_binding=DeviceBinding())`, or "auto" for its defaults. Experimental.

    Args:
        initiators: hosts of pages, besides that of `website_domain`, whose requests to this API may make the
            browser prove again, such as "admin.example.com".
        excluded_paths: paths of this API, with all below them, that need no session, such as "/static": the
            browser never holds requests for them.
        cookie_lifetime: seconds for which a copied cookie of a bound session would work; 60 to 600.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    initiators: Sequence[str] = ()
    excluded_paths: Sequence[str] = ()
    cookie_lifetime: int = 600

    def __post_init__(self) -> None:
        _check_texts("initiators", self.initiators, _is_host, 'hosts, such as "admin.example.com"')
        _check_texts("excluded_paths", self.excluded_paths, _is_path, 'paths, such as "/static"')
        life: object = self.cookie_lifetime
        if type(life) is not int or not 60 <= life <= 600:
            raise ConfigError(f"device_binding: cookie_lifetime must be 60 to 600 seconds, not {life!r}")


#: What `session.init` takes.
DeviceBindingChoice: TypeAlias = DeviceBinding | Literal["auto"]


def is_choice(value: Any) -> bool:
    """Return whether `session.init` takes a value."""
    return value == "auto" or isinstance(value, DeviceBinding)


def binding_settings(given: DeviceBindingChoice | None) -> DeviceBinding | None:
    """Return the settings that an argument of `session.init` means; None is off."""
    return DeviceBinding() if given == "auto" else given


def check_binding(binding: DeviceBinding | None, policy: SessionPolicy) -> None:
    """Refuse settings with which no browser could prove anything.

    Raises:
        ConfigError: says what to change.
    """
    if binding is None:
        return
    for is_wrong, text in (
        (
            scheme_of(policy.api_domain) != "https" or not policy.cookie_secure,
            "needs an API over https: api_domain='https://...', and no cookie_secure=False",
        ),
        (
            policy.cookie_domain is not None,
            f"cannot work with cookie_domain {policy.cookie_domain!r}: its cookie belongs to one host",
        ),
        (
            policy.fixed_transfer == "header",
            'needs cookies, but get_token_transfer_method is "header"',
        ),
        (
            policy.fixed_website is None and not binding.initiators,
            "cannot derive the website from a function `origin`: pass "
            "device_binding=DeviceBinding(initiators=[...]) with the hosts of your websites",
        ),
    ):
        if is_wrong:
            raise ConfigError(f"session.init: device_binding {text}")


def initiators_of(binding: DeviceBinding, policy: SessionPolicy) -> list[str]:
    """Return the hosts whose pages may make the browser prove again; those of the API need not be named."""
    website = policy.fixed_website
    own = [] if website is None or website == policy.api_domain else [str(urlsplit(website).hostname)]
    return list(dict.fromkeys([*own, *binding.initiators]))


def same_site_of(policy: SessionPolicy) -> SameSite:
    """Return the SameSite of the bound cookie: that of the session cookies, with which it has to come."""
    return policy.fixed_same_site or "none"


def _check_texts(name: str, given: object, is_possible: Any, wanted: str) -> None:
    values = cast("list[object]", list(given) if isinstance(given, list | tuple) else [None])  # pyright: ignore[reportUnknownArgumentType]
    if not all(isinstance(value, str) and is_possible(value) for value in values):
        raise ConfigError(f"device_binding: {name} must be a list of {wanted}, not {given!r}")


def _is_host(text: str) -> bool:
    return bool(text) and urlsplit(f"//{text}").hostname == text


def _is_path(text: str) -> bool:
    return text.startswith("/") and len(text) > 1 and urlsplit(text).path == text
