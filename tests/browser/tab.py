"""A browser tab with the official client in it, and what it sent."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from playwright.sync_api import BrowserContext, Page, Request, Response

REFRESH = "/auth/session/refresh"
#: How long a page may take for one step, on a machine that does much else.
WAIT_MS = 40_000
#: Addresses beyond this machine. A pattern is looked at by the browser; a function would be asked in this
#: process, and every request would wait while a test waits for something else, such as an e-mail.
_ELSEWHERE = re.compile(r"^https?://(?!localhost[:/]|127\.0\.0\.1[:/])")


@dataclass(frozen=True)
class Answer:
    """Status and body as the application's own code gets them; status 0: the call failed with that text."""

    status: int
    body: Any


@contextlib.contextmanager
def watched(context: BrowserContext) -> Iterator[BrowserContext]:
    """Wait in `context` as long as the tests may; at the end no page of it may have had an uncaught error."""
    context.set_default_timeout(WAIT_MS)
    mistakes: list[str] = []
    context.on("weberror", lambda error: mistakes.append(str(error.error)))
    # Navigations abort what is under way, so this is no mistake by itself; pytest shows it with a failure.
    context.on("requestfailed", lambda request: print(f"--- {request.url}: {request.failure}"))
    yield context
    assert mistakes == [], mistakes


def local_tab(context: BrowserContext) -> Page:
    """Open a tab that reaches this machine only: the screens' font is on a host of its own."""
    context.route(_ELSEWHERE, lambda route: route.abort())
    return context.new_page()


class Traffic:
    """The requests of all tabs of a browser context, in order."""

    def __init__(self, context: BrowserContext) -> None:
        self._requests: list[Request] = []
        context.on("request", lambda request: self._requests.append(request))

    def clear(self) -> None:
        """Forget what was sent so far."""
        self._requests.clear()

    def to(self, path: str, method: str | None = None) -> list[Request]:
        """Return the requests to a path."""
        return [
            request
            for request in self._requests
            if urlsplit(request.url).path == path and method in (None, request.method)
        ]

    def statuses(self, path: str) -> list[int]:
        """Return the statuses of the answered requests to a path."""
        answers: list[Response | None] = [request.response() for request in self.to(path)]
        return [answer.status for answer in answers if answer is not None]


class Tab:
    """One tab; its methods are what an application's code would do in it."""

    def __init__(self, page: Page, origin: str, settings: dict[str, Any] | None = None) -> None:
        self.page = page
        self._address = f"{origin}/pages/page.html#{quote(json.dumps(settings or {}))}"

    def open(self) -> Tab:
        """Load the page, which sets the client up."""
        self.page.goto(self._address)
        self._await_client()
        return self

    def reload(self) -> None:
        """Load the page again."""
        self.page.reload()
        self._await_client()

    def _await_client(self) -> None:
        """Wait for the script of the page."""
        self.page.wait_for_function("'call' in window")

    def call(
        self, path: str, method: str = "GET", body: Any = None, *, way: str = "fetch", headers: Any = None
    ) -> Answer:
        """Send a request as the application does and return what it gets."""
        script = "([way, method, path, body, headers]) => call(way, method, path, body ?? undefined, headers)"
        result = self.page.evaluate(script, [way, method, path, body, headers])
        return Answer(result["status"], result["body"])

    def call_all(self, paths: list[str]) -> list[Answer]:
        """Send several requests at once."""
        script = "paths => Promise.all(paths.map(path => call('fetch', 'GET', path)))"
        return [Answer(result["status"], result["body"]) for result in self.page.evaluate(script, paths)]

    def sign_in(self, user: str, payload: dict[str, Any] | None = None) -> None:
        """Log in."""
        answer = self.call("/login", "POST", {"user": user, "payload": payload or {}})
        assert answer == Answer(200, {"user": user})

    def exists(self) -> bool:
        """Ask the client whether there is a session."""
        return self.page.evaluate("client.doesSessionExist()")

    def user_id(self) -> str:
        """Ask the client for the user."""
        return self.page.evaluate("client.getUserId()")

    def payload(self) -> dict[str, Any]:
        """Ask the client for the payload."""
        return self.page.evaluate("client.getAccessTokenPayloadSecurely()")

    def access_token(self) -> str | None:
        """Ask the client for the access token."""
        return self.page.evaluate("client.getAccessToken()")

    def refresh(self) -> bool:
        """Have the client refresh."""
        return self.page.evaluate("client.attemptRefreshingSession()")

    def sign_out(self) -> None:
        """Have the client sign out."""
        self.page.evaluate("client.signOut()")

    def take_events(self) -> list[dict[str, Any]]:
        """Return the client's events since the last call."""
        return self.page.evaluate("events.splice(0)")

    def take_actions(self) -> list[str]:
        """Return the names of the client's events since the last call."""
        return [event["action"] for event in self.take_events()]

    def stored(self) -> dict[str, str]:
        """Return the cookies that scripts can read."""
        return self.page.evaluate("stored()")

    def front_token(self) -> dict[str, Any] | None:
        """Return the decoded front token."""
        return self.page.evaluate("frontToken()")

    def wait_for_expiry(self) -> None:
        """Wait until the access token has expired, by the clock that the server has too."""
        self.page.wait_for_function("frontToken().ate < Date.now()", polling=50)

    def send_aside(self, path: str, method: str = "POST") -> int:
        """Send a request past the client, as another program in the browser would; return the status."""
        script = (
            "([method, path]) => __supertokensOriginalFetch(path,"
            " {method, credentials: 'include', headers: {rid: 'session'}}).then(answer => answer.status)"
        )
        return self.page.evaluate(script, [method, path])
