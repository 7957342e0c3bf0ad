"""CPU time of one verification, in process: tokens alone, `get_session`, and whole requests."""

from __future__ import annotations

from argparse import Namespace

from apps import VARIANTS
from apps.sdk import LABELS, OURS, THEIRS
from support.report import BEYOND, Claim, Group, Report, Row, ratio, sampled
from support.rounds import Samples, interleave, median, sized, spread, workers
from support.servers import standin_core

FLOOR = "floor (same tokens)"
SDKS = "contestants.sdks"
WEB = ("fastapi", "flask", "django wsgi", "django asgi")


def run(options: Namespace) -> Report:
    rounds, budget, slice_ms = sized(options, once=(1, 0, 0), quick=(5, 8, 8), full=(25, 60, 20))
    with standin_core() as core:
        specifications = [
            (f"{SDKS}:token_alone",),
            *(("contestants.peers:hand", which) for which in ("pyjwt", "joserfc")),
            ("contestants.peers:fastapi_users",),
            ("contestants.peers:flask_jwt_extended",),
            (f"{SDKS}:get_session", THEIRS, core),
            (f"{SDKS}:get_session", OURS, core),
            (f"{SDKS}:get_session", OURS, core, "small"),
        ]
        with workers(*specifications, optional=[f"{SDKS}:get_session"]) as contestants:
            samples = interleave(contestants, rounds=rounds, budget_s=budget, slice_ms=slice_ms)
        groups = _token_groups(samples)
        for kind in kinds_of(options):
            names = VARIANTS[kind.partition(" ")[0]]
            if options.quick:
                names = [name for name in names if "validators" not in name]
            if options.once:  # importing supertokens-python takes seconds
                names = [name for name in names if not name.startswith(f"{LABELS[THEIRS]}: ")]
            chosen = [("contestants.web:requests", kind, name, core) for name in names]
            with workers(*chosen, optional=["contestants.web:requests"]) as contestants:
                web = interleave(contestants, rounds=rounds, budget_s=budget / 3, slice_ms=slice_ms)
            groups.append(_web_group(kind, web))
    notes = [
        "'first' takes 256 tokens in turn through a memory of 64: each is new, verified, kept, forgotten.",
        "A request in process is the application called as ASGI or WSGI; 'added' is over the bare route.",
    ]
    return Report("micro", options.quick, groups, _claims(samples), notes)


def kinds_of(options: Namespace) -> list[str]:
    """Return the applications of this run."""
    return [kind for kind in WEB if options.only in kind]


def _token_groups(samples: dict[str, Samples]) -> list[Group]:
    def owner(name: str) -> str:
        return "us" if name.startswith("ours") else "floor" if name == FLOOR else "peer"

    rejections = [name for name in samples if "rejects" in name]
    requests = [name for name in samples if "(request)" in name or "dependency" in name]
    alone = [name for name in samples if name not in rejections and name not in requests]
    return [
        sampled(title, samples, [(name, owner(name)) for name in names], base=FLOOR)
        for title, names in (
            ("One token", alone),
            ("get_session of a request", [FLOOR, *requests]),
            ("Rejection", [FLOOR, *rejections]),
        )
    ]


def _web_group(kind: str, samples: dict[str, Samples]) -> Group:
    bare = samples[f"{kind}: bare"]
    rows = []
    for name, values in samples.items():
        variant = name.removeprefix(f"{kind}: ")
        owner = (
            "us"
            if variant.startswith("ours")
            else "base"
            if variant in ("bare", "trivial dependency")
            else "peer"
        )
        added = median(values.cpu) - median(bare.cpu)
        extra = {"min": min(values.cpu)} | ({"added": added} if variant != "bare" else {})
        rows.append(Row(variant, median(values.cpu), spread(values.cpu), None, owner, extra))
    return Group(f"A request to {kind}, in process", "us CPU per request", rows, base="bare")


def _claims(samples: dict[str, Samples]) -> list[Claim]:
    def claim(text: str, target: float, case: str, *, note: str = "") -> Claim:
        return Claim(text, target, ratio(samples, case, FLOOR), note=note)

    claims = [
        claim("first verification of a token / floor", 1.5, "ours: token alone, first"),
        claim("repeated, token alone / floor", 0.1, "ours: token alone, repeated"),
        claim("repeated, get_session(request), cookie / floor", 0.5, "ours: get_session(request), cookie"),
        claim("repeated, get_session(request), header / floor", 0.5, "ours: get_session(request), header"),
        claim(
            "repeated, get_session(request), 2 validators / floor",
            0.5,
            "ours: get_session(request), 2 validators",
            note=BEYOND,
        ),
    ]
    for name in samples:
        if "rejects" in name:
            note = BEYOND if "get_session" in name else ""
            claims.append(claim(f"{name.removeprefix('ours: ')} / floor", 1.5, name, note=note))
    return claims
