"""Which recipe a request is for, where several have the same path."""

from __future__ import annotations

from typing import Any, cast

import pytest

from supertokens_py.recipe_module import RecipeModule, Route
from supertokens_py.routes import Routes

pytestmark = pytest.mark.quick


class Shared(RecipeModule):
    """A recipe with one route."""

    def __init__(self, recipe_id: str, *, yields: bool = False) -> None:
        super().__init__(cast("Any", None))
        self.recipe_id = recipe_id  # type: ignore[misc]
        self.is_on = True
        self.route = Route("GET", "/shared", cast("Any", None), lambda: self.is_on, yields)

    def routes(self) -> list[Route]:
        return [self.route]


@pytest.fixture
def passwordless() -> Shared:
    return Shared("passwordless", yields=True)


@pytest.fixture
def emailpassword() -> Shared:
    return Shared("emailpassword")


@pytest.mark.parametrize(
    ("rid", "meant"),
    [
        ("", "emailpassword"),
        ("anti-csrf", "emailpassword"),
        ("emailpassword", "emailpassword"),
        ("passwordless", "passwordless"),
        ("thirdpartypasswordless", "passwordless"),
    ],
)
@pytest.mark.parametrize("path", ["/shared", "/t1/shared"])
def test_the_rid_decides_between_recipes(
    passwordless: Shared, emailpassword: Shared, rid: str, meant: str, path: str
) -> None:
    routes = Routes([passwordless, emailpassword])
    found = routes.find("GET", path, rid)
    assert found is not None
    assert found[0] is {"passwordless": passwordless, "emailpassword": emailpassword}[meant].route
    assert found[1] == ("t1" if path.startswith("/t1") else "public")


@pytest.mark.parametrize("written", ["staff", "STAFF", "Staff"])
def test_a_tenant_has_one_name_however_a_path_writes_it(emailpassword: Shared, written: str) -> None:
    """Overrides and validators compare ids: `/STAFF/signup` would pass those that refuse staff."""
    found = Routes([emailpassword]).find("GET", f"/{written}/shared")
    assert found is not None
    assert found[1] == "staff"


def test_what_one_recipe_leaves_is_the_others(passwordless: Shared, emailpassword: Shared) -> None:
    routes = Routes([emailpassword, passwordless])
    emailpassword.is_on = False
    for rid in ("", "emailpassword", "passwordless"):
        assert routes.find("GET", "/shared", rid) == (passwordless.route, "public")
    passwordless.is_on = False
    assert routes.find("GET", "/shared") is None
    assert Routes([passwordless]).find("GET", "/other") is None
