"""The HTTP APIs of an app's recipes, by method and path below the base path."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .constants import DEFAULT_TENANT_ID
from .recipe_module import RecipeModule, Route

_TENANT_SEGMENT = re.compile(r"/([a-zA-Z0-9-]+)(/.+)")


class Routes:
    """Finds the route of a request; `recipes` may grow until the first one is looked for."""

    def __init__(self, recipes: Iterable[RecipeModule]) -> None:
        self._recipes = recipes
        self._known: dict[tuple[str, str], Route] | None = None

    def find(self, method: str, path: str) -> tuple[Route, str] | None:
        """Return the route and the tenant of a path below the base; `/{tenant}/…` is that of a tenant."""
        known = self._all()
        route, tenant_id = known.get((method, path)), DEFAULT_TENANT_ID
        if route is None and (match := _TENANT_SEGMENT.fullmatch(path)):
            tenant_id = match[1]
            route = known.get((method, match[2]))
        return (route, tenant_id) if route is not None and route.enabled() else None

    def methods_of(self, path: str) -> list[str]:
        """Return the methods that `find` knows at a path below the base, sorted."""
        methods = {method for method, _ in self._all()}
        return sorted(method for method in methods if self.find(method, path))

    def _all(self) -> dict[tuple[str, str], Route]:
        if self._known is None:
            known: dict[tuple[str, str], Route] = {}
            for recipe in self._recipes:
                for route in recipe.routes():
                    known.setdefault((route.method, route.path), route)  # of two, the recipe listed first
            self._known = known
        return self._known
