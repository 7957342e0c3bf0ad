"""`UserRoleClaim` as the customer's documents use it (seed 2)."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe import userroles
from supertokens_py.recipe.session.exceptions import ClaimValidationError, raise_invalid_claims_exception
from supertokens_py.recipe.userroles import UserRoleClaim
from supertokens_py.recipe.userroles.asyncio import add_role_to_user, create_new_role_or_add_permissions
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import KINDS, Route, Visit
from tests.support.databases import TestDatabase


async def log_in(visit: Visit) -> Any:
    await visit.log_in(visit.request.headers["x-user"])
    return "ok"


async def page(visit: Visit) -> Any:
    return "ok"


async def manual(visit: Visit) -> Any:
    assert visit.session is not None
    roles = UserRoleClaim.get_value_from_payload(visit.session.get_access_token_payload())
    if roles is None or "admin" not in roles:
        raise_invalid_claims_exception(
            "User is not an admin", [ClaimValidationError(UserRoleClaim.key, None)]
        )
    return "ok"


@pytest.mark.parametrize("kind", KINDS)
async def test_only_admins_pass_the_role_validator(
    kind: str, any_database: TestDatabase, start: Start, open_site: Open
) -> None:
    start(userroles.init(), uri=any_database.uri)
    await create_new_role_or_add_permissions("admin", ["write"])
    await add_role_to_user("public", "ada", "admin")
    admins = {
        "override_global_claim_validators": lambda global_validators, session, user_context: [
            *global_validators,
            UserRoleClaim.validators.includes("admin"),
        ]
    }
    routes = [
        Route("/login", log_in),
        Route("/admin", page, verify=admins),
        Route("/manual", manual, verify={}),
    ]
    site = open_site(kind, routes)
    for user, status in (("ada", 200), ("bob", 403)):
        browser = site.browser(st_auth_mode="cookie", x_user=user)
        await browser.post("/login")
        answer = await browser.get("/admin")
        assert answer.status_code == status
        by_hand = await browser.get("/manual")
        assert by_hand.status_code == status
        if status == 403:
            (error,) = answer.json()["claimValidationErrors"]
            assert error["id"] == "st-role"
            assert error["reason"] == {
                "message": "wrong value",
                "expectedToInclude": "admin",
                "actualValue": [],
            }
            assert by_hand.json()["claimValidationErrors"] == [{"id": "st-role"}]
