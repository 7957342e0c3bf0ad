"""What a session knows from its access token alone."""

from __future__ import annotations

import json
from typing import Any, cast

from supertokens_py.exceptions import GeneralError
from supertokens_py.tokens.access_token import AccessToken, parse_access_token
from supertokens_py.types.base import RecipeUserId

from .token_writer import front_token


def issued_token(text: str) -> AccessToken:
    """Return an access token that has just been issued.

    Raises:
        GeneralError: it is none.
    """
    token = parse_access_token(text)
    if token is None:
        raise GeneralError("the engine issued an access token that this release cannot read")
    return token


class TokenContents:
    """Reads from an access token, which costs nothing: no call of the engine."""

    _token: AccessToken
    _payload: dict[str, Any] | None = None  #: parsed when asked for, once

    @property
    def access_token(self) -> str:
        """The raw JWT."""
        return self._token.text

    @property
    def front_token(self) -> str:
        """The front token, which is what the frontend reads."""
        return front_token(self._token)

    @property
    def session_handle(self) -> str:
        """The session's constant id."""
        return self._token.handle

    @property
    def user_id(self) -> str:
        """The user's id."""
        return self._token.user_id

    @property
    def recipe_user_id(self) -> RecipeUserId:
        """The id of the user's login method; equal to the user id without account linking."""
        return RecipeUserId(self._token.recipe_user_id)

    @property
    def tenant_id(self) -> str:
        """The tenant that the session belongs to."""
        return self._token.tenant_id

    @property
    def user_data_in_access_token(self) -> dict[str, Any]:
        """The payload; see `get_access_token_payload`."""
        return self.get_access_token_payload()

    def get_user_id(self, user_context: dict[str, Any] | None = None) -> str:
        """Return the user's id."""
        return self._token.user_id

    def get_recipe_user_id(self, user_context: dict[str, Any] | None = None) -> RecipeUserId:
        """Return the id of the user's login method."""
        return RecipeUserId(self._token.recipe_user_id)

    def get_tenant_id(self, user_context: dict[str, Any] | None = None) -> str:
        """Return the tenant, "public" without multitenancy."""
        return self._token.tenant_id

    def get_handle(self, user_context: dict[str, Any] | None = None) -> str:
        """Return the session's constant id."""
        return self._token.handle

    def get_access_token(self, user_context: dict[str, Any] | None = None) -> str:
        """Return the raw JWT."""
        return self._token.text

    def get_access_token_payload(self, user_context: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the whole payload, protected claims included. It is this session's own copy."""
        payload = self._payload
        if payload is None:
            payload = self._payload = cast("dict[str, Any]", json.loads(self._token.payload_json))
        return payload
