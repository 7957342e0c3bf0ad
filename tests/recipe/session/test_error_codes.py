"""Codes of errors: every one is documented, every place that raises has one, and the debug log shows it."""

from __future__ import annotations

import ast
import importlib
import logging
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.error_explanations import EXPLANATIONS
from supertokens_py.events import ClaimsFailed, Event, SessionRefused, subscribe
from supertokens_py.exceptions import BadInputError, SuperTokensError
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.session.exceptions import (
    SuperTokensSessionError,
    TokenTheftError,
    TryRefreshTokenError,
    UnauthorisedError,
)
from tests.framework.site import DRIVERS, Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "supertokens_py"
#: Their callers are applications.
HELPERS = {"raise_unauthorised_exception", "raise_try_refresh_token_exception"}


def _documented() -> list[str]:
    return re.findall(r"^\| `([a-z_]+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)


def _classes(base: type[SuperTokensError]) -> Iterator[type[SuperTokensError]]:
    yield base
    for one in base.__subclasses__():
        yield from _classes(one)


def test_every_code_is_documented() -> None:
    """docs/errors.md lists those of classes and those of sessions, each once."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "supertokens_py."):
        # What plugs into Django wants the settings of a project, and defines no errors.
        if not module.name.endswith("__main__") and ".framework.django." not in module.name:
            importlib.import_module(module.name)
    general = {
        one.code
        for one in _classes(SuperTokensError)
        if one.__module__.startswith("supertokens_py.") and not issubclass(one, SuperTokensSessionError)
    }
    codes = [*general, *get_args(SessionErrorCode)]
    assert sorted(_documented()) == sorted(codes)
    assert {one.code for one in _classes(SuperTokensSessionError)} <= set(get_args(SessionErrorCode))


def test_what_a_code_means_is_what_the_page_says() -> None:
    """To the letter, links and a dash aside: the command line and `hint` tell the same as docs/errors.md."""
    page = (ROOT / "docs" / "errors.md").read_text()
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \| (.+) \|$", page, re.MULTILINE)
    plain = [(code, *(re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", cell) for cell in row)) for code, *row in rows]
    assert plain == [(code, one.meaning, one.advice or "–") for code, one in EXPLANATIONS.items()]


def test_errors_say_what_to_do() -> None:
    """`hint` is for logs; errors of applications have none."""
    assert UnauthorisedError("x", code="session_gone").hint == "The user signs in again."
    assert TryRefreshTokenError("x", code="access_token_expired").hint == "Nothing: the frontend refreshes."
    assert TokenTheftError("ada", "handle").hint == "Look at the event `session.reuse`: Security."
    assert UnauthorisedError("banned").hint == ""


def _without_a_code(source: str) -> Iterator[int]:
    """Yield the lines that refuse a session, by an error or by a status, and do not say why."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name not in HELPERS:
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            yield from (call.lineno for call in calls if _refuses(call) and not _says_its_code(call))


def _refuses(call: ast.Call) -> bool:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            if name in ("UnauthorisedError", "TryRefreshTokenError"):
                return True
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return any(isinstance(one, ast.Constant) and one.value in (401, 403) for one in given)


def _says_its_code(call: ast.Call) -> bool:
    return any(keyword.arg == "code" for keyword in call.keywords)


def test_every_place_says_its_code() -> None:
    """CP-36: no 401 or 403 of the SDK's own goes out as one of the application's, or without a reason."""
    # The application under test raises errors of its own; the CDI server and the admin page refuse callers
    # and people, and no session.
    others = [PACKAGE / name for name in ("testing", "server", "admin")]
    without = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in PACKAGE.rglob("*.py")
        if not any(other in path.parents for other in others)
        for line in _without_a_code(path.read_text())
    ]
    assert without == []


@pytest.mark.parametrize(
    "refusal",
    [
        "raise UnauthorisedError('gone')",
        "raise exceptions.TryRefreshTokenError('old')",
        "return _refused(response, 403, 'no proof')",
        "response.set_status_code(401)",
        "return BaseResponse({}, status=403)",
    ],
)
def test_a_refusal_without_a_code_is_found(refusal: str) -> None:
    """However it is written: by the name of an error, by that of its module, or by the status alone."""
    assert [*_without_a_code(f"def view():\n    {refusal}")] == [2]


