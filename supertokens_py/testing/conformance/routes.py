"""The views of the suite's application, written once for blocking and async frameworks.

A view is a function of a `View`. As a generator it yields calls of the SDK and receives their results, so
that each framework can make them in its own way.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.adapter import blocking
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session import SessionContainer, claims
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError


@dataclass(frozen=True)
class Call:
    """One call of a public function, or of a session's method."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict[str, Any])
    target: Any = None

    def blocking(self) -> Any:
        """Make it as blocking views do."""
        owner, name = (
            (session_syncio, self.name) if self.target is None else (self.target, f"sync_{self.name}")
        )
        return getattr(owner, name)(*self.args, **self.kwargs)

    async def awaited(self) -> Any:
        """Make it as async views do."""
        owner = session_asyncio if self.target is None else self.target
        return await getattr(owner, self.name)(*self.args, **self.kwargs)


@dataclass(frozen=True)
class Asking(Call):
    """One question to the neutral request whose answer has to be awaited."""

    def blocking(self) -> Any:
        """Ask it as blocking views do."""
        return blocking(getattr(self.target, self.name))()

    async def awaited(self) -> Any:
        """Ask it as async views do."""
        return await getattr(self.target, self.name)()


@dataclass(frozen=True)
class View:
    """What a view knows: the framework's request, and what `verify_session` gave it."""

    request: Any
    session: Any = None

    def create(self, user_id: str = "user-1", payload: dict[str, Any] | None = None, **kwargs: Any) -> Call:
        """Create a session."""
        return Call("create_new_session", (self.request, "public", user_id, payload), kwargs)

    def get_session(self, **kwargs: Any) -> Call:
        """Verify the session without the framework's `verify_session`."""
        return Call("get_session", (self.request,), kwargs)

    def refresh(self) -> Call:
        """Refresh the session in a view."""
        return Call("refresh_session", (self.request,))

    def merge(self, update: dict[str, Any], session: SessionContainer | None = None) -> Call:
        """Merge into the payload, which makes a new access token."""
        return Call("merge_into_access_token_payload", (update,), target=session or self.session)

    def revoke(self, session: SessionContainer | None = None) -> Call:
        """Revoke the session."""
        return Call("revoke_session", target=session or self.session)


@dataclass(frozen=True)
class Answer:
    """What a view answers: the driver makes its framework's response of it."""

    body: dict[str, Any] = field(default_factory=dict[str, Any])  #: sent as JSON
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()  #: to be added one by one: Set-Cookie may be there twice

    @property
    def content(self) -> bytes:
        """The body as JSON, for which the driver says `Content-Type: application/json`."""
        return json.dumps(self.body).encode()

    @property
    def chunks(self) -> list[bytes]:
        """The same in two parts, for routes that stream."""
        content = self.content
        return [content[:5], content[5:]]


Script: TypeAlias = Callable[[View], Any]
Steps: TypeAlias = Generator[Call, Any, Any]


@dataclass(frozen=True)
class Route:
    """One route that the driver adds to its application."""

    path: str
    view: Script
    methods: tuple[str, ...] = ("GET",)
    #: keyword arguments of the adapter's `verify_session`; None: a route without it
    guard: Mapping[str, Any] | None = None
    #: a streamed response of `Answer.chunks`; only for drivers that say `streams = True`
    stream: bool = False
    #: a WebSocket that says `Answer.body["user"]` when accepted, and ends; only with `websockets = True`
    websocket: bool = False

    def blocking(self, request: Any, session: Any = None) -> Answer:
        """Run the view in a blocking framework.

        Args:
            request: the framework's request, as views know it.
            session: what the adapter's `verify_session` gave the view; None for routes without it.
        """
        return as_answer(run_blocking(self.view, View(request, session)))

    async def run(self, request: Any, session: Any = None) -> Answer:
        """Run the view in an async framework; see `blocking`."""
        return as_answer(await run_async(self.view, View(request, session)))


def run_blocking(script: Script, view: View) -> Any:
    """Run a view, and each call that it yields at once."""
    steps = _steps(script(view))
    try:
        call = next(steps)
        while True:
            try:
                value = call.blocking()
            except Exception as error:
                call = steps.throw(error)
            else:
                call = steps.send(value)
    except StopIteration as done:
        return done.value


async def run_async(script: Script, view: View) -> Any:
    """Run a view, and await each call that it yields."""
    steps = _steps(script(view))
    move: Callable[[], Call] = lambda: next(steps)  # noqa: E731
    while True:
        try:
            call = move()
        except StopIteration as done:  # a coroutine may raise none
            return done.value
        try:
            value = await call.awaited()
        except Exception as error:
            move = lambda problem=error: steps.throw(problem)  # noqa: E731
        else:
            move = lambda given=value: steps.send(given)  # noqa: E731


