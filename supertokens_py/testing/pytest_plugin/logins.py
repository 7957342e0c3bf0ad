"""`login_as`: a session in a test client, as after a sign-in; and what a thief would do with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.claim_base_classes.claim import SessionClaim
from supertokens_py.recipe.session.constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ANTI_CSRF_HEADER_KEY,
    REFRESH_TOKEN_COOKIE_KEY,
    SESSION_REFRESH,
    SIGNOUT,
)
from supertokens_py.recipe.userroles import syncio as userroles

from .applications import is_under_test
from .clients import jar_of
from .conversations import PROOF, path_of
from .jars import Jar, Mode
from .visitors import acting_session, guest_session, user_session

T = TypeVar("T")
_REAL_STORE = "would write to the store that the application itself is configured with"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client has after a sign-in; failures of tests, which print it, go to logs of CI."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    anti_csrf: str | None = field(repr=False)


@dataclass(slots=True)
class Login:
    """A client that is signed in."""

    session: SessionContainer
    tokens: Tokens
    mode: Mode
    jar: Jar

    def refresh(self) -> Any:
        """Refresh as a frontend does; return the response, which an async client has you await."""
        return self.jar.request("POST", path_of(SESSION_REFRESH), self._credentials())

    def sign_out(self) -> Any:
        """Sign out as a frontend does; return the response, which an async client has you await."""
        return self.jar.request("POST", path_of(SIGNOUT), PROOF)

    def _credentials(self) -> dict[str, str]:
        if self.mode == "cookie":
            return PROOF
        return {**PROOF, "authorization": f"Bearer {self.tokens.refresh}"}


@dataclass(frozen=True, slots=True)
class Thief:
    """Somebody with a copy of the tokens of a session."""

    tokens: Tokens
    mode: Mode

    def replay(self, client: Any) -> Any:
        """Refresh with the stolen token from another client, and return the response (or an awaitable)."""
        jar = jar_of(client)
        if self.mode == "header":
            headers = {**PROOF, "authorization": f"Bearer {self.tokens.refresh}"}
            return jar.request("POST", path_of(SESSION_REFRESH), headers)
        jar.set_cookies({REFRESH_TOKEN_COOKIE_KEY: (self.tokens.refresh, path_of(SESSION_REFRESH))})
        anti_csrf = {} if self.tokens.anti_csrf is None else {ANTI_CSRF_HEADER_KEY: self.tokens.anti_csrf}
        return jar.request("POST", path_of(SESSION_REFRESH), {**PROOF, **anti_csrf})


def login_as(
    client: Any,
    user_id: Any = None,
    *,
    payload: dict[str, Any] | None = None,
    claims: Mapping[SessionClaim[Any], Any] | None = None,
    roles: Sequence[str] = (),
    data: dict[str, Any] | None = None,
    tenant: str = "public",
    mode: Mode = "cookie",
    fresh: bool = True,
    guest: bool = False,
    actor: Any = None,
    allow_real_store: bool = False,
) -> Login:
    """Create a session as a sign-in does, and put its tokens into a test client.

    The test has to use the fixture `supertokens`, as the fixture `login_as` does by itself. Your overrides
    and the claims of recipes run, as for any session. It works in a running event loop, too.

    Args:
        client: a test client of FastAPI, Starlette, Litestar, httpx, httpx2, Flask, Quart, Django, REST
            framework, aiohttp, Sanic or Tornado (its test case), or a request of Django's RequestFactory.
        user_id: who signs in; no user of a sign-in recipe needs to exist. A number stands for its text, and
            a row of a Django model for that of its primary key, in place of `force_login`. A guest has none.
        payload: custom claims of the access token.
        claims: values of claims, such as `{PlanClaim: "pro"}`; as if they had just been fetched,
            also where an override of `create_new_session` fetches them itself.
        roles: roles that the user is given first; those that do not exist are created.
        data: session data in the database.
        tenant: the tenant that the session belongs to.
        mode: how the tokens travel.
        fresh: whether the user counts as just authenticated (`session.init(step_up=True)`).
        guest: sign a guest in, as `create_guest_session` does.
        actor: the id of somebody who has just signed in, and now acts as the user, as
            `create_impersonation_session` has it: your `Impersonation(may=...)` is asked.
        allow_real_store: work without the fixture, too, in the store that the application is configured with.

    Raises:
        ConfigError: the session would be in the application's own store, or nobody may act as another.
        InvalidClaimsError: `actor` may not act as this user.
        TypeError: the client is of no known kind (the message lists those that are), `user_id` is none, or
            the arguments do not go together.
    """
    jar = jar_of(client)
    wanted = _Wanted(user_id, payload, claims or {}, roles, data, tenant, mode, fresh, guest, actor)
    if not allow_real_store:
        check_store("login_as", "let the test use the fixture supertokens, or pass allow_real_store=True")
    return _put(off_the_loop(lambda: wanted.create(jar)), jar, mode)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The arguments of `login_as` that say whose session it is."""

    user_id: Any
    payload: dict[str, Any] | None
    claims: Mapping[SessionClaim[Any], Any]
    roles: Sequence[str]
    data: dict[str, Any] | None
    tenant: str
    mode: Mode
    fresh: bool
    guest: bool
    actor: Any

    def __post_init__(self) -> None:
        """Raise `TypeError` for what does not go together."""
        if not self.guest:
            text_of(self.user_id)
        elif self.user_id is not None or self.actor is not None or self.roles:
            raise TypeError("login_as(guest=True) makes the guest's id: leave user_id, roles and actor out")
        if self.actor is not None and (self.payload or self.claims or self.data):
            raise TypeError(
                "login_as(actor=...) takes no payload, claims or data: such a session has its own"
            )

    def create(self, jar: Jar) -> SessionContainer:
        contents = _with_claims(self.payload, self.claims)
        with jar.context():
            if self.guest:
                return self._as_given(guest_session(self.tenant, contents, self.data, self.mode))
            user = text_of(self.user_id)
            give_roles(self.roles, self.tenant, user)
            if self.actor is not None:
                return acting_session(self.tenant, user, text_of(self.actor), self.mode, jar)
            return self._as_given(
                user_session(self.tenant, user, contents, self.data, self.mode, fresh=self.fresh)
            )

    def _as_given(self, session: SessionContainer) -> SessionContainer:
        """Set the claims once more that an override of `create_new_session` has fetched by itself."""
        for claim, value in self.claims.items():
            if session.sync_get_claim_value(claim) != value:
                session.sync_set_claim_value(claim, value)
        return session


