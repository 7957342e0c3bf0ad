"""The sessions of tokens that the engine has just issued."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.records import IssuedSession, Unauthorised
from supertokens_py.payloads import custom_claims, validate_payload_update
from supertokens_py.recipe_module import App

from ..container import GONE, Parts, SessionContainer
from ..container_parts import MergePayload
from ..exceptions import UnauthorisedError
from ..functions import RecipeInterface
from ..policy.issuers import Issuers
from ..results import AccessTokenObj, TokenInfo
from ..session_tokens.contents import issued_token, new_token


class IssuedSessions:
    """Makes the containers of issued tokens, and has tokens issued again with another payload."""

    def __init__(self, app: App, parts: Parts, issuers: Issuers) -> None:
        self._app = app
        self._parts = parts
        self._issuers = issuers

    def of_issued(self, issued: IssuedSession) -> SessionContainer:
        """Return the container of a session that the engine has just issued tokens for."""
        refresh = issued.refresh_token
        return SessionContainer(
            self._parts,
            issued.access_token.parsed or issued_token(issued.access_token.text),
            refresh_token=TokenInfo(refresh.text, refresh.expires_ms, refresh.created_ms),
            anti_csrf_token=issued.anti_csrf_token,
            updated=True,
            persistent=issued.persistent,
        )

    async def of_refreshed(self, issued: IssuedSession, user_context: dict[str, Any]) -> SessionContainer:
        """Return the container of a refreshed session, with an `iss` that this app accepts.

        The payload is stored with the `iss` of the API domain under which the session was created. Where that
        changed, it is replaced by one's own, so that a refresh leads to a token that is accepted. Where it is
        missing (an old release, a removed claim) it is added: a token without is accepted by clones as well.

        Raises:
            UnauthorisedError: the session is gone, or the engine refuses to sign its payload.
        """
        issuer = issued.payload.get("iss")
        if issuer is not None and self._issuers.accepts(issuer):
            return self.of_issued(issued)
        renewed = await call_engine(
            user_context,
            self._app.engine.sessions.regenerate,
            issued.access_token.text,
            merge={"iss": self._issuers.own},
        )
        if isinstance(renewed, Unauthorised):
            raise _refused(renewed)
        token = renewed.access_token or issued.access_token
        return self.of_issued(replace(issued, payload=renewed.payload, access_token=token))

    async def merge_payload(
        self, access_token: str, _: dict[str, Any], update: dict[str, Any], user_context: dict[str, Any]
    ) -> tuple[AccessTokenObj | None, dict[str, Any]]:
        """Merge into a session's payload; return the new token, if any, and the custom claims.

        The engine merges into what is stored, so changes made meanwhile elsewhere are kept.

        Raises:
            UnauthorisedError: the session is gone, or the engine refuses; the code says why.
        """
        regenerated = await call_engine(
            user_context, self._app.engine.sessions.regenerate, access_token, merge=update
        )
        if isinstance(regenerated, Unauthorised):
            raise _refused(regenerated)
        return new_token(regenerated), regenerated.payload


def _refused(refusal: Unauthorised) -> UnauthorisedError:
    """Return the error of a payload that the engine did not sign; the message of a session gone is 0.24's."""
    message = GONE if refusal.code == "session_gone" else refusal.message
    return UnauthorisedError(message, code=refusal.code)


def merge_by(functions: RecipeInterface) -> MergePayload:
    """Return a merge for applications that replaced `regenerate_access_token`: it gets the merged payload."""

    async def merge(
        access_token: str, payload: dict[str, Any], update: dict[str, Any], user_context: dict[str, Any]
    ) -> tuple[AccessTokenObj | None, dict[str, Any]]:
        validate_payload_update(update)
        merged = {**payload, **update}
        custom = custom_claims({name: value for name, value in merged.items() if value is not None})
        result = await functions.regenerate_access_token(access_token, custom, user_context)
        if result is None:
            raise UnauthorisedError(GONE, code="session_gone")
        return result.access_token, result.session.user_data_in_jwt

    return merge
