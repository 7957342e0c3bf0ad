"""What of a core's answers is checked here, so that no former address or other password opens anything."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.user_records import ConsumedToken, PasswordProof, ProofExpired
from supertokens_py.exceptions import EngineUnavailableError
from tests.engine.remote.cores import Core, engine_over

METHOD = {
    "recipeId": "emailpassword",
    "recipeUserId": "own",
    "tenantIds": ["public"],
    "timeJoined": 5,
    "verified": True,
    "email": "ada@example.com",
}
USER: dict[str, Any] = {
    "id": "primary",
    "isPrimaryUser": True,
    "tenantIds": ["public"],
    "timeJoined": 5,
    "emails": ["ada@example.com"],
    "phoneNumbers": [],
    "thirdParty": [],
    "webauthn": {"credentialIds": []},
    "loginMethods": [METHOD],
}


def core_with(**answers: Any) -> Core:
    return Core({"GET /user/id": {"status": "OK", "user": USER}, **answers})


@pytest.mark.parametrize(("sent_to", "is_used"), [("ada@example.com", True), ("ada@old.example", False)])
def test_a_token_for_a_former_address_sets_no_password(sent_to: str, is_used: bool) -> None:
    """A core that changes an address keeps the tokens that it sent to the former one."""
    consumed = {"status": "OK", "userId": "own", "email": sent_to}
    core = core_with(**{"POST /public/recipe/user/password/reset/token/consume": consumed})
    used = engine_over(core).email_password.consume_reset_token("public", "t" * 128)
    assert used == (ConsumedToken("own", sent_to) if is_used else None)


@pytest.mark.parametrize(("proven_by", "is_done"), [("own", True), ("primary", True), ("bob", False)])
def test_a_password_of_another_user_allows_no_change(proven_by: str, is_done: bool) -> None:
    """A core cannot say that the password was changed meanwhile; whose it was needs no core."""
    core = core_with(**{"PUT /recipe/user": {"status": "OK"}})
    change = engine_over(core).email_password.update
    result = change(
        "own", email="eve@example.com", password=None, revoke_sessions=False, proof=PasswordProof(proven_by)
    )
    assert result == (None if is_done else ProofExpired())
    assert ("PUT /recipe/user" in core.asked) is is_done


def test_sessions_end_before_anything_else_may_fail() -> None:
    """The password is new: whoever had the former one is out, whatever the core answers next."""
    core = core_with(
        **{
            "PUT /recipe/user": {"status": "OK"},
            "POST /public/recipe/signin": {"status": "WRONG_CREDENTIALS_ERROR"},
        }
    )
    core.answers["POST /public/recipe/session/remove"] = {"status": "OK", "sessionHandlesRevoked": []}
    users = engine_over(core).email_password
    assert users.authenticate("public", "ada@example.com", "wrong 1") is None  # a count, to be forgotten
    core.answers["GET /user/id"] = (500, "away")
    with pytest.raises(EngineUnavailableError):
        users.update("own", email=None, password="new horse 2", revoke_sessions=True)
    assert "POST /public/recipe/session/remove" in core.asked
