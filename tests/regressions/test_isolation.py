"""No value of one user is ever seen by another, whatever the framework, the decorator and the override.

Two users send thousands of requests over threads and tasks. Everything that an application can hook into
the SDK reports whom it is called for; a report that does not fit its request is a leak (D1, D2, D17).
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py import get_request_from_user_context
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe import session
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.exceptions import (
    ClaimValidationError,
    InvalidClaimsError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from supertokens_py.recipe.session.interfaces import (
    APIOptions,
    ClaimValidationResult,
    RecipeInterface,
    SessionClaimValidator,
)
from tests.seeds.fixtures import Open, Start
from tests.seeds.sites import KINDS, Browser, Route, Visit

USERS = ("ada", "bob")
BROWSERS_OF_EACH = 3
ROUNDS = 4
READS = 4

FUNCTIONS = (
    "create_new_session",
    "get_session",
    "get_global_claim_validators",
    "validate_claims",
    "refresh_session",
    "regenerate_access_token",
    "revoke_session",
    "get_session_information",
    "update_session_data_in_database",
    "merge_into_access_token_payload",
    "get_all_session_handles_for_user",
)
APIS = ("verify_session", "refresh_post", "signout_post")


class Watch:
    """What every hook reports to."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._counting = threading.Lock()
        self.leaks: list[str] = []

    def count(self, where: str) -> None:
        """Count a call; `+=` alone loses some that threads make at once."""
        with self._counting:
            self.calls[where] += 1

    def see(self, where: str, user_context: dict[str, Any], *users: str | None) -> None:
        """Check that a context, its request and the users named by the arguments are one person's."""
        self.count(where)
        request = get_request_from_user_context(user_context)
        known = {user_context.setdefault("owner", None), user_context.get("view of"), *users}
        if request is not None:
            known.add(request.get_header("x-user"))
            user_context["owner"] = request.get_header("x-user")
        self.check(where, known)

    def see_request(self, where: str, request: BaseRequest | None, *users: str | None) -> None:
        self.count(where)
        self.check(where, {request.get_header("x-user") if request else None, *users})

    def check(self, where: str, known: set[str | None]) -> None:
        if len(known - {None}) > 1:
            self.leaks.append(f"{where}: {known - {None}}")


def spied(watch: Watch, kind: str, name: str, hook: Any, style: str) -> Any:
    """Wrap one function or API of a recipe; the first user that it names must be the request's."""

    def report(args: tuple[Any, ...], named: dict[str, Any], result: Any = None) -> None:
        context = named.get("user_context", args[-1] if args else {})
        users = [named.get("user_id"), result.get_user_id() if hasattr(result, "get_user_id") else None]
        if name in ("create_new_session", "validate_claims", "get_all_session_handles_for_user") and args:
            users.append(args[0])
        if name == "get_global_claim_validators" and args:
            users.append(args[1])
        if kind == "api":
            options = next(argument for argument in args if isinstance(argument, APIOptions))
            users.append(options.request.get_header("x-user"))
        watch.see(f"{kind} {name}", context, *users)

    async def call_async(*args: Any, **named: Any) -> Any:
        report(args, named)
        await asyncio.sleep(0)
        result = hook(*args, **named)
        result = await result if asyncio.iscoroutine(result) else result
        await asyncio.sleep(0)
        report(args, named, result)
        return result

    def call_sync(*args: Any, **named: Any) -> Any:
        report(args, named)
        return hook(*args, **named)

    return call_async if style == "async" else call_sync


def settings(watch: Watch, style: str) -> dict[str, Any]:  # noqa: C901  its functions count
    """Return the arguments of `session.init` with a spy in every place that takes a function."""

    def functions(original: RecipeInterface) -> RecipeInterface:
        for name in FUNCTIONS:
            setattr(original, name, spied(watch, "function", name, getattr(original, name), style))
        return original

    def apis(original: Any) -> Any:
        for name in APIS:
            setattr(original, name, spied(watch, "api", name, getattr(original, name), style))
        return original

    def answer(where: str, status: int) -> Any:
        def handler(request: BaseRequest, fact: Any, response: BaseResponse) -> BaseResponse:
            user = fact[0].id if isinstance(fact, list) else fact
            watch.see_request(where, request, user)
            if response.get_header("x-answer-for"):
                watch.leaks.append(f"{where}: the response is not fresh")
            response.set_header("x-answer-for", user)
            response.set_status_code(status)
            response.set_json_content({"user": request.get_header("x-user")})
            return response

        async def handler_async(*arguments: Any) -> BaseResponse:
            await asyncio.sleep(0)
            return handler(*arguments)

        return handler_async if style == "async" else handler

    def transfer(request: BaseRequest, creating: bool, user_context: dict[str, Any]) -> Any:
        watch.see("transfer method", user_context, request.get_header("x-user"))
        return "cookie"

    return {
        "override": session.InputOverrideConfig(functions=functions, apis=apis),
        "error_handlers": session.InputErrorHandlers(
            on_unauthorised=answer("on_unauthorised", 401),
            on_try_refresh_token=answer("on_try_refresh_token", 401),
            on_invalid_claim=answer("on_invalid_claim", 403),
        ),
        "get_token_transfer_method": transfer,
    }


