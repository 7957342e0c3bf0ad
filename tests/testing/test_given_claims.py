"""`login_as(claims=...)` gives a session the values that a test wants, whatever the application fetches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from flask import Flask

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.flask import Middleware, current_session, session_required
from supertokens_py.recipe import session
from supertokens_py.recipe.session import InputOverrideConfig
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.testing import login_as


def plan_of(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> str:
    return "free"


PlanClaim = PrimitiveClaim(key="plan", fetch_value=plan_of, default_max_age_in_sec=600)


def with_plan(original: Any) -> Any:
    """Build the claim for every session, as docs/payload-and-claims.md shows."""
    create = original.create_new_session

    async def create_new_session(
        user_id: str,
        payload: dict[str, Any] | None,
        data: dict[str, Any] | None,
        disable_anti_csrf: bool | None,
        tenant_id: str,
        user_context: dict[str, Any],
    ) -> Any:
        payload = {**(payload or {}), **(await PlanClaim.build(user_id, tenant_id, user_context))}
        return await create(user_id, payload, data, disable_anti_csrf, tenant_id, user_context)

    original.create_new_session = create_new_session
    return original


@pytest.fixture
def app() -> Iterator[Flask]:
    Supertokens.reset()
    here = "http://localhost"
    init(
        InputAppInfo("Test", here, website_domain=here),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[
            session.init(override=InputOverrideConfig(functions=with_plan), guests=session.GuestSettings())
        ],
    )
    made = Flask(__name__)
    Middleware(made)

    @made.get("/plan")
    @session_required(allow_guests=True)
    def plan() -> Any:
        current_session.sync_assert_claims([PlanClaim.validators.has_value("pro", max_age_in_sec=60)])
        return str(current_session.sync_get_claim_value(PlanClaim))

    yield made
    Supertokens.reset()


@pytest.mark.parametrize("mode", ["cookie", "header"])
@pytest.mark.parametrize("who", [{"user_id": "ada"}, {"guest": True}], ids=["user", "guest"])
def test_a_given_value_outlives_an_override_that_builds_the_claim(
    app: Flask, who: dict[str, Any], mode: Literal["cookie", "header"]
) -> None:
    client = app.test_client()
    login_as(client, **who, claims={PlanClaim: "pro"}, mode=mode, allow_real_store=True)
    assert (client.get("/plan").text, client.get("/plan").status_code) == ("pro", 200)


def test_without_one_the_application_fetches_its_own(app: Flask) -> None:
    client = app.test_client()
    login_as(client, "ada", allow_real_store=True)
    assert client.get("/plan").status_code == 403
