"""The functions, in both colours; the users of the whole app."""

from __future__ import annotations

from importlib import util
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, init
from supertokens_py import syncio as app
from supertokens_py.exceptions import BadInputError, ConfigError, GeneralError
from supertokens_py.recipe import emailpassword, session
from supertokens_py.recipe.emailpassword import InputFormField, InputSignUpFeature, recipe
from supertokens_py.recipe.emailpassword import syncio as users
from supertokens_py.recipe.emailpassword.interfaces import (
    ConsumePasswordResetTokenOkResult,
    CreateResetPasswordLinkOkResult,
    CreateResetPasswordOkResult,
    EmailAlreadyExistsError,
    PasswordPolicyViolationError,
    PasswordResetTokenInvalidError,
    SendResetPasswordEmailOkResult,
    SignInOkResult,
    SignUpOkResult,
    UnknownUserIdError,
    UpdateEmailOrPasswordOkResult,
    WrongCredentialsError,
)
from supertokens_py.types import AccountInfo, RecipeUserId, ThirdPartyInfo, User

from .conftest import ADDRESS, PASSWORD, Outbox, Start

LOCAL = InputAppInfo("A", "http://localhost", website_domain="http://localhost")


def signed_up(email: str = ADDRESS) -> User:
    result = users.sign_up("public", email, PASSWORD)
    assert isinstance(result, SignUpOkResult)
    assert result.recipe_user_id.get_as_string() == result.user.id
    return result.user


def test_sign_up_and_sign_in(start: Start) -> None:
    start()
    user = signed_up()
    result = users.sign_in("public", ADDRESS, PASSWORD)
    assert isinstance(result, SignInOkResult)
    assert result == SignInOkResult(user, RecipeUserId(user.id))
    assert users.verify_credentials("public", ADDRESS, PASSWORD) == result
    assert isinstance(users.sign_in("public", ADDRESS, "wrong"), WrongCredentialsError)
    assert isinstance(users.sign_up("public", ADDRESS, PASSWORD), EmailAlreadyExistsError)
    assert User.from_json(user.to_json()) == user


def test_users_are_found(start: Start) -> None:
    start()
    ada, bob = signed_up(), signed_up("bob@other.example")
    assert users.get_user_by_id(ada.id) == app.get_user(RecipeUserId(ada.id)) == ada
    assert users.get_user_by_email("public", "ADA@example.com") == ada
    assert users.get_user_by_id("nobody") is app.get_user("nobody") is app.get_user("a\0") is None
    assert users.get_user_by_email("nowhere", ADDRESS) is None
    both = AccountInfo(email=ADDRESS, third_party=ThirdPartyInfo("1", "google"))
    assert app.list_users_by_account_info("public", AccountInfo(email=f" {ADDRESS}")) == [ada]
    assert app.list_users_by_account_info("public", both) == []
    assert app.list_users_by_account_info("public", both, True) == [ada]
    assert app.list_users_by_account_info("public", AccountInfo(phone_number="+1")) == []
    assert app.get_user_count() == app.get_user_count(["emailpassword"], "public") == 2
    assert app.get_user_count(["thirdparty"]) == app.get_user_count(tenant_id="nowhere") == 0
    app.delete_user(bob.id, True, {})
    app.delete_user(bob.id, {})
    assert app.get_users_oldest_first("public").users == [ada]


def test_users_are_listed(start: Start) -> None:
    start()
    ada, bob = signed_up(), signed_up("bob@other.example")
    page = app.get_users_newest_first("public", limit=1, include_recipe_ids=["emailpassword"])
    rest = app.get_users_newest_first("public", 1, page.next_pagination_token)
    assert {user.id for user in [*page.users, *rest.users]} == {ada.id, bob.id}
    assert rest.next_pagination_token is None
    for query, found in (("ada", [ada]), ("other.ex", [bob]), ("example.com", [ada]), ("da@", [])):
        assert app.get_users_oldest_first("public", query={"email": query}).users == found, query
    for wrong in (
        {"limit": 0},
        {"limit": 501},
        {"pagination_token": "x"},
        {"pagination_token": "eA=="},
        {"include_recipe_ids": ["x"]},
        {"query": {"name": "1"}},
    ):
        with pytest.raises(BadInputError):
            app.get_users_oldest_first("public", **wrong)  # type: ignore[arg-type]