def claim_spies(watch: Watch, style: str) -> Any:
    """Return an `override_global_claim_validators` whose validator refetches each time; all of it reports."""

    def fetch(user_id: str, tenant_id: str, user_context: dict[str, Any]) -> str:
        watch.see("fetch_value", user_context, user_id)
        return user_id

    async def fetch_async(user_id: str, *more: Any) -> str:
        """The form of later releases, with five arguments."""
        await asyncio.sleep(0)
        return fetch(user_id, more[-2], more[-1])

    async def fetch_of_five(user_id: str, rsub: str, tenant_id: str, payload: Any, user_context: Any) -> str:
        watch.check("payload of fetch_value", {user_id, rsub, payload["sub"]})
        return await fetch_async(user_id, tenant_id, user_context)

    owner = PrimitiveClaim[str]("owner", fetch_of_five if style == "async" else fetch)

    class Own(SessionClaimValidator):
        claim = owner

        def should_refetch(self, payload: Any, user_context: Any) -> bool:
            watch.see("should_refetch", user_context, payload["sub"])
            return True

        async def validate(self, payload: Any, user_context: Any) -> ClaimValidationResult:
            watch.see("validate", user_context, payload["sub"], owner.get_value_from_payload(payload))
            payload["from a validator"] = payload["sub"]
            return ClaimValidationResult(True)

    def own(validators: list[Any], of: Any, user_context: dict[str, Any]) -> list[Any]:
        watch.see("override_global_claim_validators", user_context, of.get_user_id())
        validators.append(Own("own"))
        return validators

    return own


def routes(watch: Watch, style: str, shared: dict[str, Any]) -> list[Route]:  # noqa: C901  its functions count
    """Return an application whose views report, too."""
    own = claim_spies(watch, style)

    def user_of(visit: Visit) -> str:
        return visit.request.headers["x-user"]

    async def log_in(visit: Visit) -> Any:
        user = user_of(visit)
        await visit.log_in(user, {"nested": {"list": []}}, user_context={"view of": user})
        return user

    async def read(visit: Visit) -> Any:
        assert visit.session is not None
        user, payload = visit.session.get_user_id(), visit.session.get_access_token_payload()
        if "scratch" in payload or payload["nested"]["list"]:
            watch.leaks.append(f"payload: {payload}")
        payload["scratch"] = payload["sub"] = user
        payload["nested"]["list"].append(user)
        await visit.pause()
        watch.check("view", {user, user_of(visit), *payload["nested"]["list"]})
        watch.count("view")
        return user

    async def change(visit: Visit) -> Any:
        assert visit.session is not None
        of, context = visit.session, {"view of": user_of(visit)}
        if visit.blocking:
            of.sync_merge_into_access_token_payload({"last": of.get_user_id()}, context)
            of.sync_update_session_data_in_database({"of": of.get_user_id()}, context)
            data = of.sync_get_session_data_from_database(context)
        else:
            await of.merge_into_access_token_payload({"last": of.get_user_id()}, context)
            await of.update_session_data_in_database({"of": of.get_user_id()}, context)
            data = await of.get_session_data_from_database(context)
        watch.check("session data", {data["of"], of.get_access_token_payload()["last"], user_of(visit)})
        return of.get_user_id()

    async def refuse(visit: Visit) -> Any:
        raise UnauthorisedError(user_of(visit), clear_tokens=False)

    async def forbid(visit: Visit) -> Any:
        raise InvalidClaimsError("no", [ClaimValidationError(user_of(visit), None)])

    async def stale(visit: Visit) -> Any:
        raise TryRefreshTokenError(user_of(visit))

    plain: dict[str, Any] = {"user_context": shared}
    return [
        Route("/login", log_in),
        Route("/read", read, verify=plain),
        Route("/optional", read, verify={"session_required": False}),
        Route("/checked", read, verify={"check_database": True}),
        Route("/claims", read, verify={"override_global_claim_validators": own, **plain}),
        Route("/change", change, verify=plain),
        Route("/refuse", refuse, verify=plain),
        Route("/forbid", forbid, verify=plain),
        Route("/stale", stale),
    ]


