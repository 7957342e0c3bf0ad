"""Memory: what forged tokens leave behind, what key loads they cause, how far the token memory grows."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from argparse import Namespace

from apps.sdk import LABELS, OURS, THEIRS
from support.report import Claim, Group, Report, Row
from support.rounds import BENCHMARKS, sized, worker_environment
from support.servers import standin_core

CACHE = 4096
PAGE_MB: float = resource.getpagesize() / 1e6


def run(options: Namespace) -> Report:
    count = sized(options, once=500, quick=20_000, full=100_000)
    size = sized(options, once=CACHE // 64, quick=CACHE // 4, full=CACHE)
    found: dict[str, dict[str, float]] = {}
    with standin_core() as core:
        for package in (OURS, THEIRS):
            shown = count if package == OURS else min(count, 20_000)  # theirs is five times as slow
            if (figures := _ask(package, core, str(shown))) is not None:
                found[LABELS[package]] = figures | {"shown": shown}
    bound = _ask("bound", str(size))
    groups = [
        Group(
            "Growth after forged tokens",
            "MB",
            [
                Row(
                    f"{name}: {values['shown']:,.0f} tokens",
                    values["grown"],
                    owner="us" if name == "ours" else "peer",
                    extra={key: values[key] for key in ("key loads", "seconds", "before")},
                )
                for name, values in found.items()
            ],
        )
    ]
    claims = []
    if mine := found.get("ours"):
        # The allocator keeps some freed pages: a lasting leak of one short string per token would be 10 MB.
        claims.append(
            Claim(
                f"growth after {mine['shown']:,.0f} distinct forged tokens, bytes per token",
                10,
                mine["grown"] * 1e6 / mine["shown"],
            )
        )
        claims.append(
            Claim(
                "key loads per 5 s under forged tokens",
                1,
                mine["key loads"] / max(mine["seconds"] / 5 + 1, 1),
            )
        )
    if bound is not None:
        rows = [
            Row(f"{times} as many tokens as fit ({size:,})", grown, owner="us")
            for times, grown in bound.items()
        ]
        groups.append(Group("Growth of the memory of verified tokens", "MB", rows, base=rows[0].label))
        # Few tokens may fit into pages that the process has already: growth is known to a page.
        fits = max(bound["1 x"], PAGE_MB)
        claims.append(
            Claim("verified tokens: growth at 3 x the bound / at the bound", 1.15, bound["3 x"] / fits)
        )
    return Report(
        "memory",
        options.quick,
        groups,
        claims,
        ["One process each, not in rounds: memory does not drift with load."],
    )


def _ask(*arguments: str) -> dict[str, float] | None:
    done = subprocess.run(
        [sys.executable, "-m", "contestants.memory", *arguments],
        cwd=BENCHMARKS,
        env=worker_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return json.loads(done.stdout.splitlines()[-1])
    print(f"  left out: {arguments[0]}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    return None
