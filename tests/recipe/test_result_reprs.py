"""What functions answer with shows in a test, a log or a shell what it is, and no secret."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import Any

import pytest

from supertokens_py import recipe
from supertokens_py.recipe.emailpassword import results as emailpassword
from supertokens_py.recipe.emailverification import results as emailverification
from supertokens_py.recipe.passwordless import results as passwordless
from supertokens_py.recipe.session import results as session
from supertokens_py.recipe.session.exceptions import ClaimValidationError
from supertokens_py.recipe.sign_in.outcomes import Outcome
from supertokens_py.recipe.userroles.interfaces import UnknownRoleError
from supertokens_py.types import User
from supertokens_py.types.response import APIResponse, GeneralErrorResponse

#: Where recipes keep them; `interfaces` of a recipe may give further names to some.
MODULES = ("results", "interfaces", "exceptions", "api", "outcomes", "lifecycle.impersonation", "addresses")


def results() -> list[type[Any]]:
    """Return every class of a recipe that is named as a result, or is an answer of an API."""
    found: set[type[Any]] = set()
    for package in pkgutil.iter_modules(recipe.__path__, f"{recipe.__name__}."):
        for name in MODULES:
            if package.ispkg and (module := imported(f"{package.name}.{name}")):
                found.update(one for _, one in inspect.getmembers(module, is_result))
    return sorted(found, key=lambda one: (one.__module__, one.__name__))


def imported(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return None


def is_result(one: object) -> bool:
    if not inspect.isclass(one) or issubclass(one, BaseException) or one is APIResponse:
        return False
    if issubclass(one, APIResponse):
        return True
    is_ours = one.__module__.startswith(recipe.__name__)
    return is_ours and one.__name__.endswith(("Result", "Error", "Response"))


def test_no_result_is_an_address_in_memory() -> None:
    found = results()
    assert len(found) > 100
    assert [one.__qualname__ for one in found if one.__repr__ is object.__repr__] == []


ADA = User(id="1", is_primary_user=True, login_methods=[])


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (emailpassword.SendResetPasswordEmailOkResult(), "SendResetPasswordEmailOkResult()"),
        (emailpassword.WrongCredentialsError(), "WrongCredentialsError()"),
        (UnknownRoleError(), "UnknownRoleError()"),
        (session.SessionDoesNotExistError(), "SessionDoesNotExistError()"),
        (
            emailpassword.PasswordPolicyViolationError("too short"),
            "PasswordPolicyViolationError(failure_reason='too short')",
        ),
        (GeneralErrorResponse("not now"), "GeneralErrorResponse(message='not now')"),
        (ClaimValidationError("plan", None), "ClaimValidationError(id='plan', reason=None)"),
        (session.ClaimValidationResult(True), "ClaimValidationResult(is_valid=True, reason={})"),
        (
            passwordless.ConsumeCodeOkResult(True, ADA),
            f"ConsumeCodeOkResult(created_new_recipe_user=True, user={ADA!r}, recipe_user_id='1', "
            "consumed_device=None)",
        ),
    ],
)
def test_a_result_names_its_class_and_fields(result: object, shown: str) -> None:
    assert repr(result) == shown


class Ours(Outcome):
    """A result with something that only the class itself knows."""

    def __init__(self) -> None:
        self._kept = "for nobody"


@pytest.mark.parametrize(
    "result",
    [
        emailpassword.CreateResetPasswordOkResult("hush"),
        emailpassword.CreateResetPasswordLinkOkResult("http://example.com/?token=hush"),
        emailverification.CreateEmailVerificationTokenOkResult("hush"),
        passwordless.CreateCodeOkResult("1", "1", "hush", "hush", "hush", 1, 1),
        Ours(),
    ],
)
def test_no_result_shows_a_secret(result: object) -> None:
    assert "hush" not in repr(result)
    assert "nobody" not in repr(result)