def test_password_reset(start: Start, outbox: Outbox) -> None:
    start()
    user = signed_up()
    link = users.create_reset_password_link("public", user.id, {})
    assert isinstance(link, CreateResetPasswordLinkOkResult)
    assert link == link.link
    assert link.startswith("http://example.com/auth/reset-password?token=")
    assert isinstance(users.send_reset_password_email("public", user.id), SendResetPasswordEmailOkResult)
    assert outbox.sent[0].user.email == ADDRESS
    made = users.create_reset_password_token("public", user.id, ADDRESS)
    assert isinstance(made, CreateResetPasswordOkResult)
    weak = users.reset_password_using_token("public", made.token, "weak")
    assert isinstance(weak, PasswordPolicyViolationError)
    done = users.reset_password_using_token("public", made.token, "another horse 2")
    assert isinstance(done, UpdateEmailOrPasswordOkResult)
    assert done.user_id == user.id
    again = users.reset_password_using_token("public", outbox.token, "another horse 2")
    assert isinstance(again, PasswordResetTokenInvalidError)
    made = users.create_reset_password_token("public", user.id)
    assert isinstance(made, CreateResetPasswordOkResult)
    used = users.consume_password_reset_token("public", made.token)
    assert isinstance(used, ConsumePasswordResetTokenOkResult)
    assert (used.user_id, used.email) == (user.id, ADDRESS)
    for unknown in (
        users.create_reset_password_link("public", "nobody"),
        users.create_reset_password_token("public", "nobody"),
        users.send_reset_password_email("public", "nobody"),
    ):
        assert isinstance(unknown, UnknownUserIdError)


def test_address_and_password_are_changed(start: Start) -> None:
    start()
    user = signed_up()
    signed_up("bob@example.com")
    change = users.update_email_or_password
    assert isinstance(change(user.id, password="weak"), PasswordPolicyViolationError)
    assert isinstance(
        change(user.id, password="weak", apply_password_policy=False), UpdateEmailOrPasswordOkResult
    )
    assert isinstance(users.sign_in("public", ADDRESS, "weak"), SignInOkResult)
    assert isinstance(change(user_id=user.id, email="bob@example.com"), EmailAlreadyExistsError)
    assert isinstance(change(user.id, "new@example.com"), UpdateEmailOrPasswordOkResult)
    assert isinstance(change("nobody", "new2@example.com"), UnknownUserIdError)
    with pytest.raises(TypeError, match="recipe_user_id"):
        change(email="x@example.com")


def test_a_change_is_made_only_where_the_verified_password_is_still_the_users(start: Start) -> None:
    """A reset between the two calls: the former password allows nothing any more."""
    start()
    user = signed_up()
    checked = users.verify_credentials("public", ADDRESS, PASSWORD)
    assert isinstance(checked, SignInOkResult)
    assert "proof" not in repr(checked)
    made = users.create_reset_password_token("public", user.id, ADDRESS)
    assert isinstance(made, CreateResetPasswordOkResult)
    users.reset_password_using_token("public", made.token, "another horse 2")
    change = users.update_email_or_password
    for changes in ({"password": "evil horse 1"}, {"email": "eve@example.com"}):
        refused = change(user.id, **changes, verified=checked)
        assert isinstance(refused, WrongCredentialsError)
    checked = users.verify_credentials("public", ADDRESS, "another horse 2")
    assert isinstance(checked, SignInOkResult)
    done = change(user.id, password="third horse 3", verified=checked)
    assert isinstance(done, UpdateEmailOrPasswordOkResult)
    assert isinstance(users.sign_in("public", ADDRESS, "third horse 3"), SignInOkResult)


@pytest.mark.usefixtures("start")  # which leaves no application
def test_without_the_recipe_there_are_no_users() -> None:
    init(LOCAL, recipe_list=[session.init()])
    with pytest.raises(GeneralError, match=r"emailpassword\.init\(\) in recipe_list"):
        users.sign_in("public", ADDRESS, PASSWORD)


def test_it_needs_the_session_recipe() -> None:
    Supertokens.reset()
    with pytest.raises(GeneralError, match=r"^recipe_list has no session\.init\(\)$"):
        init(LOCAL, recipe_list=[emailpassword.init()])
    assert Supertokens.current() is None


@pytest.mark.parametrize(
    "settings",
    [
        {"sign_up_feature": []},
        {"override": 1},
        {"email_delivery": 1},
        {"password_policy": None},
        {"revoke_sessions_on_password_reset": "no"},
    ],
)
def test_a_setting_of_another_type_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        emailpassword.init(**settings)


def test_fields_are_checked_at_init(start: Start) -> None:
    with pytest.raises(ConfigError, match="two fields 'age'"):
        start(sign_up_feature=InputSignUpFeature([InputFormField("age"), InputFormField("age")]))
    with pytest.raises(ConfigError, match="list of InputFormField"):
        start(sign_up_feature=InputSignUpFeature(["age"]))  # type: ignore[list-item]


def test_what_is_missing_says_how_to_install_it(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "find_spec", lambda name: None if name == "bcrypt" else util.find_spec(name))
    with pytest.raises(ConfigError, match="the extra 'emailpassword'"):
        start()
