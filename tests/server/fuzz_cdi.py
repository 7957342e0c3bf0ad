"""Requests made up from the server's own description, right and wrong: `scripts/fuzz cdi --count 100000`.

No answer may be 5xx, or of a status, a content type or a shape that the description does not have.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.factory import open_engine
from supertokens_py.server import create_app
from supertokens_py.testing.conformance import AsgiClient
from tests.security.fuzz import mutated
from tests.server.wire import Wire, access, refresh_token

CORPUS = Path(__file__).parent / "corpus" / "bodies.jsonl"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_USERS = ("u1", "u2")


class Target:
    """A server in this process, with sessions, roles and tenants that requests can hit."""

    def __init__(self) -> None:
        settings = EngineConfig(
            clean_up_interval=0, argon2_memory_kb=1024, argon2_parallelism=1, sign_in_free_failures=0
        ).resolve({})
        self.app = create_app(
            open_engine("sqlite://", settings, keeps_users=True),
            allow_no_api_key=True,
            max_body_bytes=20_000,
        )
        self.wire = Wire(TestClient(self.app, base_url="http://core"))
        self.schema = schemathesis.openapi.from_asgi("/openapi.json", self.app)
        self.statuses: Counter[int] = Counter()
        self.answers: Counter[str] = Counter()
        self.known: dict[str, list[Any]] = {}
        self.stock()

    def stock(self) -> None:
        """Make what is to be found: requests use it up."""
        for tenant in ("public", "t1"):
            self.wire.put("/recipe/multitenancy/tenant/v2", {"tenantId": tenant})
        self.wire.put("/recipe/role", {"role": "admin", "permissions": ["read"]})
        issued = [self.wire.create(user, tenant=tenant) for user in _USERS for tenant in ("public", "t1")]
        people = [self._signed_up(name) for name in _USERS]
        self.known = {
            "userId": [*_USERS, *people],
            "recipeUserId": people,
            "email": [f"{name}@example.com" for name in _USERS],
            "password": ["p"],
            "role": ["admin"],
            "permission": ["read"],
            "tenantId": ["t1", "public"],
            "algorithm": ["RS256"],
            "sessionHandle": [answer["session"]["handle"] for answer in issued],
            "sessionHandles": [[answer["session"]["handle"]] for answer in issued],
            "accessToken": [access(answer) for answer in issued],
            "refreshToken": [refresh_token(answer) for answer in issued],
        }

    def _signed_up(self, name: str) -> str:
        """Return the id of the user with an address, whose password was "p" once."""
        email = f"{name}@example.com"
        found = self.wire.get("/recipe/user", {"email": email})
        if found["status"] != "OK":
            found = self.wire.post("/recipe/signup", {"email": email, "password": "p"})
        return found["user"]["id"]

    def ask(self, case: schemathesis.Case) -> None:
        """Send a request and judge the answer."""
        response = case.call()
        self.statuses[response.status_code] += 1
        if response.status_code == 200 and "json" in (response.headers["content-type"][0]):
            answer = response.json()
            self.answers[str(answer.get("status")) if isinstance(answer, dict) else "other"] += 1
        case.validate_response(response, checks=CHECKS)

    def requests(self, operation: Any, mode: GenerationMode) -> st.SearchStrategy[schemathesis.Case]:
        """Return a strategy for requests, of which about half name something that exists."""

        @st.composite
        def request(draw: st.DrawFn) -> schemathesis.Case:
            case = draw(operation.as_strategy(generation_mode=mode))
            for part in (case.body, case.query, case.path_parameters):
                if not isinstance(part, dict):
                    continue
                for name in part.keys() & self.known.keys():
                    if draw(st.booleans()):
                        part[name] = draw(st.sampled_from(self.known[name]))
            return case

        return request()


def corpus() -> list[str]:
    """Return the committed bodies, of which some name a `{access}` or `{refresh}` token or a `{handle}`."""
    return [json.loads(line) for line in CORPUS.read_text().splitlines()]


def send_bodies(target: Target, bodies: Iterable[str]) -> list[str]:
    """Send each body to every operation that takes one; return what was answered otherwise than described."""
    document = target.wire.raw("GET", "/openapi.json").json()
    asked = [
        (method.upper(), path, operation["responses"])
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "requestBody" in operation
    ]
    problems: list[str] = []
    with closing(AsgiClient(_named_core(target.app))) as client:  # Starlette's starts a thread each time
        for body in bodies:
            raw = _filled(body, target)
            for method, path, described in asked:
                lines = [("content-length", str(len(raw)))]
                status = client.request(method, path.replace("{tenantId}", "public"), lines, raw).status
                target.statuses[status] += 1
                if status >= 500 or str(status) not in described:
                    problems.append(f"{status} {method} {path}: {body[:200]!r}")
    return problems


def _named_core(app: ASGIApp) -> ASGIApp:
    """Give requests the name of a server in a network of its own; others need a key."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        others = [line for line in scope["headers"] if line[0] != b"host"]
        await app({**scope, "headers": [(b"host", b"core"), *others]}, receive, send)

    return call


def _filled(body: str, target: Target) -> bytes:
    """Put what exists in its places in a body of the corpus."""
    kinds = {"{access}": "accessToken", "{refresh}": "refreshToken", "{handle}": "sessionHandle"}
    if any(place in body for place in kinds):
        target.stock()  # requests use it up
    for place, kind in kinds.items():
        body = body.replace(place, target.known[kind][0])
    # A byte each below U+0100, so that a corpus of texts holds bodies that are no text.
    return body.encode("latin-1") if max(body, default="") < "Ā" else body.encode(errors="replace")


def run(operation: Any, target: Target, *, count: int, seed: int, mode: GenerationMode) -> None:
    """Send `count` requests to one operation."""

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(target.requests(operation, mode))
    def ask(case: schemathesis.Case) -> None:
        target.ask(case)

    ask()


def operations(target: Target) -> dict[str, Any]:
    """Return what the description describes, by method and path."""
    return {
        operation.label: operation
        for operation in (found.ok() for found in target.schema.get_all_operations())
    }


def main(say: Callable[[str], None] = print) -> int:
    """Fuzz every operation; 1 if one failed."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz cdi")
    parser.add_argument("--count", type=int, default=20_000, help="requests [%(default)s]")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    args = parser.parse_args()
    target, failed, began = Target(), list[str](), time.monotonic()
    found = operations(target)
    each = max(1, args.count // (2 * len(found)))
    say(f"seed {args.seed}; {len(found)} operations, {each} requests of each kind")
    for label, operation in found.items():
        for mode in GenerationMode:
            target.stock()
            try:
                run(operation, target, count=each, seed=args.seed, mode=mode)
            except Unsatisfiable:
                continue  # nothing can be wrong with a request that says nothing
            except (Exception, FailureGroup) as error:
                failed.append(label)
                say(f"{label} ({mode.value}): {error}")
    dice = random.Random(args.seed)
    known = corpus()
    rounds = args.count // 2000
    problems = send_bodies(target, known)
    problems += send_bodies(target, (mutated(dice.choice(known), known, dice) for _ in range(rounds * 20)))
    failed += problems
    for problem in problems[:20]:
        say(problem)
    say(f"{target.statuses.total()} requests in {time.monotonic() - began:.0f} s")
    say("answers: " + ", ".join(f"{status} {count}" for status, count in sorted(target.statuses.items())))
    say("of 200: " + ", ".join(f"{status} {count}" for status, count in target.answers.most_common()))
    say(f"failed: {', '.join(sorted(set(failed)))}" if failed else "no answer was other than described")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
