"""Where a log-in page goes on to."""

from __future__ import annotations

from .recipe import SessionRecipe
from .responses.pages import safe_next


def next_page(given: str | None) -> str:
    """Return the path that a log-in page goes on to, which is `given` if that is a page of this server.

    `given` comes with the request (`?next=`), so it may be an address that somebody else wrote: anything but
    a path, and a path of the SDK's own routes or of the log-in page, becomes "/".
    """
    recipe = SessionRecipe.get_instance()
    if recipe.pages is not None:
        return recipe.pages.after_login(given)
    return safe_next(given, str(recipe.app.app_info.api_base_path))