SCRIPT = [
    *[("GET", "/read", 200)] * READS,
    ("GET", "/optional", 200),
    ("GET", "/checked", 200),
    ("GET", "/claims", 200),
    ("POST", "/change", 200),
    ("POST", "/refuse", 401),
    ("POST", "/forbid", 403),
    ("POST", "/stale", 401),
    ("POST", "/auth/session/refresh", 200),
]


def judge(watch: Watch, browser: Browser, path: str, status: int, answer: Any) -> None:
    """Check that an answer is for the user of this browser."""
    user = browser.headers["x-user"]
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    watch.count("answers")
    body = answer.json()
    about = body.get("user", user) if isinstance(body, dict) else body
    known = {user, about, answer.headers.get("x-answer-for")}
    if token := answer.headers.get("front-token"):
        known.add(json.loads(base64.b64decode(token))["uid"] if token != "remove" else None)
    watch.check(f"answer of {path}", known)


def visit_blocking(watch: Watch, browser: Browser) -> None:
    judge(watch, browser, "/login", 200, browser.send_blocking("POST", "/login"))
    for _ in range(ROUNDS):
        for method, path, status in SCRIPT:
            judge(watch, browser, path, status, browser.send_blocking(method, path))
    judge(watch, browser, "/auth/signout", 200, browser.send_blocking("POST", "/auth/signout"))


async def visit_async(watch: Watch, browser: Browser) -> None:
    judge(watch, browser, "/login", 200, await browser.post("/login"))
    for _ in range(ROUNDS):
        for method, path, status in SCRIPT:
            judge(watch, browser, path, status, await browser.send(method, path))
    judge(watch, browser, "/auth/signout", 200, await browser.post("/auth/signout"))


@pytest.fixture
def hectic() -> Iterator[None]:
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("style", ["sync", "async"])
@pytest.mark.parametrize("kind", [*KINDS, "fastapi-def"])
@pytest.mark.usefixtures("hectic")
def test_d1_d2_nothing_of_one_user_reaches_another(
    kind: str, style: str, start: Start, open_site: Open
) -> None:
    watch, shared = Watch(), {"given": "by the developer"}

    def origin(request: BaseRequest | None, user_context: dict[str, Any]) -> str:
        watch.see_request("origin", request, user_context.get("owner"), user_context.get("view of"))
        return "http://example.com"

    start(
        info={"origin": origin},
        engine={"sqlite_synchronous": "NORMAL", "refresh_token_rotation_grace_period": 300},
        **settings(watch, style),
    )
    site = open_site(kind, routes(watch, style, shared))
    browsers = [site.browser(x_user=user, rid="x") for user in USERS for _ in range(BROWSERS_OF_EACH)]
    failures: list[BaseException] = []

    def in_a_thread(mine: list[Browser]) -> None:
        async def all_of_mine() -> None:
            await asyncio.gather(*(visit_async(watch, browser) for browser in mine))

        try:
            if site.is_async:
                asyncio.run(all_of_mine())
            else:
                (browser,) = mine
                visit_blocking(watch, browser)
        except BaseException as error:
            failures.append(error)

    groups = [browsers[::2], browsers[1::2]] if site.is_async else [[browser] for browser in browsers]
    threads = [threading.Thread(target=in_a_thread, args=(group,)) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert watch.leaks == []
    assert shared == {"given": "by the developer"}
    assert watch.calls["answers"] == len(browsers) * (ROUNDS * len(SCRIPT) + 2)
    silent = [name for name in expected_calls() if not watch.calls[name]]
    assert silent == []


def expected_calls() -> list[str]:
    """Return every hook that must have been called, so that a spy on nothing is noticed."""
    offline = {"merge_into_access_token_payload", "get_all_session_handles_for_user"}
    hooks = ["on_unauthorised", "on_try_refresh_token", "on_invalid_claim", "transfer method", "origin"]
    claims = ["fetch_value", "should_refetch", "validate", "override_global_claim_validators"]
    functions = [f"function {name}" for name in FUNCTIONS if name not in offline]
    return [*functions, *(f"api {name}" for name in APIS), *hooks, *claims, "view"]
