"""What the session functions do with the sessions of one user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.device_keys import thumbprint_in
from supertokens_py.engine.session_records import Details, ListedSession
from supertokens_py.payloads import custom_claims

from ..results import Device, SessionInformationResult
from .revocation_reason import current_ending

if TYPE_CHECKING:
    from supertokens_py.engine.interface import Sessions

_UNKNOWN: Final = Details()


class _Functions(Protocol):
    """What these functions build on, overrides included."""

    @property
    def _sessions(self) -> Sessions: ...

    async def get_session_information(
        self, session_handle: str, user_context: dict[str, Any]
    ) -> SessionInformationResult | None: ...


class UserSessionFunctions:
    """The part of `RecipeInterface` that is about all sessions of a user."""

    async def revoke_all_sessions_for_user(
        self: _Functions,
        user_id: str,
        tenant_id: str,
        revoke_across_all_tenants: bool,
        user_context: dict[str, Any],
        revoke_sessions_for_linked_accounts: bool = True,
    ) -> list[str]:
        """Revoke a user's sessions, by default those of linked login methods too; return their handles.

        Sessions of others in which the user acts end as well.
        """
        tenant = None if revoke_across_all_tenants else tenant_id
        return await call_engine(
            user_context,
            self._sessions.revoke_user,  # pyright: ignore[reportPrivateUsage]
            user_id,
            tenant_id=tenant,
            linked_accounts=revoke_sessions_for_linked_accounts,
            ending=current_ending(),
        )

    async def get_all_session_handles_for_user(
        self: _Functions,
        user_id: str,
        tenant_id: str,
        fetch_across_all_tenants: bool,
        user_context: dict[str, Any],
        fetch_sessions_for_linked_accounts: bool = True,
    ) -> list[str]:
        """Return the handles of a user's sessions, by default those of linked login methods too."""
        tenant = None if fetch_across_all_tenants else tenant_id
        return await call_engine(
            user_context,
            self._sessions.user_handles,  # pyright: ignore[reportPrivateUsage]
            user_id,
            tenant_id=tenant,
            linked_accounts=fetch_sessions_for_linked_accounts,
        )

    async def list_sessions(
        self: _Functions,
        user_id: str,
        tenant_id: str,
        across_all_tenants: bool,
        user_context: dict[str, Any],
    ) -> list[SessionInformationResult]:
        """Return the live sessions of a user with their devices, the most recently seen first.

        The session data is left out (`{}`). It is one statement, or at an official core one call for each of
        the last hundred.
        """
        tenant = None if across_all_tenants else tenant_id
        found = await call_engine(
            user_context,
            self._sessions.listed,  # pyright: ignore[reportPrivateUsage]
            user_id,
            tenant_id=tenant,
        )
        return [_listed(one) for one in found]

    async def revoke_other_sessions(
        self: _Functions, session_handle: str, across_all_tenants: bool, user_context: dict[str, Any]
    ) -> list[str]:
        """End every session of a session's user but that one; return the handles of those that existed.

        A session that has ended itself ends no others.
        """
        own = await self.get_session_information(session_handle, user_context)
        if own is None:
            return []
        return await call_engine(
            user_context,
            self._sessions.revoke_user,  # pyright: ignore[reportPrivateUsage]
            own.user_id,
            tenant_id=None if across_all_tenants else own.tenant_id,
            keep=session_handle,
            ending=current_ending(),
        )


def _listed(one: ListedSession) -> SessionInformationResult:
    known = one.details or _UNKNOWN
    device = Device(
        label=known.label,
        user_agent=known.agent,
        ip=known.ip,
        created_ip=known.created_ip,
        last_seen=known.last_seen_ms,
        persistent=known.persistent,
        impersonated=known.actor is not None,
        bound=thumbprint_in(one.payload) is not None,
    )
    return SessionInformationResult(
        one.handle,
        one.user_id,
        {},
        one.expires_ms,
        custom_claims(one.payload),
        one.created_ms,
        one.tenant_id,
        one.recipe_user_id,
        device,
    )
