"""Functions that are handed what is no text: None out of a dict, a number out of JSON, a file of a form."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

import supertokens_py.syncio
from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe import (
    emailpassword,
    emailverification,
    passwordless,
    session,
    thirdparty,
    userroles,
)
from supertokens_py.recipe.emailpassword import syncio as passwords
from supertokens_py.recipe.emailverification import syncio as verification
from supertokens_py.recipe.multitenancy import syncio as tenants
from supertokens_py.recipe.passwordless import syncio as codes
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.thirdparty import syncio as providers
from supertokens_py.recipe.usermetadata import syncio as metadata
from supertokens_py.recipe.userroles import syncio as roles
from supertokens_py.types import AccountInfo, ThirdPartyInfo
from tests.support.databases import Sqlite

HERE = "http://localhost:8000"
MODULES = (supertokens_py.syncio, passwords, verification, codes, providers, metadata, roles, tenants)
TEXTS = ("str", "str | None", "str | RecipeUserId", "str | RecipeUserId | None")
#: Arguments that are looked at after others, or not at all, as the users and tokens here are unknown.
LATER = {
    ("request_password_reset", "tenant_id"),
    ("reset_password_using_token", "tenant_id"),
    ("send_reset_password_email", "tenant_id"),
    ("update_email_or_password", "tenant_id_for_password_policy"),
    ("create_or_update_third_party_config", "tenant_id"),
}
GOOD: dict[str, Any] = {
    "tenant_id": "public",
    "phone_number": "+436601234567",
    "email": "ada@example.com",
    "password": "correct horse 1",
    "account_info": AccountInfo(email="ada@example.com"),
    "permissions": ["read"],
    "request": Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}),
    "config": None,
}


@pytest.fixture(autouse=True)
def _site(sqlite_files: Sqlite) -> Iterator[None]:
    Supertokens.reset()
    contacts = passwordless.ContactEmailOrPhoneConfig()
    init(
        app_info=InputAppInfo(app_name="A", api_domain=HERE, website_domain=HERE),
        supertokens_config=SupertokensConfig(
            connection_uri=sqlite_files.create(users=True).uri, engine=EngineConfig(clean_up_interval=0)
        ),
        recipe_list=[
            session.init(),
            emailpassword.init(),
            emailverification.init("OPTIONAL"),
            passwordless.init(contact_config=contacts, flow_type="USER_INPUT_CODE_AND_MAGIC_LINK"),
            thirdparty.init(),
            userroles.init(),
        ],
    )
    yield
    Supertokens.reset()


def texts_of(function: Any) -> Iterator[tuple[str, bool, dict[str, Any]]]:
    """Yield each argument that is text, whether it may be left out, and what else the call takes."""
    parameters = inspect.signature(function).parameters
    needed = {name: GOOD.get(name, "x") for name, one in parameters.items() if one.default is one.empty}
    for name, one in parameters.items():
        if one.annotation not in TEXTS or (function.__name__, name) in LATER:
            continue
        others = {other: value for other, value in needed.items() if other != name}
        if "recipe_user_id" in parameters and not {"user_id", "recipe_user_id"} & {name, *others}:
            others["recipe_user_id"] = "x"
        if name == "user_input_code" and "email" in parameters:
            others["email"] = GOOD["email"]
        yield name, one.annotation.endswith("None"), others


CASES = [
    pytest.param(function, name, optional, others, id=f"{module.__name__.split('.')[-2]}-{known}-{name}")
    for module in MODULES
    for known, function in sorted(vars(module).items())
    if not known.startswith("_") and inspect.isfunction(function)
    for name, optional, others in texts_of(function)
]


@pytest.mark.parametrize(("function", "name", "optional", "others"), CASES)
def test_what_is_no_text_is_bad_input(
    function: Any, name: str, optional: bool, others: dict[str, Any]
) -> None:
    """Nobody's fault but the caller's: an error of its own, and no TypeError deep within, nor "None"."""
    for wrong in (5, b"x", ["x"], object(), *([] if optional else [None])):
        with pytest.raises(BadInputError):
            function(**others, **{name: wrong})


def test_every_function_is_among_them() -> None:
    assert len(CASES) > 100
    assert {"get_user_by_phone_number", "get_user_by_id"} <= {case.values[0].__name__ for case in CASES}  # type: ignore[union-attr]


@pytest.mark.parametrize("wrong", [5, b"x", ["x"], object(), None])
def test_a_session_of_what_is_no_text_is_bad_input(wrong: Any) -> None:
    calls: list[Any] = [
        sessions.refresh_session_without_request_response,
        sessions.revoke_session,
        sessions.get_session_information,
        sessions.get_all_session_handles_for_user,
        sessions.revoke_all_sessions_for_user,
    ]
    if wrong is not None:  # no token: no session
        calls.append(sessions.get_session_without_request_response)
    for call in calls:
        with pytest.raises(BadInputError, match="must be a string, not"):
            call(wrong)


@pytest.mark.parametrize(
    "info",
    [
        AccountInfo(email=5),  # type: ignore[arg-type]
        AccountInfo(phone_number=b"+1"),  # type: ignore[arg-type]
        AccountInfo(third_party=ThirdPartyInfo(5, "google")),  # type: ignore[arg-type]
        AccountInfo(third_party=ThirdPartyInfo("5", None)),  # type: ignore[arg-type]
    ],
)
def test_account_info_that_is_no_text_is_bad_input(info: AccountInfo) -> None:
    with pytest.raises(BadInputError, match="must be a string, not"):
        supertokens_py.syncio.list_users_by_account_info("public", info)


@pytest.mark.parametrize("wrong", [5, "x"])
def test_a_list_that_is_none_is_bad_input(wrong: Any) -> None:
    for call in (
        lambda: sessions.revoke_multiple_sessions(wrong),
        lambda: roles.create_new_role_or_add_permissions("admin", wrong),
        lambda: supertokens_py.syncio.get_user_count(wrong),
        lambda: supertokens_py.syncio.get_users_oldest_first("public", include_recipe_ids=wrong),
    ):
        with pytest.raises(BadInputError, match="must be a list of strings, not"):
            call()
