"""The helper modules that applications import by their older paths do what they say."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init, utils
from supertokens_py.async_to_sync_wrapper import sync
from supertokens_py.exceptions import (
    BadInputError,
    EngineUnavailableError,
    GeneralError,
    SuperTokensError,
    raise_bad_input_exception,
    raise_general_exception,
)
from supertokens_py.framework import BaseRequest, BaseResponse
from supertokens_py.normalised_url_path import NormalisedURLPath
from supertokens_py.recipe import session
from supertokens_py.recipe.session import utils as session_utils
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    get_session_information,
)
from supertokens_py.recipe.session.exceptions import ClaimValidationError
from supertokens_py.recipe.session.jwt import parse_jwt_without_signature_verification
from supertokens_py.recipe.session.session_class import Session
from tests.support.databases import TestDatabase

pytestmark = pytest.mark.quick


@pytest.fixture(autouse=True)
def _app(sqlite_database: TestDatabase) -> Iterator[None]:
    Supertokens.reset()
    init(
        app_info=InputAppInfo("Tests", "http://api.example.com", website_domain="http://example.com"),
        supertokens_config=SupertokensConfig(sqlite_database.uri),
        recipe_list=[session.init(session_expired_status_code=440, invalid_claim_status_code=441)],
    )
    yield
    Supertokens.reset()


def request() -> Request:
    return Request({"type": "http", "method": "GET", "path": "/x", "headers": [(b"a", b"b")]})


# -- supertokens_py.utils ----------------------------------------------------------------------------


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
def test_a_framework_wraps_a_request(framework: str) -> None:
    native = request()
    wrapped = utils.FRAMEWORKS[framework].wrap_request(native)
    assert isinstance(wrapped, BaseRequest)
    assert wrapped.get_header("A") == "b"
    assert utils.FRAMEWORKS[framework].wrap_request(wrapped) is wrapped


def test_a_user_context_holds_its_request() -> None:
    wrapped = utils.FRAMEWORKS["fastapi"].wrap_request(request())
    context = utils.default_user_context(wrapped)
    assert Supertokens.get_instance().get_request_from_user_context(context) is wrapped

    given: dict[str, Any] = {"mine": 1}
    assert utils.set_request_in_user_context_if_not_defined(given, wrapped) is given
    assert given == {"mine": 1, "_default": {"request": wrapped}}
    other = utils.FRAMEWORKS["fastapi"].wrap_request(request())
    utils.set_request_in_user_context_if_not_defined(given, other)
    assert given["_default"]["request"] is wrapped
    made = utils.set_request_in_user_context_if_not_defined(None, other)
    assert made == {"_default": {"request": other}}


async def test_resolve_awaits_what_can_be_awaited() -> None:
    assert await utils.resolve(1) == 1
    assert await utils.resolve(asyncio.sleep(0, "later")) == "later"


@pytest.mark.parametrize(
    ("version", "minimum", "expected"),
    [("2.10", "2.9", True), ("2.9.1", "2.9", True), ("2.8.9", "2.9", False), ("3.0", "2.9", True)],
)
def test_versions_are_compared_as_numbers(version: str, minimum: str, expected: bool) -> None:
    assert utils.is_version_gte(version, minimum) is expected


@pytest.mark.parametrize("urlsafe", [True, False])
def test_base64_of_text(urlsafe: bool) -> None:
    text = "ü?>ab"
    encoded = utils.utf_base64encode(text, urlsafe)
    assert encoded == ("w7w_PmFi" if urlsafe else "w7w/PmFi")
    assert utils.utf_base64decode(encoded, urlsafe) == text
    assert utils.utf_base64decode(utils.utf_base64encode("a", urlsafe).rstrip("="), urlsafe) == "a"


def test_sites_and_times() -> None:
    assert utils.get_top_level_domain_for_same_site_resolution("https://api.foo.co.uk") == "foo.co.uk"
    assert abs(utils.get_timestamp_ms() - Supertokens.get_instance().now_ms()) < 5000


# -- sync --------------------------------------------------------------------------------------------


def test_sync_runs_a_coroutine_of_the_applications() -> None:
    async def work() -> str:
        await asyncio.sleep(0)
        made = await create_new_session_without_request_response("public", "ada")
        return made.get_user_id()

    assert sync(work()) == "ada"
    answers: list[str] = []
    thread = threading.Thread(target=lambda: answers.append(sync(work())))
    thread.start()
    thread.join()
    assert answers == ["ada"]


def test_sync_lets_errors_out() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError("x")

    with pytest.raises(LookupError):
        sync(fail())


async def test_sync_refuses_to_block_a_running_loop() -> None:
    async def work() -> None: ...

    with pytest.raises(RuntimeError, match=r"would block the event loop"):
        sync(work())


# -- recipe.session ----------------------------------------------------------------------------------


async def test_an_access_token_can_be_looked_into() -> None:
    made = await create_new_session_without_request_response("public", "ada", {"a": 1})
    assert isinstance(made, Session)
    token = made.get_access_token()
    parsed = parse_jwt_without_signature_verification(token)
    assert parsed.payload == made.get_access_token_payload()
    assert (parsed.version, parsed.raw_token_string) == (5, token)
    assert f"{parsed.header}.{parsed.raw_payload}.{parsed.signature}" == token
    assert parsed.parsed_header == {"alg": "RS256", "typ": "JWT", "kid": parsed.kid, "version": "5"}
    assert token not in repr(parsed)
    assert parsed.signature not in repr(parsed)
    with pytest.raises(GeneralError, match=r"invalid jwt"):
        parse_jwt_without_signature_verification("a.b.c")


async def test_hooks_can_fall_back_to_the_default_answers() -> None:
    wrapped = utils.FRAMEWORKS["fastapi"].wrap_request(request())
    made = await create_new_session_without_request_response("public", "ada")

    answer = await session_utils.default_unauthorised_callback(wrapped, "why", BaseResponse())
    assert (answer.status_code, answer.body) == (440, b'{"message":"unauthorised"}')
    answer = await session_utils.default_try_refresh_token_callback(wrapped, "why", BaseResponse())
    assert (answer.status_code, answer.body) == (440, b'{"message":"try refresh token"}')
    answer = await session_utils.default_clear_duplicate_session_cookies_callback(
        wrapped, "why", BaseResponse()
    )
    assert (answer.status_code, answer.body) == (200, b'{"message":"why"}')
    failures = [ClaimValidationError("a", None), ClaimValidationError("b", {"message": "no"})]
    answer = await session_utils.default_invalid_claim_callback(wrapped, failures, BaseResponse())
    assert answer.status_code == 441
    assert json.loads(answer.body) == {
        "message": "invalid claim",
        "claimValidationErrors": [{"id": "a"}, {"id": "b", "reason": {"message": "no"}}],
    }
    answer = await session_utils.default_token_theft_detected_callback(
        wrapped, made.get_handle(), "ada", BaseResponse()
    )
    assert (answer.status_code, answer.body) == (440, b'{"message":"token theft detected"}')
    assert await get_session_information(made.get_handle()) is None


# -- supertokens_py.exceptions -----------------------------------------------------------------------


def test_a_text_or_a_foreign_error_is_raised_as_a_general_error() -> None:
    cause = LookupError("not here")
    with pytest.raises(GeneralError, match=r"^said$") as raised:
        raise_general_exception("said", cause)
    assert raised.value.__cause__ is cause
    with pytest.raises(GeneralError, match=r"^not here$") as raised:
        raise_general_exception(cause)
    assert raised.value.__cause__ is cause


def test_an_error_of_ours_is_raised_as_it_is() -> None:
    ours = EngineUnavailableError("away")
    with pytest.raises(EngineUnavailableError) as raised:
        raise_general_exception(ours)
    assert raised.value is ours


def test_a_bad_input_error_is_raised() -> None:
    with pytest.raises(BadInputError, match=r"^no such field$"):
        raise_bad_input_exception("no such field")


# -- supertokens_py.normalised_url_path --------------------------------------------------------------


def test_paths_are_texts_with_the_older_methods() -> None:
    path = NormalisedURLPath("http://a.com/auth/")
    assert path == path.get_as_string_dangerous() == "/auth"
    assert path.append(NormalisedURLPath("x")) == "/auth/x"
    assert path.equals(NormalisedURLPath("auth"))
    assert not path.equals(NormalisedURLPath("/auth/x"))
    assert path.startswith("/au")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("/recipe/x", True), ("/auth/recipe/x", True), ("/a/b/recipe", False), ("/recipes", False), ("", False)],
)
def test_a_recipe_path_has_recipe_at_its_front(text: str, expected: bool) -> None:
    assert NormalisedURLPath(text).is_a_recipe_path() is expected


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("jwt", "SuperTokensJWTError"),
        ("multitenancy", "MultitenancyError"),
        ("openid", "SuperTokensOpenIdError"),
        ("session", "SuperTokensSessionError"),
        ("usermetadata", "SuperTokensUserMetadataError"),
        ("userroles", "SuperTokensUserRolesError"),
    ],
)
def test_each_recipe_has_a_class_of_errors_to_catch(module: str, name: str) -> None:
    """Code that catches one of 0.24 goes on importing it."""
    kind = getattr(importlib.import_module(f"supertokens_py.recipe.{module}.exceptions"), name)
    assert issubclass(kind, SuperTokensError)


def test_the_module_of_the_app() -> None:
    """`supertokens_python.supertokens` was where many applications imported `Supertokens` from."""
    module = importlib.import_module("supertokens_py.supertokens")
    assert module.Supertokens is Supertokens
    assert module.InputAppInfo is InputAppInfo
    assert module.SupertokensConfig is SupertokensConfig


SIGN_IN = (
    "users sign in by emailpassword.init(), passwordless.init() or thirdparty.init(), or by means of your "
    "own that call create_new_session()"
)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("accountlinking", SIGN_IN),
        ("webauthn", SIGN_IN),
        ("oauth2provider", SIGN_IN),
        ("multifactorauth", SIGN_IN),
        ("totp", SIGN_IN),
        ("thirdpartyemailpassword", "list thirdparty.init() and emailpassword.init()"),
        ("thirdpartypasswordless", "list thirdparty.init() and passwordless.init()"),
        ("dashboard", "`supertokens admin` shows users and sessions"),
    ],
)
def test_what_is_missing_says_what_to_do(name: str, instead: str) -> None:
    """The page is named where the import fails; other names fail as in any module."""
    with pytest.raises(ImportError) as raised:
        exec(f"from supertokens_py.recipe import {name}")
    assert str(raised.value) == (
        f"supertokens_py.recipe has no {name}: in supertokens_py {instead}; "
        "see 'Recipes' on the page 'Moving from supertokens_python' (docs/moving.md)"
    )


def test_a_name_that_never_was_fails_as_in_any_module() -> None:
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from supertokens_py.recipe import nothing")
    assert not hasattr(importlib.import_module("supertokens_py.recipe"), "nothing")


@pytest.mark.parametrize("name", ["accountlinking", "accountlinking.interfaces", "dashboard.syncio"])
def test_a_missing_module_says_what_to_do(name: str) -> None:
    """However it is imported; another module that is not there is Python's to report."""
    missing = name.partition(".")[0]
    expected = rf"supertokens_py.recipe has no {missing}: .*docs/moving\.md"
    for statement in (f"import supertokens_py.recipe.{name}", f"from supertokens_py.recipe.{name} import x"):
        with pytest.raises(ModuleNotFoundError, match=expected) as raised:
            exec(statement)
        assert raised.value.name == f"supertokens_py.recipe.{missing}"
    with pytest.raises(ModuleNotFoundError, match="No module named"):
        importlib.import_module("supertokens_py.recipe.nothing")
