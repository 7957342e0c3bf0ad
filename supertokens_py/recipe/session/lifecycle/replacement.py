"""New sessions in the place of others: new handle and tokens, the former row gone in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.device_keys import BoundKey, claim_of
from supertokens_py.engine.session_records import Ending, Replaces
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe_module import App
from supertokens_py.runtime.bridge import call_app

from ..claim_validation.authentication import Authentication
from ..claim_validation.refusals import is_guest, refuse_guest, refuse_impersonation
from ..container import SessionContainer
from ..features.creation_options import Replacement, changing_options, creating_with, current_options
from ..features.guests import guest_claims
from ..functions import FunctionParts, RecipeInterface
from ..results import SessionInformationResult
from ..session_tokens.request_tokens import carries_token_of
from ..session_tokens.reserved_claims import ACTOR_KEY, AUTHENTICATION_KEY, GUEST_KEY, actor_of
from ..session_tokens.writer import check_fits_cookie
from .optional_features import OptionalFeatures

log: logging.Logger = logging.getLogger(__name__)

REPLACED: Ending = Ending(reason="replaced")

#: Creates a session by the functions of the recipe, overrides included.
Create = Callable[[], Awaitable[SessionContainer]]


@dataclass(frozen=True, slots=True)
class _Former:
    """A session in whose place another is created; of one that has ended nothing is known."""

    handle: str
    user_ids: Sequence[str]  #: what its user is called
    payload: Mapping[str, Any]


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
        user_id: str,
        user_context: dict[str, Any],
        request: BaseRequest | None = None,
    ) -> Replacement | None:
        """Return what a new session of a user is to replace, given as a session or by its handle.

        All other sessions of a guest end with it: whoever has one of them must not come to be the user. Nor
        must whoever acts as one: their session cannot be replaced.

        Unless the application says that its user has just authenticated, a session of the request goes on
        with the device that it is bound to, and every session with its authentication: else copied tokens
        would be good for a session that is not bound, or old ones for a fresh one.

        Raises:
            ImpersonationRefusedError: somebody else acts as the user of that session.
        """
        if given is None:
            return None
        former = await self._former(given, user_context)
        if is_guest(former.payload):
            # Of two log-ins of one guest at once one replaces the guest's session, and one is ordinary.
            replaces = Replaces(handle=former.handle, must_exist=True, with_others=True)
            return Replacement(replaces, or_standalone=True, guest_id=former.user_ids[0])
        is_own = isinstance(given, SessionContainer) or (
            request is not None and carries_token_of(request, former.handle)
        )
        options = current_options()
        keeps = self._bindings is not None and is_own and options.authenticated is not True
        claims = None
        if self.notes_authentication and options.claims is None and options.authenticated is None:
            claims = await self._former_authentication(former, user_id, user_context)
        return Replacement(
            Replaces(handle=former.handle, must_exist=keeps),
            keeps_device=keeps,
            is_of_request=is_own,
            claims=claims,
        )

    async def _former_authentication(
        self, former: _Former, user_id: str, user_context: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the claim that a new session of a user takes over; a token outlives its session's end."""
        told = former.payload.get(AUTHENTICATION_KEY) if user_id in former.user_ids else None
        if told is None:
            return {}
        stored = await call_engine(user_context, self._app.engine.sessions.information, former.handle)
        return {} if stored is None else {AUTHENTICATION_KEY: told}

    async def _former(self, given: SessionContainer | str, user_context: dict[str, Any]) -> _Former:
        found: SessionContainer | SessionInformationResult | None
        if isinstance(given, SessionContainer):
            found, handle, payload = given, given.session_handle, given.get_access_token_payload()
        elif isinstance(given, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            found, handle = await self._functions.get_session_information(given, user_context), given
            payload = {} if found is None else found.custom_claims_in_access_token_payload
        else:
            raise BadInputError(f"replaces must be a session or the handle of one, not {given!r}")
        refuse_impersonation(actor_of(payload), self._reserved)
        ids = () if found is None else (found.user_id, found.recipe_user_id.get_as_string())
        return _Former(handle, ids, payload)

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
        if replacement.claims is not None:
            options = replace(options, claims=replacement.claims)
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

    def may_offer(self, replacement: Replacement | None) -> bool:
        """Return whether the session that is being created is one of a log-in.

        Of guests and actors none is, nor in the place of the request's own unless the application says so.
        """
        options = current_options()
        claims, said = options.claims or {}, options.authenticated
        if self._bindings is None or said is False or GUEST_KEY in claims or ACTOR_KEY in claims:
            return False
        return said is True or replacement is None or not replacement.is_of_request

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

    def saying(
        self, *, authenticated: bool | None, methods: Sequence[str] | None, acr: str | None
    ) -> AbstractContextManager[None]:
        """Return a context in which sessions are created of a user who authenticated like this; None: unsaid.

        Raises:
            ConfigError: it is said how, and the application keeps nothing of it.
        """
        if methods is None and acr is None:
            said: dict[str, Any] = {"claims": {}} if authenticated is False else {}
            return changing_options(authenticated=authenticated, **said)
        if not self.notes_authentication:
            raise ConfigError("methods and acr are kept with session.init(step_up=True)")
        if authenticated is False:
            raise BadInputError("give either authenticated=False or methods and acr")
        how = Authentication(methods=methods or (), acr=acr)
        claims = self._optional.claims_of_new(self._app.now_ms(), how)
        return changing_options(authenticated=True, claims=claims)

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

        offers = attached is not None and not is_header and self.may_offer(None) and key is None
        with changing_options(claims=claims, offer_binding=offers):
            renewed = await self.create(replacement, create, user_context)
        if attached is not None:
            attached.request.note_creation(renewed.session_handle)
            renewed.attach(attached.request, attached.transfer_method, user_context)
            await self.carry_over_or_offer(attached.request, renewed, key, user_context, offers=offers)
        return renewed
