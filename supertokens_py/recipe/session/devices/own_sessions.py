"""What a session may do with those of its user."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Final, Protocol

from supertokens_py.engine.arguments import require_list, require_strings
from supertokens_py.engine.session_records import Ending
from supertokens_py.runtime.bridge import blocking
from supertokens_py.types.base import context_of

from ..claim_validation.refusals import refuse_impersonation
from ..results import Device, SessionInformationResult
from ..session_tokens.contents import P, TokenContents
from .revocation_reason import ending

#: Ended by the user, in a list of their devices.
BY_USER: Final[Ending] = Ending(reason="user")


class UserFunctions(Protocol):
    """The functions of the recipe that are about the sessions of a user; see `RecipeInterface`."""

    async def list_sessions(
        self, user_id: str, tenant_id: str, across_all_tenants: bool, user_context: dict[str, Any]
    ) -> list[SessionInformationResult]: ...

    async def revoke_other_sessions(
        self, session_handle: str, across_all_tenants: bool, user_context: dict[str, Any]
    ) -> list[str]: ...

    async def revoke_multiple_sessions(
        self, session_handles: list[str], user_context: dict[str, Any]
    ) -> list[str]: ...

    async def revoke_all_sessions_for_user(
        self, user_id: str, tenant_id: str, revoke_across_all_tenants: bool, user_context: dict[str, Any]
    ) -> list[str]: ...

    async def get_all_session_handles_for_user(
        self, user_id: str, tenant_id: str, fetch_across_all_tenants: bool, user_context: dict[str, Any]
    ) -> list[str]: ...


class OwnSessions(TokenContents[P]):
    """What a session may do with those of its user, in every tenant.

    Whoever acts as the user may look at them, and end none but this one, by `revoke_session`: the other
    functions raise ImpersonationRefusedError.
    """

    @property
    @abstractmethod
    def recipe_implementation(self) -> UserFunctions:
        """The functions that this session uses, with your overrides."""

    @property
    @abstractmethod
    def _reserved(self) -> frozenset[str]:
        """The claims that only the SDK writes, besides the protected ones."""

    @abstractmethod
    async def revoke_session(self, user_context: dict[str, Any] | None = None) -> None:
        """End the session."""

    async def list_sessions(
        self, user_context: dict[str, Any] | None = None
    ) -> list[SessionInformationResult]:
        """Return the live sessions of this user with their devices, the most recently seen first.

        This session's has `device.current`. The session data is left out (`{}`).
        """
        functions, context = self.recipe_implementation, context_of(user_context)
        found = await functions.list_sessions(self.user_id, self.tenant_id, True, context)
        for one in found:
            device = one.device or Device()
            one.device = replace(device, current=one.session_handle == self.session_handle)
        return found

    async def revoke_others(self, user_context: dict[str, Any] | None = None) -> list[str]:
        """End every other session of this user; return the handles of those that existed.

        None is ended where this session has ended itself.
        """
        self._require_user()
        with ending(BY_USER):
            return await self.recipe_implementation.revoke_other_sessions(
                self.session_handle, True, context_of(user_context)
            )

    async def revoke_one(self, session_handle: str, user_context: dict[str, Any] | None = None) -> bool:
        """End one session of this user, which may be this one; return whether there was one.

        Another user's session counts as none. None is ended where this session has ended itself.
        """
        require_strings(session_handle=session_handle)
        return await self.revoke_some([session_handle], user_context) != []

    async def revoke_some(
        self, session_handles: list[str], user_context: dict[str, Any] | None = None
    ) -> list[str]:
        """End sessions of this user, as `revoke_one` does; return the handles of those that existed."""
        require_list("session_handles", session_handles)
        self._require_user()
        functions, context = self.recipe_implementation, context_of(user_context)
        known = await functions.get_all_session_handles_for_user(self.user_id, self.tenant_id, True, context)
        if self.session_handle not in known:
            return []
        own = [handle for handle in dict.fromkeys(session_handles) if handle in known]
        others = [handle for handle in own if handle != self.session_handle]
        with ending(BY_USER):
            revoked = await functions.revoke_multiple_sessions(others, context) if others else []
            if self.session_handle in own:
                await self.revoke_session(context)
                revoked = [*revoked, self.session_handle]
        return revoked

    async def revoke_all(self, user_context: dict[str, Any] | None = None) -> list[str]:
        """End every session of this user and this one; an attached request's client drops its tokens."""
        self._require_user()
        functions, context = self.recipe_implementation, context_of(user_context)
        with ending(BY_USER):
            revoked = await functions.revoke_all_sessions_for_user(
                self.user_id, self.tenant_id, True, context
            )
            await self.revoke_session(context)
        return revoked

    def _require_user(self) -> None:
        refuse_impersonation(self.impersonator, self._reserved)

    sync_list_sessions: Final = blocking(list_sessions)
    sync_revoke_others: Final = blocking(revoke_others)
    sync_revoke_one: Final = blocking(revoke_one)
    sync_revoke_some: Final = blocking(revoke_some)
    sync_revoke_all: Final = blocking(revoke_all)
