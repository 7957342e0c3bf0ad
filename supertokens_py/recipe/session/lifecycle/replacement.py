"""New sessions in the place of others: new handle and tokens, the former row gone in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.device_keys import BoundKey, claim_of
from supertokens_py.engine.session_records import Ending, Replaces
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe_module import App
from supertokens_py.runtime.bridge import call_app
from supertokens_py.types.base import JSONObject

from ..claim_validation.authentication import Authentication
from ..claim_validation.refusals import is_guest, refuse_guest, refuse_impersonation
from ..container import SessionContainer
from ..features.creation_options import Replacement, changing_options, creating_with, current_options
from ..features.guests import guest_claims
from ..functions import FunctionParts, RecipeInterface
from ..session_tokens.request_tokens import carries_token_of
from ..session_tokens.reserved_claims import ACTOR_KEY, GUEST_KEY, actor_of
from ..session_tokens.writer import check_fits_cookie
from .optional_features import OptionalFeatures

log: logging.Logger = logging.getLogger(__name__)

REPLACED: Ending = Ending(reason="replaced")

#: Creates a session by the functions of the recipe, overrides included.
Create = Callable[[], Awaitable[SessionContainer]]


class Replacements:
    """Replaces sessions of one app.

    Args:
        parts: those of the plain functions.
        functions: the functions, overrides included.
        optional: which features the application uses.
    """

    def __init__(self, parts: FunctionParts, functions: RecipeInterface, optional: OptionalFeatures) -> None:
        self._app: App = parts.app
        self._issuers = parts.issuers
        self._reserved = parts.reserved
        self._functions = functions
        self._bindings = parts.bindings
        self._optional = optional

    async def of(
        self,
        given: SessionContainer | str | None,
        user_context: dict[str, Any],
        request: BaseRequest | None = None,
    ) -> Replacement | None:
        """Return what a new session is to replace, given as a session or by its handle.

        All other sessions of a guest end with it: whoever has one of them must not come to be the user. Nor
        must whoever acts as one: their session cannot be replaced.

        A session of the request goes on with the device that it is bound to, unless the application says how
        its user has authenticated: else copied tokens would be good for a session that is not bound.

        Raises:
            ImpersonationRefusedError: somebody else acts as the user of that session.
        """
        if given is None:
            return None
        if isinstance(given, SessionContainer):
            refuse_impersonation(given.impersonator, self._reserved)
            handle, guest_id = given.session_handle, given.user_id if given.is_guest else None
        elif isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            handle, guest_id = given, await self._guest_of(given, user_context)
        else:
            raise BadInputError(f"replaces must be a session or the handle of one, not {given!r}")
        if guest_id is None:
            is_own = isinstance(given, SessionContainer) or (
                request is not None and carries_token_of(request, handle)
            )
            keeps = self._bindings is not None and is_own and not _says_how(current_options().claims)
            return Replacement(Replaces(handle=handle, must_exist=keeps), keeps_device=keeps)
        # Two log-ins of one guest at once: one replaces the guest's session, the other is an ordinary one.
        return Replacement(
            Replaces(handle=handle, must_exist=True, with_others=True), or_standalone=True, guest_id=guest_id
        )

    async def _guest_of(self, handle: str, user_context: dict[str, Any]) -> str | None:
        found = await self._functions.get_session_information(handle, user_context)
        if found is None:
            return None
        payload = found.custom_claims_in_access_token_payload
        refuse_impersonation(actor_of(payload), self._reserved)
        return found.user_id if is_guest(payload) else None

    async def create(
        self, replacement: Replacement | None, create: Create, user_context: dict[str, Any]
    ) -> SessionContainer:
        """Create a session that replaces another.

        Where a function of the application created it without the original one, the other session is revoked
        afterwards.
        """
        if replacement is None:
            return await create()
        options = replace(current_options(), replaces=replacement)
        if replacement.keeps_device:
            options = replace(options, bind_like_handle=replacement.replaces.handle)
        with creating_with(options):
            session = await create()
        if session.session_handle not in replacement.created:
            replacement.is_gone = not await self._end(replacement, session.session_handle, user_context)
        guest_id = replacement.guest_id
        if guest_id is not None and not replacement.is_gone:
            await self._call_on_guest_upgraded(guest_id, session.user_id)
        return session

    async def _end(self, replacement: Replacement, keep: str, user_context: dict[str, Any]) -> bool:
        """End the session that is replaced, and the others of a guest; return whether it was there."""
        sessions, replaces = self._app.engine.sessions, replacement.replaces
        handles = [replaces.handle, *([] if replaces.also is None else [replaces.also])]
        ended = await call_engine(user_context, sessions.revoke, handles, ending=REPLACED)
        if replacement.guest_id is not None:
            await call_engine(
                user_context,
                sessions.revoke_user,
                replacement.guest_id,
                tenant_id=None,
                keep=keep,
                ending=REPLACED,
            )
        return ended != []

    async def _call_on_guest_upgraded(self, guest_id: str, user_id: str) -> None:
        hook = self._optional.guests.on_guest_upgraded
        if hook is None:
            return
        try:
            await call_app(hook, guest_id, user_id)
        except Exception:
            log.exception("GuestSettings.on_guest_upgraded failed; the sign-in goes on")

    @property
    def may_offer(self) -> bool:
        """Whether the session that is being created is one of a log-in: of guests and actors none is."""
        claims = current_options().claims or {}
        return self._bindings is not None and GUEST_KEY not in claims and ACTOR_KEY not in claims

    async def key_of(self, replacement: Replacement | None, user_context: dict[str, Any]) -> BoundKey | None:
        """Return the key of the device that the session which is being created goes on with."""
        handle = current_options().bind_like_handle
        if replacement is not None and replacement.keeps_device:
            handle = replacement.replaces.handle
        if self._bindings is None or handle is None:
            return None
        return await call_engine(user_context, self._bindings.keys.of_session, handle)

    async def carry_over_or_offer(
        self,
        request: BaseRequest,
        session: SessionContainer,
        key: BoundKey | None,
        user_context: dict[str, Any],
        *,
        offers: bool,
    ) -> None:
        """Have the browser go on with the key of `key_of`, or else offer it to bind the session."""
        if self._bindings is None:
            return
        if key is not None:
            await self._bindings.carry_over(request, key, session.session_handle, user_context)
        elif offers:
            await self._bindings.offer(request, session.session_handle, user_context)

    @property
    def notes_authentication(self) -> bool:
        """Whether sessions say when, and how, their users authenticated."""
        return self._optional.notes_authentication

    def claims(
        self, *, authenticated: bool, methods: Sequence[str] | None, acr: str | None
    ) -> JSONObject | None:
        """Return the reserved claims of a session whose user authenticated like this; None: as usual.

        Raises:
            ConfigError: it is said how, and the application keeps nothing of it.
        """
        if methods is None and acr is None:
            return None if authenticated else {}
        if not self.notes_authentication:
            raise ConfigError("methods and acr are kept with session.init(step_up=True)")
        if not authenticated:
            raise BadInputError("give either authenticated=False or methods and acr")
        how = Authentication(methods=methods or (), acr=acr)
        return self._optional.claims_of_new(self._app.now_ms(), how)

    @contextmanager
    def creating_for_guest(self) -> Generator[None]:
        """Create sessions of guests inside."""
        claims = guest_claims(self._app.now_ms())
        options = replace(current_options(), claims=claims, counts=False)
        if self._optional.engine_features.details:
            options = replace(options, lifetime=self._optional.guests.lifetime)
        with creating_with(options):
            yield

    async def reauthenticate(
        self, session: SessionContainer, how: Authentication, user_context: dict[str, Any]
    ) -> SessionContainer:
        """Put a new session, with the same payload and data, in the place of one whose user authenticated.

        Raises:
            InvalidClaimsError: it is the session of a guest, or somebody else acts as the user.
            UnauthorisedError: it has ended.
        """
        refuse_guest(session)
        refuse_impersonation(session.impersonator, self._reserved)
        attached = session.req_res_info
        claims = self._optional.claims_of_new(self._app.now_ms(), how)
        keeps = self._bindings is not None
        replacement = Replacement(
            Replaces(handle=session.session_handle, must_exist=True, copies=True), keeps_device=keeps
        )
        key = await self.key_of(replacement, user_context)
        if attached is not None:
            attached.request.require_delivery()
            if attached.transfer_method == "cookie":
                check_fits_cookie({**session.get_access_token_payload(), **claims, **claim_of(key)})
            is_header = attached.transfer_method == "header"
        else:
            is_header = session.get_access_token_payload().get("antiCsrfToken") is None

        def create() -> Awaitable[SessionContainer]:
            return self._functions.create_new_session(
                session.recipe_user_id,
                {"iss": self._issuers.own},
                None,
                is_header,
                session.tenant_id,
                user_context=user_context,
            )

        offers = attached is not None and not is_header and self.may_offer and key is None
        with changing_options(claims=claims, offer_binding=offers):
            renewed = await self.create(replacement, create, user_context)
        if attached is not None:
            attached.request.note_creation(renewed.session_handle)
            renewed.attach(attached.request, attached.transfer_method, user_context)
            await self.carry_over_or_offer(attached.request, renewed, key, user_context, offers=offers)
        return renewed


def _says_how(claims: JSONObject | None) -> bool:
    """Return whether the claims that are asked for are those of `methods` or `acr`."""
    return bool(claims) and not {GUEST_KEY, ACTOR_KEY} & set(claims or ())
