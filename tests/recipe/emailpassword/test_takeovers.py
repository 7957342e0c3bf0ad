"""Ways to somebody else's account: tenants spelled otherwise, links of former addresses, and their like."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe import multitenancy
from supertokens_py.recipe.emailpassword import InputFormField, InputOverrideConfig, InputSignUpFeature
from supertokens_py.recipe.multitenancy.asyncio import create_or_update_tenant
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.types import GeneralErrorResponse

from .conftest import Browser, Start

WITH_PASSWORDS = TenantConfigCreateOrUpdate(first_factors=["emailpassword"])


@pytest.mark.parametrize("written", ["staff", "STAFF", "Staff"])
async def test_a_rule_of_one_tenant_holds_however_its_path_is_written(
    start: Start, browser: Browser, written: str
) -> None:
    asked: list[str] = []

    async def long_for_staff(password: str, tenant_id: str) -> str | None:
        asked.append(tenant_id)
        return "twenty characters" if tenant_id == "staff" and len(password) < 20 else None

    def invited_only(original: Any) -> Any:
        sign_up_post = original.sign_up_post

        async def refuse(*args: Any, tenant_id: str, **kwargs: Any) -> Any:
            if tenant_id == "staff":
                return GeneralErrorResponse("invitation only")
            return await sign_up_post(*args, tenant_id=tenant_id, **kwargs)

        original.sign_up_post = refuse
        return original

    form = InputSignUpFeature([InputFormField("password", validate=long_for_staff)])
    start(multitenancy.init(), sign_up_feature=form, override=InputOverrideConfig(apis=invited_only))
    await create_or_update_tenant("staff", WITH_PASSWORDS)
    answer = await browser.form(f"/{written}/signup", email="ada@example.com", password="a" * 20 + "1")
    assert answer.json() == {"status": "GENERAL_ERROR", "message": "invitation only"}
    answer = await browser.form(
        f"/{written}/user/password/reset", password="short 12", more={"token": "t", "method": "token"}
    )
    assert answer.json()["formFields"] == [{"id": "password", "error": "twenty characters"}]
    assert set(asked) == {"staff"}
