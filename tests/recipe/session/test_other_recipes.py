"""What recipes of an application add to the session recipe: claims, validators, verifications."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.session.exceptions import InvalidClaimsError, UnauthorisedError
from supertokens_py.runtime.bridge import blocking

from .conftest import Start

VERIFIED = BooleanClaim("verified", lambda user_id, *_: user_id == "ada")


@pytest.fixture
def recipe(start: Start) -> SessionRecipe:
    start()
    return SessionRecipe.get_instance()


def new(user_id: str) -> Any:
    return sessions.create_new_session_without_request_response("public", user_id)


def test_a_claim_is_in_every_new_session(recipe: SessionRecipe) -> None:
    """Each key once."""
    recipe.add_claim_from_other_recipe(VERIFIED)
    assert recipe.get_claims_added_by_other_recipes() == [VERIFIED]
    assert [new(user).sync_get_claim_value(VERIFIED) for user in ("ada", "bob")] == [True, False]
    with pytest.raises(ConfigError, match=r"^Claim added by multiple recipes: verified$"):
        recipe.add_claim_from_other_recipe(BooleanClaim("verified", lambda *_: True))
    assert recipe.get_claims_added_by_other_recipes() == [VERIFIED]


def test_a_validator_judges_every_verification(recipe: SessionRecipe) -> None:
    """Without a word in any route."""
    validator = VERIFIED.validators.is_true()
    recipe.add_claim_validator_from_other_recipe(validator)
    assert recipe.get_claim_validators_added_by_other_recipes() == [validator]
    check = sessions.get_session_without_request_response
    found = check(new("ada").get_access_token())
    assert found is not None
    with pytest.raises(InvalidClaimsError) as caught:
        check(new("bob").get_access_token())
    assert [failure.id for failure in caught.value.payload] == ["verified"]


def test_a_recipe_verifies_a_request(recipe: SessionRecipe) -> None:
    """As every framework's `verify_session` does, argument by argument."""
    verify = blocking(recipe.verify_session)

    def request(*headers: tuple[bytes, bytes]) -> Any:
        return as_base_request(
            Request({"type": "http", "method": "GET", "path": "/x", "headers": list(headers)})
        )

    session = new("ada")
    bearer = (b"authorization", b"Bearer " + session.get_access_token().encode())
    found = verify(request(bearer), None, True, False, None, {})
    assert found is not None
    assert found.get_handle() == session.get_handle()
    assert verify(request(), None, False, False, None, {}) is None
    with pytest.raises(UnauthorisedError, match="Session does not exist"):
        verify(request(), None, True, False, None, {})
    with pytest.raises(InvalidClaimsError):
        verify(request(bearer), None, True, False, lambda *_: [VERIFIED.validators.is_false()], {})
    session.sync_revoke_session()
    assert verify(request(bearer), None, True, False, None, {}) is not None
    with pytest.raises(UnauthorisedError):
        verify(request(bearer), None, True, True, None, {})