def test_errors_of_applications() -> None:
    """They have codes of their own; the arguments of 0.24 stay."""
    assert UnauthorisedError("banned", False).code == "application"
    assert TryRefreshTokenError("again").code == "application"
    assert TryRefreshTokenError("again", code="session_gone").code == "session_gone"
    assert BadInputError("what?").code == "bad_input"


def _no_token(site: Site, visitor: Any, clock: Clock) -> None:
    site.get("/protected")


def _expired(site: Site, visitor: Any, clock: Clock) -> None:
    clock.advance(minutes=61)
    visitor.get("/protected")


def _changed(site: Site, visitor: Any, clock: Clock) -> None:
    visitor.access = visitor.access[:-8] + "AAAAAAAA"
    visitor.get("/protected")


def _refresh_without(site: Site, visitor: Any, clock: Clock) -> None:
    site.post("/auth/session/refresh")


def _refresh_invalid(site: Site, visitor: Any, clock: Clock) -> None:
    visitor.refresh_token = "x" * 40
    visitor.refresh()


def _reused(site: Site, visitor: Any, clock: Clock) -> None:
    stolen = visitor.refresh_token
    visitor.refresh()
    clock.advance(minutes=5)
    visitor.refresh_token = stolen
    visitor.refresh()


def _gone(site: Site, visitor: Any, clock: Clock) -> None:
    refresh_token = visitor.refresh_token
    visitor.post("/auth/signout")
    visitor.refresh_token = refresh_token
    visitor.refresh()


def _superseded(site: Site, visitor: Any, clock: Clock) -> None:
    old = visitor.access
    visitor.refresh()
    clock.advance(s=31)
    visitor.refresh()
    clock.advance(s=31)
    visitor.refresh()
    visitor.access = old
    visitor.get("/database")


def _claims(site: Site, visitor: Any, clock: Clock) -> None:
    visitor.get("/claims")


PROVOKED = [
    (_no_token, "no_token"),
    (_expired, "access_token_expired"),
    (_changed, "access_token_signature"),
    (_refresh_without, "refresh_token_missing"),
    (_refresh_invalid, "refresh_token_invalid"),
    (_reused, "refresh_token_reused"),
    (_gone, "session_gone"),
    (_superseded, "access_token_superseded"),
    (_claims, "claims_failed"),
]


@pytest.mark.parametrize("framework", DRIVERS)
def test_codes_are_those_of_the_core_in_every_framework(
    framework: str, sqlite_database: TestDatabase, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CP-36: each refusal is an event with its code, and no response says it."""
    codes: list[str] = []
    bodies: list[bytes] = []

    def note(event: Event) -> None:
        if isinstance(event, SessionRefused):
            codes.append(event.code)
        elif isinstance(event, ClaimsFailed):
            codes.append("claims_failed")

    answer = Site.request

    def kept(self: Site, *args: Any, **kwargs: Any) -> Any:
        reply = answer(self, *args, **kwargs)
        bodies.append(reply.body)
        return reply

    monkeypatch.setattr(Site, "request", kept)
    site = Site(framework, sqlite_database.uri, clock).init()
    claim = BooleanClaim("admin", lambda *_: False)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    unsubscribe = subscribe(note)
    for provoke, _ in PROVOKED:
        provoke(site, site.sign_in("header"), clock)
    unsubscribe()
    site.close()
    assert codes == [code for _, code in PROVOKED]
    assert [code for code in codes for body in bodies if code.encode() in body] == []


@pytest.mark.parametrize(("provoke", "code"), PROVOKED)
def test_the_debug_log_has_the_code(
    provoke: Callable[[Site, Any, Clock], None],
    code: str,
    sqlite_database: TestDatabase,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In the text and as an attribute of the record; the response has none."""
    site = Site("flask", sqlite_database.uri, clock).init()
    claim = BooleanClaim("admin", lambda *_: False)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    visitor = site.sign_in("header")
    with caplog.at_level(logging.DEBUG, "supertokens_py.recipe.session"):
        provoke(site, visitor, clock)
    site.close()
    answered: list[Any] = [record for record in caplog.records if record.getMessage().startswith("answering")]
    assert [record.code for record in answered] == [code]
    assert f"({code}): " in answered[0].getMessage()
