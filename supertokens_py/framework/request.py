"""The neutral request: what the core may ask of a request, whichever framework it came from.

Adapters subclass it with the few questions that only they can answer. It lasts exactly as long as
its request: it also carries the changes for the response and the session attached to it.
"""

from __future__ import annotations

import json
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, MutableMapping, Sequence
from contextvars import ContextVar
from typing import Any, Self

from supertokens_py.exceptions import ConfigError

from .bodies import read_body
from .cookies import SentCookies, decode_cookie_value
from .forms import form_fields
from .response import PERSONAL, BaseResponse, Changes

#: Key of the neutral request in `place(native)`.
KEY = "supertokens.request"

#: The request whose response is to carry tokens, for errors that know no request; weak, so that it can end.
_delivering: ContextVar[weakref.ref[BaseRequest] | None] = ContextVar("supertokens_delivering", default=None)


#: The attributes of a framework's request, if its middleware wants to know the errors of a view that called
#: nothing of the SDK. Weak as well: what holds them is what the framework holds.
_listening: ContextVar[weakref.ref[Any] | None] = ContextVar("supertokens_listening", default=None)

#: Where such an error is, in the attributes of the framework's request.
RAISED = "supertokens.raised"


def listen_for_session_errors(native: Any) -> None:
    """Let session errors that are made in this context note themselves at a framework's request."""
    _listening.set(weakref.ref(native))


def note_session_error(error: Exception, *, refuses: bool) -> None:
    """Remember that the session of the current request was refused, if its response is to carry tokens.

    Who answers the error is unknown here: a handler of the application may, in its own words.
    """
    listening = _listening.get()
    native = None if listening is None else listening()
    if native is not None:
        vars(native)[RAISED] = error
    known = _delivering.get() if refuses else None
    request = None if known is None else known()
    if request is not None and not request.finished:
        request.session_error = error
        request.refused = True


