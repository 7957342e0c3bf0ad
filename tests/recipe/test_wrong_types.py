"""Functions that are handed what is no text: None out of a dict, a number out of JSON, a file of a form."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

import supertokens_py.syncio
from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import BadInputError, SuperTokensError
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
from supertokens_py.recipe.emailverification.interfaces import GetEmailForUserIdOkResult
from supertokens_py.recipe.jwt import syncio as jwts
from supertokens_py.recipe.multitenancy import syncio as tenants
from supertokens_py.recipe.openid import syncio as openid
from supertokens_py.recipe.passwordless import syncio as codes
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.thirdparty import syncio as providers
from supertokens_py.recipe.usermetadata import syncio as metadata
from supertokens_py.recipe.userroles import syncio as roles
from supertokens_py.types import AccountInfo, ThirdPartyInfo
from tests.support.databases import Sqlite

HERE = "http://localhost:8000"
ADA = GetEmailForUserIdOkResult("ada@example.com")
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
            emailverification.init("OPTIONAL", get_email_for_recipe_user_id=lambda *_: ADA),
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


#: What an argument is annotated with that is an object, or several.
OBJECT = re.compile(r"dict|Mapping|list|Sequence|Session|Claim|Config|Info|TemplateVars|Result|Override")
NEEDED = {"claim": BooleanClaim("b", lambda *_: True), "jwt_payload": {}, "user_id": "ada", "value": True}
#: Arguments that mean something else in another form of the call, that are looked at later, or not at all.
TAKEN = {
    ("create_guest_session", "access_token_payload"),
    ("create_guest_session", "session_data_in_database"),
    ("create_new_session", "access_token_payload"),
    ("create_new_session", "jwt_payload"),
    ("create_new_session", "lifetime"),
    ("create_new_session", "methods"),
    ("create_new_session", "replaces"),
    ("create_new_session", "session_data"),
    ("create_new_session", "session_data_in_database"),
    ("create_new_session_without_request_response", "lifetime"),
    ("create_new_session_without_request_response", "methods"),
    ("delete_user", "remove_all_linked_accounts"),
    ("get_session", "override_global_claim_validators"),
    ("get_session_without_request_response", "override_global_claim_validators"),
    ("manually_create_or_update_user", "is_verified"),
    ("manually_create_or_update_user", "session"),
    ("remove_permissions_from_role", "permissions"),
    ("send_reset_password_email", "email"),
    ("set_session_lifetime", "lifetime"),
    ("sign_in", "session"),
    ("sign_up", "session"),
    ("update_access_token_payload", "new_access_token_payload"),
    ("validate_claims_in_jwt_payload", "jwt_payload"),
    ("verify_email_using_token", "attempt_account_linking"),
}


def objects_of(function: Any) -> Iterator[tuple[str, str]]:
    """Yield each argument that is an object, and its annotation."""
    for name, one in inspect.signature(function).parameters.items():
        is_plain = name in ("user_context", "request") or one.annotation in TEXTS
        if not is_plain and isinstance(one.annotation, str) and OBJECT.search(one.annotation):
            yield name, one.annotation


OBJECT_CASES = [
    pytest.param(function, name, annotation, id=f"{module.__name__.split('.')[-2]}-{known}-{name}")
    for module in (*MODULES, sessions, jwts, openid)
    for known, function in sorted(vars(module).items())
    if not known.startswith("_") and inspect.isfunction(function)
    for name, annotation in objects_of(function)
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("function", "name", "annotation"), OBJECT_CASES)
def test_what_is_no_such_object_is_bad_input(function: Any, name: str, annotation: str) -> None:
    """The same of a dict, a list, a claim, a session, and of whatever else the SDK has a class for."""
    own = sessions.create_new_session_without_request_response("public", "ada")
    good = {**GOOD, **NEEDED, "session_handle": own.get_handle(), "session": own, "actor": own}
    parameters = inspect.signature(function).parameters.items()
    needed = {other: good.get(other, "x") for other, one in parameters if one.default is one.empty}
    wrongs: list[Any] = [5, object()]
    if "str" not in annotation.replace("Sequence[str]", "").replace("list[str]", ""):
        wrongs.append("x")
    if not annotation.endswith("None"):
        wrongs.append(None)
    for wrong in wrongs:
        if (function.__name__, name) in TAKEN:
            with contextlib.suppress(SuperTokensError):
                function(**{**needed, name: wrong})
        else:
            with pytest.raises(BadInputError):
                function(**{**needed, name: wrong})


def test_the_claims_of_a_session_that_are_none_are_bad_input() -> None:
    """The same of its methods, and what it ends."""
    own = sessions.create_new_session_without_request_response("public", "ada")
    for wrong in (5, None, object(), "x", ["x"]):
        for call in (
            lambda given: own.sync_set_claim_value(given, True),
            own.sync_get_claim_value,
            own.sync_remove_claim,
            own.sync_fetch_and_set_claim,
        ):
            with pytest.raises(BadInputError, match=r"^claim must be of the type SessionClaim, not "):
                call(wrong)
        with pytest.raises(BadInputError, match=r"^claim_validators must "):
            own.sync_assert_claims(wrong)
    for wrong in (5, None, object()):
        for call in (own.sync_revoke_one, own.sync_revoke_some, own.sync_reauthenticate):
            with pytest.raises(BadInputError):
                call(wrong)


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
