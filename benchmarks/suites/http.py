"""CPU that a guarded route costs a real server, over the bare route of the same framework."""

from __future__ import annotations

import random
import sys
import time
from argparse import Namespace
from collections.abc import Sequence

from apps import OTHERS, VARIANTS
from support.load import Load, client
from support.report import BEYOND, Claim, Group, Report, Row
from support.rounds import median, progress, sized, spread
from support.servers import Server, running, standin_core

Figures = dict[str, list[float]]
FASTAPI_SHARE, OTHER_SHARE = 0.40, 0.25  #: of the bare route's CPU
NAMES = {
    "fastapi": "FastAPI, uvicorn",
    "flask sync": "Flask, gunicorn sync",
    "flask gthread": "Flask, gunicorn gthread",
    "django wsgi sync": "Django WSGI, gunicorn sync",
    "django wsgi gthread": "Django WSGI, gunicorn gthread",
    "django asgi": "Django ASGI, uvicorn",
    "starlette": "Starlette, uvicorn",
    "litestar": "Litestar, uvicorn",
    "quart": "Quart, uvicorn",
    "aiohttp": "aiohttp, its own server",
    "sanic": "Sanic, its own server",
    "tornado": "Tornado, its own server",
    "drf": "Django REST framework, gunicorn sync",
    "ninja": "Django Ninja, gunicorn sync",
}
SECONDS, QUICK_SECONDS = 23, 3.6  #: of load, for each framework and way of transfer


def run(options: Namespace) -> Report:
    kinds = [kind for kind in NAMES if not options.only or options.only in kind]
    transfers = ["cookie"] if options.quick else ["cookie", "header"]
    pairs = [
        (kind, transfer) for kind in kinds for transfer in (transfers[:1] if kind in OTHERS else transfers)
    ]
    if not pairs:
        raise SystemExit(f"--only {options.only!r} matches nothing in this suite")
    seconds, rounds = sized(options, once=(0, 1), quick=(QUICK_SECONDS, 5), full=(SECONDS, 15))
    groups, claims = [], []
    with standin_core() as core, client() as load:
        for kind, transfer in pairs:
            print(f"{NAMES[kind]}, {transfer}", file=sys.stderr)
            variants = _variants(kind, transfer, quick=options.quick)
            with running(kind, variants, transfer, core) as servers:
                figures = _measure(servers, load, seconds=seconds, rounds=rounds)
            group = _group(f"{NAMES[kind]}, token in a {transfer}", servers, figures)
            groups.append(group)
            if kind not in OTHERS:  # a route that does nothing says little of what may be added to it
                claims += _claims(kind, transfer, group)
    note = (
        "Each value is CPU time of the server process per request, read from the process itself; "
        "'added' is the median over rounds of the difference to the bare route in the same round."
    )
    return Report("http", options.quick, groups, claims, [note], _summary(groups))


def _variants(kind: str, transfer: str, *, quick: bool) -> Sequence[str]:
    variants = VARIANTS[kind.partition(" ")[0]]
    if transfer == "header":
        variants = [name for name in variants if name not in ("signed-cookie session", "login_required")]
    if quick:
        variants = [name for name in variants if "validators" not in name and name != "login_required"]
    return variants


def _measure(servers: Sequence[Server], load: Load, *, seconds: float, rounds: int) -> Figures:
    figures: Figures = {server.variant: [] for server in servers}
    speed = {}
    for server in servers:
        load.apply(server, 100)
        speed[server.variant] = load.apply(server, 100) / 100
    # As many requests as fill the time, the same for all.
    requests = max(100, min(4000, int(seconds * 0.8 / rounds / sum(speed.values()))))
    deadline, order = time.monotonic() + seconds * 1.3, list(servers)
    for number in range(rounds):
        if number >= 3 and time.monotonic() > deadline:
            break
        random.Random(number).shuffle(order)
        for server in order:
            before = server.cpu_ns()
            load.apply(server, requests)
            figures[server.variant].append((server.cpu_ns() - before) / requests / 1000)
        progress(number + 1, rounds)
    return figures


def _group(title: str, servers: Sequence[Server], figures: Figures) -> Group:
    bare = figures["bare"]
    rows = []
    for server in servers:
        values = figures[server.variant]
        added = [mine - base for mine, base in zip(values, bare, strict=True)]
        owner = (
            "us"
            if server.variant.startswith("ours")
            else "base"
            if server.variant in ("bare", "trivial dependency")
            else "peer"
        )
        extra = {"min": min(values)}
        if server.variant != "bare":
            extra |= {
                "added": median(added),
                "IQR of added": spread(added),
                "added (min)": min(values) - min(bare),
            }
        rows.append(Row(server.variant, median(values), spread(values), None, owner, extra))
    return Group(title, "us CPU per request", rows, base="bare")


def _summary(groups: Sequence[Group]) -> Group:
    """Return what each way to guard a route adds, under one server of each framework."""
    rows: list[Row] = []
    seen: set[str] = set()
    for group in groups:
        framework = group.title.partition(",")[0]
        if framework not in seen and group.title.endswith("in a cookie"):
            seen.add(framework)
            rows += [
                Row(
                    f"{framework}: {'supertokens_py' if row.owner == 'us' else row.label}",
                    row.extra["added"],
                    row.extra["IQR of added"],
                    owner=row.owner,
                )
                for row in group.rows
                if "added" in row.extra and row.owner != "base" and ":" not in row.label
            ]
    return Group("What a guarded route costs more than a bare one", "µs of CPU per request", rows)


def _claims(kind: str, transfer: str, group: Group) -> list[Claim]:
    added = {row.label: row.extra.get("added", 0.0) for row in group.rows}
    bare = group.rows[0].value
    mine, middleware = added.get("ours"), added.get("ours: middleware")

    def over(peer: str) -> float | None:
        return mine / added[peer] if mine is not None and peer in added else None

    where = f"{kind}, {transfer}"
    claims = [Claim(f"{where}: added CPU / supertokens-python", 1 / 8, over("supertokens-python"))]
    claims += [
        Claim(f"{where}: added CPU / {peer}", 1 / 3, over(peer))
        for peer in ("fastapi-users", "flask-jwt-extended", "PyJWT by hand")
        if peer in added
    ]
    claims += [
        Claim(f"{where}: added CPU / {peer}", 1 / 2, over(peer), note=note)
        # A session is no user: `login_required` is what answers the question that verify_session answers.
        for peer, note in (("login_required", ""), ("signed-cookie session", BEYOND))
        if peer in added
    ]
    note = ""
    if "trivial dependency" in added:
        note = f"a trivial dependency alone {added['trivial dependency'] / bare:.2f}"
    claims.append(
        Claim(
            f"{where}: added CPU / bare route",
            FASTAPI_SHARE if kind == "fastapi" else OTHER_SHARE,
            mine / bare if mine is not None else None,
            note=note,
        )
    )
    claims.append(
        Claim(
            f"{where}: middleware alone / bare route",
            0.08,
            middleware / bare if middleware is not None else None,
        )
    )
    return claims
