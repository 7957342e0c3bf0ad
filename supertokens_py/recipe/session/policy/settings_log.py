"""What is logged of settings when they have been put together."""

from __future__ import annotations

import logging

from supertokens_py.framework.cookies import SameSite

from . import cookie_diagnosis
from .session_policy import SessionPolicy

# The logger of `settings`: what it says is about the arguments of `session.init`.
log: logging.Logger = logging.getLogger("supertokens_py.recipe.session.settings")


def log_what_was_derived(config: SessionPolicy) -> None:
    """Log the mode against forged requests where `init` derived it, and warn where there is none."""
    same_site = config.fixed_same_site
    if config.explicit_anti_csrf is None:
        log.info(
            "anti_csrf is %s (derived): cookies are SameSite=%s",
            config.anti_csrf_mode,
            same_site or "lax or none, as the function `origin` answers",
        )
    elif config.explicit_anti_csrf == "NONE" and same_site in ("none", None):
        log.warning(
            "anti_csrf is NONE and cookies may be SameSite=None: any website can act as your users. "
            "Leave anti_csrf out, or set cookie_same_site to lax or strict"
        )


def warn_of_lost_cookies(config: SessionPolicy, given_same_site: SameSite | None) -> None:
    """Warn of cookies that browsers drop; `given_same_site` is what `session.init` was given."""
    if config.fixed_transfer == "header":
        return
    if config.fixed_same_site == "none" and not config.cookie_secure:
        _warn_of_none_without_secure(config, given_same_site)
    website = config.fixed_website or config.api_domain
    cross_sites = config.fixed_same_site == "none" and config.cookie_secure
    for loss in (
        cookie_diagnosis.by_secure(config.api_domain, config.cookie_secure),
        cookie_diagnosis.by_domain(config.api_domain, config.cookie_domain),
        cookie_diagnosis.by_name(config.api_domain, website, cross_sites=cross_sites),
    ):
        if loss is not None:
            log.warning("%s; %s", loss.text, loss.advice)


def _warn_of_none_without_secure(config: SessionPolicy, given_same_site: SameSite | None) -> None:
    if given_same_site is not None:
        log.warning(
            "cookie_same_site is none and the API is not https: browsers drop such cookies, so nobody "
            "stays signed in. Leave cookie_same_site out, or serve the API over https."
        )
    else:
        log.warning("%s", config.why_cookies_cannot_cross(config.fixed_website) or _apart_by_scheme(config))


def _apart_by_scheme(config: SessionPolicy) -> str:
    return (
        f"of the website ({config.fixed_website}) and the API ({config.api_domain}) one is on https: "
        "browsers take them for two sites, and most keep no cookies of the API that are not Secure. In "
        "development, serve both over http, or both over https"
    )