def text_of(user_id: Any) -> str:
    """Return the id of a user: that of a number, or of a row of a Django model."""
    key = getattr(user_id, "pk", user_id)  # of a model
    if isinstance(key, str | int | UUID) and not isinstance(key, bool):
        return str(key)
    raise TypeError(f"login_as needs a user id, a number, or a saved row of a Django model, not {user_id!r}")


def give_roles(roles: Sequence[str], tenant: str, user_id: str) -> None:
    """Give a user roles; those that do not exist are created."""
    for role in roles:
        userroles.create_new_role_or_add_permissions(role, [])
        userroles.add_role_to_user(tenant, user_id, role)


def _with_claims(
    payload: dict[str, Any] | None, claims: Mapping[SessionClaim[Any], Any]
) -> dict[str, Any] | None:
    for claim, value in claims.items():
        payload = claim.add_to_payload_(payload or {}, value)
    return payload


def check_store(fixture: str, advice: str) -> None:
    """Raise `ConfigError` unless the current app keeps its sessions in a store of the tests."""
    if not is_under_test():
        raise ConfigError(f"{fixture} {_REAL_STORE}: {advice}")


def _put(session: SessionContainer, jar: Jar, mode: Mode) -> Login:
    given = session.get_all_session_tokens_dangerously()
    tokens = Tokens(given["accessToken"], str(given["refreshToken"]), given["antiCsrfToken"])
    put_tokens(tokens, jar, mode)
    return Login(session, tokens, mode, jar)


def put_tokens(tokens: Tokens, jar: Jar, mode: Mode) -> None:
    """Put tokens into a client, in the place of those that it has."""
    if mode == "header":
        jar.set_header("authorization", f"Bearer {tokens.access}")
        return
    jar.set_cookies(
        {
            ACCESS_TOKEN_COOKIE_KEY: (tokens.access, "/"),
            REFRESH_TOKEN_COOKIE_KEY: (tokens.refresh, path_of(SESSION_REFRESH)),
        }
    )
    if tokens.anti_csrf is not None:
        jar.set_header(ANTI_CSRF_HEADER_KEY, tokens.anti_csrf)


def steal(login: Login) -> Thief:
    """Return somebody with a copy of the tokens that a login has got."""
    return Thief(login.tokens, login.mode)


def off_the_loop(work: Callable[[], T]) -> T:
    """Run blocking code, in a thread of its own where an event loop runs in this one."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return work()
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