def _steps(result: Any) -> Steps:
    if inspect.isgenerator(result):
        result = cast("Any", (yield from cast("Any", result)))
    return result


def as_answer(result: Any) -> Answer:
    """Return what a view answered in short: nothing, a body, or status and body."""
    match result:
        case Answer():
            return result
        case (int() as status, body):
            return Answer(body, status)
        case None:
            return Answer()
        case _:
            return Answer(result)


# -- the views -----------------------------------------------------------------------------------------

USER = "ada"


def _never(*_: object) -> bool:
    return False


ADMIN: claims.BooleanClaim = claims.BooleanClaim("admin", _never)

#: What the view of `/merge` says for itself: two cookies of one name, and headers that the SDK adds to.
OWN_HEADERS = (
    ("Set-Cookie", "mine=1; Path=/a"),
    ("Set-Cookie", "mine=2; Path=/b"),
    ("Access-Control-Expose-Headers", "X-Mine"),
    ("X-Mine", "1"),
)


def _who(view: View) -> dict[str, Any]:
    return {"user": None if view.session is None else view.session.get_user_id()}


def _get_session(view: View) -> Steps:
    session: Any = yield view.get_session()
    return {"user": session.get_user_id()}


def _log_in(view: View) -> Steps:
    session: Any = yield view.create(USER)
    return {"handle": session.get_handle()}


def _visit(view: View) -> Steps:
    session: Any = yield Call("create_guest_session", (view.request,))
    return {"handle": session.get_handle()}


def _merge(view: View) -> Any:
    yield view.merge({"visits": 1})
    return Answer(_who(view), headers=(*OWN_HEADERS, ("Cache-Control", "public, max-age=60")))


def _merge_only(view: View) -> Any:
    yield view.merge({"visits": 2})
    return _who(view)


def _end(view: View) -> Any:
    yield view.revoke()
    return {"ended": True}


def _failed(view: View) -> Any:
    yield view.create(USER)
    return 500, {"failed": True}


def _refused(view: View) -> Any:
    yield view.create(USER)
    raise UnauthorisedError("the application changed its mind")


def _crash(view: View) -> Any:
    yield view.create(USER)
    raise KeyError("a mistake of the application")


def _echo(view: View) -> Steps:
    request = as_base_request(view.request)
    sent: Any = yield Asking("json", target=request)
    return {
        "method": request.method(),
        "path": request.get_path(),
        "query": request.get_query_params(),
        "header": request.get_header("X-Sent"),
        "cookies": request.cookie_values("sent"),
        "url": request.get_original_url(),
        "json": sent,
    }


def _create_undelivered(view: View) -> Steps:
    try:
        yield view.create(USER)
    except ConfigError as error:
        return {"error": str(error)}
    return {"error": None}


def _kinds(view: View) -> dict[str, Any]:
    return {"kinds": kinds_of(as_base_request(view.request).request)}


def _in_a_socket(view: View) -> dict[str, Any]:
    if not as_base_request(view.request).is_websocket():
        raise AssertionError("the adapter's request class does not know a WebSocket")
    return _who(view)


def kinds_of(native: Any) -> list[str]:
    """Return the names of a request's type and of its bases, without `object`."""
    return [f"{kind.__module__}.{kind.__qualname__}" for kind in type(native).__mro__[:-1]]


def _must_be_admin(given: Any, session: Any, user_context: Any) -> Any:
    return [*given, ADMIN.validators.is_true()]


ROUTES = (
    Route("/open", _who, ("GET", "POST")),
    Route("/login", _log_in, ("POST",)),
    Route("/visit", _visit, ("POST",)),
    Route("/me", _who, ("GET", "POST"), {}),
    Route("/call", _get_session, ("GET", "POST")),
    Route("/optional", _who, guard={"session_required": False}),
    Route("/database", _who, guard={"check_database": True}),
    Route("/guests", _who, guard={"allow_guests": True}),
    Route("/admin", _who, guard={"override_global_claim_validators": _must_be_admin}),
    Route("/merge", _merge, ("POST",), {}),
    Route("/end", _end, ("POST",), {}),
    Route("/failed", _failed, ("POST",)),
    Route("/refused", _refused, ("POST",)),
    Route("/crash", _crash, ("POST",)),
    Route("/café", _echo, ("POST",)),
    Route("/stream", _merge_only, ("GET", "POST"), {}, stream=True),
    Route("/undelivered", _create_undelivered, ("POST",)),
    Route("/kinds", _kinds),
    Route("/socket", _in_a_socket, guard={}, websocket=True),
)
