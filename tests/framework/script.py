"""What a view does in a test, written once for blocking and async frameworks.

A script is a function of a `View`. As a generator it yields calls of the SDK and receives their
results, so that each framework can make them in its own way.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio


@dataclass(frozen=True)
class Call:
    """One call of a public function, or of a session's method."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    target: SessionContainer | None = None

    def blocking(self) -> Any:
        owner, name = (
            (session_syncio, self.name) if self.target is None else (self.target, f"sync_{self.name}")
        )
        return getattr(owner, name)(*self.args, **self.kwargs)

    async def awaited(self) -> Any:
        owner = session_asyncio if self.target is None else self.target
        return await getattr(owner, self.name)(*self.args, **self.kwargs)


@dataclass(frozen=True)
class View:
    """What a view knows: the framework's request, and what `verify_session` gave it."""

    request: Any
    session: Any = None

    def create(self, user_id: str = "user-1", payload: dict[str, Any] | None = None, **kwargs: Any) -> Call:
        return Call("create_new_session", (self.request, "public", user_id, payload), kwargs)

    def get_session(self, **kwargs: Any) -> Call:
        return Call("get_session", (self.request,), kwargs)

    def refresh(self) -> Call:
        return Call("refresh_session", (self.request,))

    def merge(self, update: dict[str, Any], session: SessionContainer | None = None) -> Call:
        return Call("merge_into_access_token_payload", (update,), target=session or self.session)

    def revoke(self, session: SessionContainer | None = None) -> Call:
        return Call("revoke_session", target=session or self.session)


@dataclass(frozen=True)
class Answer:
    """What a view answers, when it is more than a JSON body."""

    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


Script = Callable[[View], Any]


def who(view: View) -> dict[str, Any]:
    """The default script: who am I?"""
    return {"user": None if view.session is None else view.session.get_user_id()}


def run_blocking(script: Script, view: View) -> Any:
    result = script(view)
    if not inspect.isgenerator(result):
        return result
    steps: Generator[Call, Any, Any] = result
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
    result = script(view)
    if not inspect.isgenerator(result):
        return result
    steps: Generator[Call, Any, Any] = result
    try:
        call = next(steps)
    except StopIteration as done:
        return done.value
    while True:
        try:
            value = await call.awaited()
        except Exception as error:
            move = lambda problem=error: steps.throw(problem)  # noqa: E731
        else:
            move = lambda given=value: steps.send(given)  # noqa: E731
        try:
            call = move()
        except StopIteration as done:
            return done.value


class World:
    """What the views of one application do now; a request names its script in the query."""

    def __init__(self) -> None:
        self._scripts: dict[str, Script] = {}
        self._numbers = itertools.count(1)
        self.runs = 0  #: how many views ran
        self.validators: Callable[..., Any] = lambda given, session, context: given
        self.last_error: BaseException | None = None

    def add(self, script: Script) -> str:
        number = str(next(self._numbers))
        self._scripts[number] = script
        return number

    def start(self, number: str | None) -> Script:
        self.runs += 1
        return who if number is None else self._scripts[number]

    def override(self, given: Any, session: Any, context: Any) -> Any:
        return self.validators(given, session, context)


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

#: path of a view -> arguments of its `verify_session`; None: the view is not decorated
ROUTES: dict[str, dict[str, Any] | None] = {
    "/open": None,
    "/protected": {},
    "/optional": {"session_required": False},
    "/database": {"check_database": True},
    "/csrf-on": {"anti_csrf_check": True},
    "/csrf-off": {"anti_csrf_check": False},
    "/claims": {"override_global_claim_validators": True},  # the driver puts the world's override here
    "/context": {"user_context": {"from": "route"}},
    "/shared": {"session_required": False, "vary": False},
    "/auth/session/refresh": {"session_required": False},  # reached only while the SDK's own API is off
    "/auth/other": None,
}


def options_of(path: str, override: Callable[..., Any]) -> dict[str, Any] | None:
    options = ROUTES[path]
    if options and "override_global_claim_validators" in options:
        return {"override_global_claim_validators": override}
    return options


def as_answer(result: Any) -> Answer:
    match result:
        case Answer():
            return result
        case (int() as status, dict() as body):
            return Answer(body, status)
        case None:
            return Answer()
        case _:
            return Answer(result)
