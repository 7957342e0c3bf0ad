"""A replacement under a name that nothing calls, or a setting that there is not, is told at `init`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session, userroles
from supertokens_py.recipe.session.interfaces import RecipeInterface

LOGGER = "supertokens_py.recipe.overrides"


def said(
    caplog: pytest.LogCaptureFixture,
    functions: Callable[[Any], Any] | None = None,
    apis: Callable[[Any], Any] | None = None,
) -> list[str]:
    """Return what is logged about an override of the session recipe."""
    Supertokens.reset()
    with caplog.at_level(logging.WARNING, LOGGER):
        init(
            InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
            supertokens_config=SupertokensConfig("sqlite://"),
            recipe_list=[
                session.init(override=session.InputOverrideConfig(functions=functions, apis=apis)),
                userroles.init(),
            ],
        )
    Supertokens.reset()
    return [record.getMessage() for record in caplog.records if record.name == LOGGER]


async def replacement(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError


def setting(**members: Any) -> Callable[[Any], Any]:
    def override(original: Any) -> Any:
        for name, value in members.items():
            setattr(original, name, value)
        return original

    return override


def test_a_misspelt_function_is_named_with_what_was_meant(caplog: pytest.LogCaptureFixture) -> None:
    """The place, the name, the nearest real one."""
    assert said(caplog, setting(create_new_sesion=replacement)) == [
        "the override in session.init(override=…functions) sets 'create_new_sesion', which nothing calls; "
        "did you mean 'create_new_session'?"
    ]


def test_a_misspelt_switch_is_named_too(caplog: pytest.LogCaptureFixture) -> None:
    """A plain value is worth a word where it is nearly a real one."""
    assert said(caplog, apis=setting(disable_refresh_psot=True, my_cache={})) == [
        "the override in session.init(override=…apis) sets 'disable_refresh_psot', which nothing calls; "
        "did you mean 'disable_refresh_post'?"
    ]


def test_a_function_like_no_other_is_named_as_well(caplog: pytest.LogCaptureFixture) -> None:
    """It would never run; there is nothing to suggest."""
    assert said(caplog, setting(on_login=replacement)) == [
        "the override in session.init(override=…functions) sets 'on_login', which nothing calls"
    ]


def test_real_names_and_private_ones_are_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Replacements, switches, and what an application keeps for itself."""
    functions = setting(create_new_session=replacement, _original=replacement, audit_trail=[])
    assert said(caplog, functions, setting(disable_refresh_post=True, refresh_post=replacement)) == []


def test_a_subclass_may_have_helpers_but_not_misspelt_ones(caplog: pytest.LogCaptureFixture) -> None:
    """A method that is nearly one of ours was meant to be it."""

    class Mine(RecipeInterface):
        async def revoke_sesion(self, session_handle: str, user_context: dict[str, Any]) -> bool:
            raise AssertionError

        def tenant_label(self) -> str:
            return "label"

    assert said(caplog, lambda original: Mine(original.parts)) == [
        "the override in session.init(override=…functions) sets 'revoke_sesion', which nothing calls; "
        "did you mean 'revoke_session'?"
    ]