class BaseRequest(ABC):
    """One request. `request` is the framework's own object.

    An adapter says where its framework's requests keep things (`place`), how a forgotten middleware is added
    (`how_to_deliver`, `is_delivered`), and answers the questions from `method` to `keep_session`.
    Subclasses written for 0.24, which knew neither `place` nor `cookie_header`, `body` and `keep_session`,
    work as they are.
    """

    wrapper_used = True
    delivers: bool = True  #: whether the framework's middleware will add the changes to the response
    how_to_deliver = ""  #: what an application that forgot the middleware has to do
    # Most requests change none of these; as defaults of the class they cost nothing.
    max_body: int | None = None  #: bytes that may be read of its body; the SDK's own routes have a limit
    finished: bool = False  #: the response has started; changes can no longer reach the client
    session_sought: bool = False  #: a session was looked for, found or not, so the response depends on it
    created_handles: Sequence[str] = ()  #: sessions that this request created
    signed_in: bool = False  #: whether the last of them is that of somebody who has just authenticated
    signed_out: tuple[str, str] | None = (
        None  #: handle and user of the request's session, if that was revoked
    )
    session_error: Exception | None = None  #: the last session error that is known to be of this request
    refused: bool = False  #: its session was refused after tokens had been made for the response
    _before_creation: Changes | None = None
    _changes: Changes | None = None
    _session: Any = None
    _sent_cookies: SentCookies | None = None

    def __init_subclass__(cls) -> None:
        if cls.get_cookie is not BaseRequest.get_cookie and cls.sent_cookies is BaseRequest.sent_cookies:
            cls.sent_cookies = _single_cookies  # a class of 0.24, which was asked for one cookie at a time

    def __init__(self, request: Any) -> None:
        """Wrap a framework's request; all wrappers of one request share what they know."""
        place = self.place(request)
        known: BaseRequest | None = place.get(KEY)
        if known is not None:
            self.share(known)
            return
        self.request = request
        place[KEY] = self
        if not self.is_delivered():
            self.delivers = False

    @classmethod
    def of(cls, native: Any) -> Self:
        """Return the one neutral request of a framework's request."""
        known: Self | None = cls.place(native).get(KEY)
        return cls(native) if known is None else known

    @classmethod
    def forget(cls, native: Any) -> Self | None:
        """Detach a framework's request from its neutral one, which is returned; breaks a reference cycle."""
        return cls.place(native).pop(KEY, None)

    @classmethod
    def place(cls, native: Any) -> MutableMapping[str, Any]:
        """Return a mapping that lives as long as the request and is the same for all its wrappers and copies.

        The default is its attributes; where it has none, every wrapper is separate.
        """
        attributes: dict[str, Any] | None = getattr(native, "__dict__", None)
        return {} if attributes is None else attributes

    def is_delivered(self) -> bool:
        """Return whether the adapter's middleware has seen this request and will add the changes."""
        return True

    def share(self, known: BaseRequest) -> None:
        """Share the state of another wrapper of the same request."""
        object.__setattr__(self, "__dict__", known.__dict__)

    @abstractmethod
    def method(self) -> str:
        """Return the method, upper case as sent."""

    def is_websocket(self) -> bool:
        """Return whether this is the handshake of a WebSocket, to which CORS does not apply."""
        upgrade = self.get_header("upgrade")
        return upgrade is not None and "websocket" in upgrade.lower()

    @abstractmethod
    def get_path(self) -> str:
        """Return the path as the browser sees it: decoded, mount prefix included, without query."""

    def mount_path(self) -> str:
        """Return the path prefix below which the SDK's routes are served ("" at the root)."""
        return ""

    @abstractmethod
    def get_header(self, key: str) -> str | None:
        """Return a header's value; names are case-insensitive."""

    def cookie_header(self) -> str:
        """Return the Cookie header; several lines are joined by "; "."""
        return self.get_header("cookie") or ""

    def peer_address(self) -> str | None:
        """Return the address at the other end of the connection; None where the framework does not say.

        Behind a proxy it is the proxy's, unless the server in front of the application knows better.
        """
        return None

    @abstractmethod
    def get_original_url(self) -> str:
        """Return the full URL."""

    @abstractmethod
    def get_query_params(self) -> dict[str, Any]:
        """Return the query parameters, last value of each."""

    async def body(self) -> bytes:
        """Return the whole body, as often as it is asked for."""
        raise NotImplementedError(f"{type(self).__name__} defines neither `body` nor `json` and `form_data`")

    def keep_session(self, session: Any) -> None:
        """Put the session, or None, where the framework's users look for it: `request.supertokens`."""
        self.place(self.request)["supertokens"] = session

    async def json(self) -> Any:
        """Return the body parsed as JSON; `{}` if it is not JSON."""
        try:
            return json.loads(await read_body(self))
        except (ValueError, RecursionError):
            return {}

    async def form_data(self) -> dict[str, Any]:
        """Return the fields of a form, urlencoded or multipart, as a flat dict, last value of each."""
        return form_fields(await read_body(self), self.get_header("content-type"))

    def get_query_param(self, key: str, default: str | None = None) -> str | None:
        """Return one query parameter."""
        return self.get_query_params().get(key, default)

    async def get_json_or_form_data(self) -> Any:
        """Return the body as its Content-Type says; None without one."""
        content_type = self.get_header("content-type")
        if content_type is None:
            return None
        return await (self.json() if content_type.startswith("application/json") else self.form_data())

    def sent_cookies(self) -> SentCookies:
        """Return the cookies of the request."""
        if self._sent_cookies is None:
            self._sent_cookies = SentCookies(self.cookie_header())
        return self._sent_cookies

    def cookie_values(self, key: str) -> list[str]:
        """Return every value sent under a cookie name, decoded, in order."""
        return self.sent_cookies().values(key)

    def get_cookie(self, key: str) -> str | None:
        """Return a cookie's first value, decoded."""
        values = self.cookie_values(key)
        return values[0] if values else None

    @property
    def changes(self) -> Changes:
        """Headers and cookies to add to the response; created lazily."""
        if self._changes is None:
            self._changes = Changes()
        return self._changes

    def require_delivery(self) -> None:
        """Refuse to make tokens that would never reach the client.

        Raises:
            ConfigError: the framework's middleware is missing; the message says how to add it.
        """
        if not self.delivers:
            raise ConfigError(f"the SuperTokens middleware is missing. Add it: {self.how_to_deliver}")

    def note_error(self, error: Exception) -> None:
        """Note an error that leaves the SDK, for the middleware, whatever becomes of it on the way there.

        Where there is no middleware on its way, the error says in the log why nobody has answered it.
        """
        self.session_error = error
        if not self.delivers and not hasattr(error, "__notes__"):
            error.add_note(
                "The SuperTokens middleware has not seen this request, so nobody answers this error. "
                f"Is it missing ({self.how_to_deliver}), or does what looks for the session stand outside of "
                "it? FastAPI, Starlette: add that before it; Django: put it below it in MIDDLEWARE"
            )

    def forbid_caching(self) -> None:  # noqa: B027  most frameworks have no such cache
        """Keep caches of the framework from storing the response of this request, where it has such caches.

        Such a cache may stand between the view and the middleware, which adds the headers that say so.
        """

    def note_delivery(self) -> None:
        """Note that tokens are about to be added to the response."""
        _delivering.set(weakref.ref(self))
        self.forbid_caching()

    def note_creation(self, session_handle: str, *, is_sign_in: bool = True) -> None:
        """Note that a session was created whose tokens are about to be added to the response."""
        self.signed_in = is_sign_in
        if not self.created_handles:
            self._before_creation = None if self._changes is None else self._changes.copy()
        self.created_handles = [*self.created_handles, session_handle]
        self.note_new_tokens()

    def note_new_tokens(self) -> None:
        """Forget an earlier refusal: a session was created or refreshed after it."""
        self.session_error, self.refused = None, False

    def must_withdraw(self, status: int) -> bool:
        """Return whether a response of this status may not carry the tokens that were made for it.

        A server error is no log-in. Nor is a response after the session was refused, whoever wrote it and
        with whatever status: applications report errors in a 200 (GraphQL), and redirect to a log-in page.
        """
        if status >= 500 and self.created_handles:
            return True
        return self.refused and self._changes is not None

    def withdraw(self) -> Sequence[str]:
        """Take back what creating sessions has added to the response; return their handles, to be revoked.

        The tokens of a session that was refused are withheld as well.
        """
        handles, self.created_handles = self.created_handles, ()
        if handles:
            self._changes, self._before_creation = self._before_creation, None
            self.set_session_as_none()
        if self.refused and self._changes is not None:
            self._changes.withhold()
        return handles

    def finish(self) -> Changes | None:
        """Return the changes of the response that starts now, if any, and drop the session."""
        if mutators := getattr(self._session, "response_mutators", None):
            self._run(mutators)
        self.finished = True
        changes, self._changes = self._changes, None
        self.release()
        if not self.session_sought:
            return changes or None
        if not changes:
            return PERSONAL
        changes.personal = True
        return changes

    def release(self) -> None:
        """Drop the session after the response has started; avoids a reference cycle."""
        self.session_error = None  # its traceback leads back here
        session, self._session = self._session, None
        if session is not None:
            session.leave_request()

    def _run(self, mutators: list[Callable[[BaseResponse, dict[str, Any]], None]]) -> None:
        """Let the functions that the application gave its session change the response, in order and once."""
        response, user_context = BaseResponse(), {"_default": {"request": self, "keep_cache_alive": True}}
        while mutators:
            mutators.pop(0)(response, user_context)
        self.changes.adopt(response)

    def get_session(self) -> Any:
        """Return the session attached to this request, or None."""
        return self._session

    def set_session(self, session: Any) -> None:
        """Attach a session."""
        self._session = session
        self.keep_session(session)

    def set_session_as_none(self) -> None:
        """Detach the session."""
        self._session = None
        self.keep_session(None)


class _SingleCookies(SentCookies):
    """The cookies of a request that is asked for one at a time, and returns its first value."""

    __slots__ = ("_request",)

    def __init__(self, request: BaseRequest) -> None:
        super().__init__(request.cookie_header())
        self._request = request

    def values(self, key: str) -> list[str]:
        value = self._request.get_cookie(key)
        return [] if value is None else [decode_cookie_value(value)]


def _single_cookies(self: BaseRequest) -> SentCookies:
    return _SingleCookies(self)
