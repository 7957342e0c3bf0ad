"""What a view does in a test: a script that its request names in the query."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from supertokens_py.testing.conformance import Answer, Route
from supertokens_py.testing.conformance.routes import Asking, Call, Script, View

__all__ = ["METHODS", "Answer", "Asking", "Call", "Script", "View", "World"]


def who(view: View) -> dict[str, Any]:
    """The default script: who am I?"""
    return {"user": None if view.session is None else view.session.get_user_id()}


def query_of(request: Any) -> str:
    """Return the query of a framework's own request, without asking the adapter."""
    if isinstance(request, dict):
        return request["rawQueryString"]  # of an event for a Lambda function
    if hasattr(request, "query_arguments"):
        return request.query  # Tornado's
    if not hasattr(request, "receive_body") and hasattr(request, "scope"):  # Sanic's only fails there
        return request.scope["query_string"].decode("latin-1")
    if hasattr(request, "environ"):
        return request.environ["QUERY_STRING"]
    return request.query_string if isinstance(request.query_string, str) else request.query_string.decode()


@dataclass
class Shop:
    """The payload of sessions of this application, as "/typed" wants it."""

    plan: str
    seats: int = 1


class World:
    """What the views of one application do now; a request names its script in the query."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, with the same views."""
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

    def run(self, view: View) -> Any:
        """Run the script that a request names."""
        return self.start(parse_qs(query_of(view.request)).get("do", [None])[0])(view)

    def routes(self) -> list[Route]:
        """Return what a driver builds its application of."""
        return [
            Route(
                path,
                self.run,
                ("POST",) if path.endswith("refresh") else METHODS,
                {**guard, "override_global_claim_validators": self.override} if path == "/claims" else guard,
            )
            for path, guard in ROUTES.items()
        ]


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

#: path of a view -> arguments of its `verify_session`; None: the view is not decorated
ROUTES: dict[str, dict[str, Any] | None] = {
    "/open": None,
    "/protected": {},
    "/optional": {"session_required": False},
    "/database": {"check_database": True},
    "/csrf-on": {"anti_csrf_check": True},
    "/csrf-off": {"anti_csrf_check": False},
    "/claims": {},  # with the world's override
    "/context": {"user_context": {"from": "route"}},
    "/guests": {"allow_guests": True},
    "/users": {"allow_guests": False, "session_required": False},
    "/bound": {"require_bound": True},
    "/typed": {"payload": Shop, "session_required": False},
    "/shared": {"session_required": False, "vary": False},
    "/auth/session/refresh": {"session_required": False},  # reached only while the SDK's own API is off
    "/auth/other": None,
}
