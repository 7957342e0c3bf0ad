"""Mutated tokens, random lives and floods: what `scripts/fuzz tokens`, `state` and `flood` do."""

from __future__ import annotations

import gc
import json
import logging
import random
import tempfile
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from supertokens_py.testing.conformance import Reply
from tests.framework.site import Site, Visitor
from tests.support.clock import Clock
from tests.support.databases import fill
from tests.support.units import counted_units

from .forgery import ATTACKER_RSA, compact, decode, encode, parts, rs256
from .life import Life, random_step

CORPUS = Path(__file__).parent / "corpus"


def corpus(name: str) -> list[str]:
    """Return the committed inputs of a kind, one JSON string a line."""
    return [json.loads(line) for line in (CORPUS / f"{name}.jsonl").read_text().splitlines()]


# -- mutations -------------------------------------------------------------------------------------

_PIECES = [
    ".",
    "=",
    "==",
    "+",
    "/",
    "-",
    "_",
    "A",
    "\0",
    "\n",
    "%",
    "%00",
    '"',
    ";",
    ",",
    " ",
    "é",
    "\xff",
    "V2",
    "e30",
]


def mutated(text: str, others: Sequence[str], dice: random.Random) -> str:  # noqa: C901  one flat choice
    """Return `text` with one to three things changed."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        place = dice.randrange(len(text) + 1)
        end = min(len(text), place + dice.choice((1, 1, 2, 8, 64)))
        match dice.randrange(9):
            case 0 if place < len(text):
                text = text[:place] + chr(ord(text[place]) ^ 1 << dice.randrange(7)) + text[place + 1 :]
            case 1:
                text = text[:place] + dice.choice(_PIECES) + text[place:]
            case 2:
                text = text[:place] + text[end:]
            case 3:
                text = text[:place] + text[place:end] * 2 + text[end:]
            case 4:
                text = text[:place]
            case 5:
                pieces = text.split(".")
                dice.shuffle(pieces)
                text = ".".join(pieces)
            case 6:
                other = dice.choice(others)
                text = text[:place] + other[dice.randrange(len(other) + 1) :]
            case 7:
                one, other = text.split("."), dice.choice(others).split(".")
                one[dice.randrange(len(one))] = dice.choice(other)
                text = ".".join(one)
            case _:
                text = text[:place] + text[place:end].swapcase() + text[end:]
    return text


def rewritten(token: str, dice: random.Random) -> str:
    """Return a JWT with a member of its header or payload changed, and its signature kept or made anew."""
    header, payload, signature = parts(token)
    target = dice.choice((header, payload))
    name = dice.choice([*target, "alg", "kid", "version", "sub", "exp", "stt", "crit"])
    target[name] = dice.choice(
        [None, True, 0, 1, -1, 1e308, "", "none", "5", "admin", [], {}, "\ud800", "d-1", 10**30]
    )
    if dice.random() < 0.3:
        target.pop(name)
    sign = (
        dice.choice((rs256(ATTACKER_RSA), lambda _: signature))
        if dice.random() < 0.02
        else lambda _: signature
    )
    return compact(header, payload, sign)


# -- tokens and cookies ----------------------------------------------------------------------------


@dataclass
class Report:
    """What came of a run."""

    sent: int = 0
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        table = ", ".join(
            f"{way} {status}: {count}" for (way, status), count in sorted(self.statuses.items())
        )
        return f"{self.sent} sent, {len(self.accepted)} accepted, {len(self.broken)} broken ({table})"


@contextmanager
def fuzzed_site(framework: str) -> Iterator[Site]:
    """An application on a database of its own."""
    with tempfile.TemporaryDirectory() as directory:
        uri = f"sqlite:///{directory}/fuzz.db"
        fill(uri)
        site = Site(framework, uri, Clock())
        site.init(older_cookie_domain="")  # else doubled cookies are a configuration error, a documented 500
        try:
            yield site
        finally:
            site.close()


def fuzz_tokens(site: Site, count: int, seed: int) -> Report:
    """Send mutated tokens and cookies; whatever is accepted must be the very token that was issued."""
    dice, report = random.Random(seed), Report()
    known = corpus("tokens")
    lines = corpus("cookies")
    visitor, others = _victim(site, known)
    for number in range(count):
        if number % 5000 == 4999:  # fresh material, so that not one token alone is mutated
            visitor, others = _victim(site, known)
        way = dice.choice(("bearer", "cookie", "refresh-bearer", "refresh-cookie", "cookie-line"))
        access, refresh = visitor.access or "", visitor.refresh_token or ""
        original = refresh if way.startswith("refresh") else access
        if way == "cookie-line":
            line = (
                dice.choice(lines).replace("{access}", access).replace("{refresh}", quote(refresh, safe=""))
            )
            text = mutated(line, lines, dice) if dice.random() < 0.9 else line
        elif way in ("bearer", "cookie") and dice.random() < 0.3:
            text = rewritten(access, dice)
        else:
            text = mutated(original, others, dice)
        text = text.encode("latin-1", "replace").decode("latin-1")
        # No server lets a line end pass within a header, and a framework may refuse what none can send.
        text = text.replace("\r", "").replace("\n", "")
        reply = _send(site, way, text, dice)
        report.sent += 1
        report.statuses[way, reply.status] += 1
        if reply.status >= 500:
            report.broken.append(f"{way}: {text!r}")
        elif reply.status == 200 and _who(reply) and not _was_issued(text, access, refresh):
            report.accepted.append(f"{way}: {text!r}")
        if way.startswith("refresh") and (reply.status == 200 or site.stored(visitor.handle) is None):
            visitor, others = _victim(site, known)
    return report


def _victim(site: Site, known: list[str]) -> tuple[Visitor, list[str]]:
    visitor, other = site.sign_in("header", "victim"), site.sign_in("header", "other")
    return visitor, [other.access or "", other.refresh_token or "", visitor.access or "", *known]


def _send(site: Site, way: str, text: str, dice: random.Random) -> Reply:
    match way:
        case "bearer":
            return site.get(dice.choice(("/protected", "/database", "/optional")), bearer=text)
        case "cookie":
            return site.get("/optional", cookies=[("sAccessToken", text)])
        case "refresh-bearer":
            return site.post("/auth/session/refresh", bearer=text)
        case "refresh-cookie":
            return site.post(
                "/auth/session/refresh",
                cookies=[("sRefreshToken", quote(text, safe=dice.choice(("", "/+="))))],
            )
        case _:
            path = dice.choice(("/optional", "/auth/session/refresh"))
            return site.request("POST" if "refresh" in path else "GET", path, [("cookie", text)])


def _who(reply: Reply) -> bool:
    """Tell whether the answer is that of a session."""
    if b'"user"' in reply.body:
        return reply.json["user"] is not None
    return reply.header("front-token") not in (None, "remove")


def _was_issued(text: str, access: str, refresh: str) -> bool:
    """Tell whether the unchanged token is in what was sent; base64 padding does not make it another."""
    plain = unquote(text)
    return (
        access in plain
        or refresh in plain
        or any(part.strip().rstrip("=") == access for part in plain.split(";"))
    )


# -- lives -----------------------------------------------------------------------------------------


def fuzz_state(uri: str, steps: int, seed: int) -> Counter[str]:
    """Do random steps to engine and model; raise at the first divergence, naming seed and step."""
    done: Counter[str] = Counter()
    round_number = 0
    while done.total() < steps:
        dice = random.Random(f"{seed}/{round_number}")
        life = Life(uri)
        for handle in [
            s for user in ("alice", "bob") for s in life.core.sessions.user_handles(user, tenant_id=None)
        ]:
            life.core.sessions.revoke([handle])
        for number in range(min(2000, steps - done.total())):
            try:
                done[random_step(life, dice)] += 1
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, round {round_number}, step {number}: {error}") from error
        life.close()
        round_number += 1
    return done


# -- floods ----------------------------------------------------------------------------------------


@dataclass
class Flood:
    """What a flood of one kind of token cost."""

    kind: str
    count: int
    seconds: float
    transactions: int
    kept_bytes: int

    def __str__(self) -> str:
        each = self.seconds / self.count * 1e6
        return (
            f"{self.kind:16} {self.count:>8} tokens {each:8.1f} us each  {self.transactions:>4} transactions "
            f"in {self.seconds:6.1f} s  {self.kept_bytes / 1024:8.1f} KiB kept"
        )


def flood_kinds(site: Site) -> dict[str, Any]:
    """Forged tokens by how far they come before they are refused; each call makes a new one."""
    visitor = site.sign_in("header")
    header, payload, signature = parts(visitor.access or "")
    refresh = visitor.refresh_token or ""
    head, body = (encode(json.dumps(part, separators=(",", ":")).encode()) for part in (header, payload))
    tail = encode(signature[:-8])

    def number(n: int) -> str:
        return encode(n.to_bytes(8))

    return {
        "garbage": lambda n: f"garbage-{n}",
        "foreign JWT": lambda n: f"eyJhbGciOiJIUzI1NiJ9.{number(n)}.x",
        "unknown kid": lambda n: (
            f"{encode(json.dumps({**header, 'kid': f'd-{n}'}).encode())}.{body}.{tail}{number(n)}"
        ),
        "bad signature": lambda n: f"{head}.{body}.{encode(decode(tail) + n.to_bytes(8))}",
        "60 kB": lambda n: f"{head}.{'A' * 60_000}.{number(n)}",
        "garbage refresh": lambda n: f"{number(n)}{refresh[11:]}",
    }


def flood(site: Site, kind: str, make: Any, count: int) -> Flood:
    """Send `count` distinct forged tokens; count the transactions of the store and what stays in memory."""

    def send(n: int) -> None:
        if "refresh" in kind:
            reply = site.post("/auth/session/refresh", bearer=make(n))
        else:
            reply = site.get("/protected", bearer=make(n))
        assert reply.status == 401, (kind, reply.status)

    for n in range(80):  # more than the headers that are remembered
        send(-n % 2**32 + 2**40)
    gc.collect()
    logged_from = logging.root.manager.disable
    logging.disable()  # a log that is captured keeps every request in it
    tracemalloc.start()
    before, started = tracemalloc.get_traced_memory()[0], time.perf_counter()
    with counted_units(site.engine.database) as units:
        for n in range(count):
            send(n)
    seconds = time.perf_counter() - started
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    logging.disable(logged_from)
    return Flood(kind, count, seconds, len(units), kept)
