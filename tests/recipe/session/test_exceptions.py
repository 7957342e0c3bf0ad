"""The functions that raise session errors, as code written for older releases calls them."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError, GeneralError, SuperTokensError
from supertokens_py.recipe.session.exceptions import (
    ClaimValidationError,
    ClearDuplicateSessionCookiesError,
    DuplicateSessionCookiesError,
    InvalidClaimsError,
    SuperTokensSessionError,
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
    raise_clear_duplicate_session_cookies_exception,
    raise_invalid_claims_exception,
    raise_token_theft_exception,
    raise_try_refresh_token_exception,
    raise_unauthorised_exception,
)

pytestmark = pytest.mark.quick


def mutator(response: Any, user_context: dict[str, Any]) -> None:
    """What an application wants to do to the response of an error."""


@pytest.mark.parametrize(
    ("arguments", "clear_tokens", "mutators"),
    [((), True, []), ((False,), False, []), ((False, [mutator]), False, [mutator])],
)
def test_unauthorised_clears_tokens_unless_told_not_to(
    arguments: Any, clear_tokens: bool, mutators: list[Any]
) -> None:
    """The client forgets its tokens unless it is told not to."""
    with pytest.raises(UnauthorisedError) as caught:
        raise_unauthorised_exception("who?", *arguments)
    assert str(caught.value) == "who?"
    assert caught.value.clear_tokens is clear_tokens
    assert caught.value.response_mutators == mutators


def test_try_refresh_token() -> None:
    """From words, or from the error that was the cause; a session error is the answer already."""
    with pytest.raises(TryRefreshTokenError, match=r"^too old$") as caught:
        raise_try_refresh_token_exception("too old")
    assert caught.value.__cause__ is None
    cause = LookupError("no such key")
    with pytest.raises(TryRefreshTokenError, match=r"^no such key$") as caught:
        raise_try_refresh_token_exception(cause)
    assert caught.value.__cause__ is cause
    known = UnauthorisedError("gone")
    with pytest.raises(UnauthorisedError) as unauthorised:
        raise_try_refresh_token_exception(known)
    assert unauthorised.value is known


def test_a_token_theft_names_user_and_session() -> None:
    """It names the user and the session."""
    with pytest.raises(TokenTheftError, match=r"^token theft detected$") as caught:
        raise_token_theft_exception("ada", "handle")
    assert (caught.value.user_id, caught.value.session_handle) == ("ada", "handle")
    assert (caught.value.recipe_user_id, caught.value.reason) == ("ada", None)


def test_invalid_claims_carry_every_failure() -> None:
    """It carries every failure."""
    failures = [ClaimValidationError("a", {"message": "no"}), ClaimValidationError("b", None)]
    with pytest.raises(InvalidClaimsError, match=r"^not yet$") as caught:
        raise_invalid_claims_exception("not yet", failures)
    assert caught.value.payload is failures


def test_duplicate_cookies_carry_what_expires_the_older_one() -> None:
    """It carries what expires the older cookie."""
    with pytest.raises(ClearDuplicateSessionCookiesError, match=r"^twice$") as caught:
        raise_clear_duplicate_session_cookies_exception("twice", [mutator])
    assert caught.value.response_mutators == [mutator]


def test_one_class_catches_them_all() -> None:
    """And it is an error of the SDK; a failed claim by itself is no exception."""
    kinds = [UnauthorisedError, TryRefreshTokenError, TokenTheftError, InvalidClaimsError]
    assert all(issubclass(kind, SuperTokensSessionError) for kind in kinds)
    assert issubclass(SuperTokensSessionError, SuperTokensError)
    assert not issubclass(ClaimValidationError, Exception)


def test_duplicate_cookies_are_a_setting_to_mend() -> None:
    """Who caught the error of 0.24 in a view that refreshes still does."""
    error = DuplicateSessionCookiesError("twice")
    assert isinstance(error, GeneralError)
    assert isinstance(error, ConfigError)
    assert (str(error), error.code, error.response_mutators) == ("twice", "duplicate_cookies", [])
