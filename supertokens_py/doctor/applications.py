"""What an application's `init` says of browsers, so that nobody has to say it again."""

from __future__ import annotations

from collections.abc import Sequence

from supertokens_py.app import Supertokens
from supertokens_py.recipe.session import SessionRecipe

from .web import WebSettings


def web_settings_of(
    app: Supertokens, website_domain: str | None = None, cors_origins: Sequence[str] | None = None
) -> WebSettings | None:
    """Return the arguments of an app's `init` and `session.init`; None where its website is not known.

    Args:
        website_domain: its website, where that is decided request by request.
        cors_origins: origins that its CORS layer allows; None: not known.
    """
    website = website_domain or app.app_info.given_website
    if website is None:
        return None
    recipe = app.recipe(SessionRecipe)
    policy, bindings = recipe.config, recipe.bindings
    return WebSettings(
        api_domain=app.app_info.given_api_domain,
        website_domain=website,
        api_base_path=app.app_info.api_base_path,
        website_base_path=app.app_info.website_base_path,
        same_site=policy.fixed_same_site,
        secure=policy.cookie_secure,
        cookie_domain=policy.cookie_domain,
        anti_csrf=policy.explicit_anti_csrf,
        transfer=policy.fixed_transfer or "any",
        cors_origins=cors_origins,
        device_binding=bindings is not None,
        initiators=() if bindings is None else bindings.settings.initiators,
    )
