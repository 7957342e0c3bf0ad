"""The HTTP APIs of an app's recipes, by method and path below the base path."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .constants import DEFAULT_TENANT_ID, RID_HEADER
from .framework.request import BaseRequest
from .recipe_module import RecipeModule, Route

_TENANT_SEGMENT = re.compile(r"/([a-zA-Z0-9-]+)(/.+)")


class Routes:
    """Finds the route of a request; `recipes` may grow until the first one is looked for."""

    def __init__(self, recipes: Iterable[RecipeModule]) -> None:
        self._recipes = recipes
        self._known: dict[tuple[str, str], list[tuple[str, Route]]] | None = None

    def of(self, request: BaseRequest, path: str) -> tuple[Route, str] | None:
        """Return the route and the tenant of a request to a path below the base."""
        return self.find(request.method(), path, request.get_header(RID_HEADER) or "")

    def find(self, method: str, path: str, rid: str = "") -> tuple[Route, str] | None:
        """Return the route and the tenant of a path below the base; `/{tenant}/…` is that of a tenant.

        The id of the tenant is in lower case, however the path has it.

        Where recipes share a path, `rid` says which one is meant; without it, or where that one leaves the
        path to others, it is the first.
        """
        known = self._all()
        routes, tenant_id = known.get((method, path)), DEFAULT_TENANT_ID
        if routes is None and (match := _TENANT_SEGMENT.fullmatch(path)):
            tenant_id = match[1].lower()  # as tenants are stored: rules of one tenant ask for one name
            routes = known.get((method, match[2]))
        enabled = [(owner, route) for owner, route in routes or () if route.enabled()]
        # Ids of combined recipes (`thirdpartyemailpassword`) name each part.
        meant = [route for owner, route in enabled if owner in rid]
        found = meant or [route for _, route in enabled]
        return (found[0], tenant_id) if found else None

    def methods_of(self, path: str) -> list[str]:
        """Return the methods that `find` knows at a path below the base, sorted."""
        methods = {method for method, _ in self._all()}
        return sorted(method for method in methods if self.find(method, path))

    def _all(self) -> dict[tuple[str, str], list[tuple[str, Route]]]:
        if self._known is None:
            known: dict[tuple[str, str], list[tuple[str, Route]]] = {}
            for recipe in self._recipes:
                for route in recipe.routes() if recipe.serves_routes else ():
                    known.setdefault((route.method, route.path), []).append((recipe.recipe_id, route))
            for routes in known.values():  # by recipe_list, but for those that yield
                routes.sort(key=lambda owned: owned[1].yields)
            self._known = known
        return self._known
