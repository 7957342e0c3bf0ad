"""What a session knows from its access token alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from supertokens_py.engine.device_keys import thumbprint_in
from supertokens_py.engine.records import Regenerated
from supertokens_py.exceptions import GeneralError
from supertokens_py.tokens.access_token import AccessToken, parse_access_token
from supertokens_py.types.base import RecipeUserId

from ..results import AccessTokenObj
from .reserved_claims import GUEST_KEY, actor_of
from .typed_payloads import read_payload
from .writer import front_token

Q = TypeVar("Q")
if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault

    P = TypeVarWithDefault("P", covariant=True, default=dict[str, Any])
else:
    P = TypeVar("P", covariant=True)  # `typing` has no defaults before 3.13


def issued_token(text: str) -> AccessToken:
    """Return an access token that has just been issued.

    Raises:
        GeneralError: it cannot be parsed.
    """
    token = parse_access_token(text)
    if token is None:
        raise GeneralError("the engine issued an access token that this release cannot read")
    return token


def new_token(regenerated: Regenerated) -> AccessTokenObj | None:
    """Return the token that carries a changed payload; None where the presented one had expired."""
    issued = regenerated.access_token
    if issued is None:
        return None
    return AccessTokenObj(
        issued.text, issued.expires_ms, issued.created_ms, persistent=regenerated.persistent
    )


class TokenContents(Generic[P]):
    """Reads from an access token, which costs nothing: no call of the engine.

    `P` is the type of its payload.
    """

    _token: AccessToken
    _payload: dict[str, Any] | None = None  #: parsed when asked for, once
    _payload_type: type[Any] | None = None

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
    def is_guest(self) -> bool:
        """Whether this is the session of a visitor who has not signed in (`create_guest_session`)."""
        return GUEST_KEY in self._token.payload

    @property
    def impersonator(self) -> str | None:
        """The id of who acts as the user (`create_impersonation_session`); None for the user themselves."""
        return actor_of(self._token.payload)

    @property
    def bound_key(self) -> str | None:
        """The thumbprint (RFC 7638) of the device's key that the session is bound to; None: to none.

        Only with `session.init(device_binding=...)`; `verify_session` has checked the proof then.
        """
        return thumbprint_in(self._token.payload)

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

    @property
    def payload(self) -> P:
        """The payload as `verify_session(payload=)` wants it, else a dict; see `get_access_token_payload`.

        It is read anew each time. Changes to it are not kept: `merge_into_access_token_payload` is.

        Raises:
            PayloadTypeError: a change since the verification does not fit.
        """
        kind = self._payload_type
        return cast("P", self.get_access_token_payload() if kind is None else self.payload_as(kind))

    def payload_as(self, kind: type[Q]) -> Q:
        """Return the payload as a dataclass or pydantic model, whose fields are checked, or as a TypedDict.

        Raises:
            PayloadTypeError: it does not fit; names the field.
            ConfigError: `kind` is something else.
        """
        return read_payload(kind, self.get_access_token_payload())

    def type_payload(self, kind: type[Any]) -> None:
        """Have `payload` be a `kind` from now on; raises as `payload_as` does."""
        self.payload_as(kind)
        self._payload_type = kind
