"""Results of a suite: tables on the terminal, JSON in `results/`, charts beside it."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .rounds import BENCHMARKS, ROOT, Samples, median, spread

RESULTS = Path(os.environ.get("SUPERTOKENS_BENCHMARK_RESULTS", BENCHMARKS / "results"))
PACKAGES = (
    "supertokens-python",
    "flask-jwt-extended",
    "fastapi-users",
    "PyJWT",
    "joserfc",
    "cryptography",
    "fastapi",
    "starlette",
    "flask",
    "django",
    "uvicorn",
    "gunicorn",
    "SQLAlchemy",
    "psycopg",
)


@dataclass
class Row:
    """One line of a table and one bar of a chart. `owner` colours the bar: us, floor, base or peer."""

    label: str
    value: float
    iqr: float = 0.0
    ratio: float | None = None
    owner: str = "peer"
    extra: dict[str, float] = field(default_factory=dict)


@dataclass
class Group:
    """A table: rows in one unit, with the ratio of each to the row that `base` names."""

    title: str
    unit: str
    rows: list[Row]
    base: str = ""
    log: bool = False
    chart: bool = True

    def __post_init__(self) -> None:
        base = next((row.value for row in self.rows if row.label == self.base), None)
        for row in self.rows:
            if row.ratio is None and base:
                row.ratio = row.value / base


#: The note of a claim that asks more than what is promised, and is shown all the same.
BEYOND = "beyond the target"


@dataclass
class Claim:
    """What must hold: `measured` at most (or, with `at_least`, at least) `target`."""

    text: str
    target: float
    measured: float | None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> str:
        if self.measured is None:
            return "-"
        holds = self.measured >= self.target if self.at_least else self.measured <= self.target
        return "yes" if holds else "NO"


@dataclass
class Report:
    """Everything a suite found."""

    suite: str
    quick: bool
    groups: list[Group]
    claims: list[Claim]
    notes: list[str] = field(default_factory=list)
    summary: Group | None = None  #: a chart of its own, small enough for the README

    def show(self) -> None:
        for group in self.groups:
            print(f"\n{group.title} [{group.unit}]" + (f"; ratio to: {group.base}" if group.base else ""))
            extras = list(dict.fromkeys(name for row in group.rows for name in row.extra))
            table = [["", "median", "IQR", "ratio", *extras]]
            for row in group.rows:
                ratio = f"{row.ratio:.2f}" if row.ratio is not None else ""
                more = [_figure(row.extra[name]) if name in row.extra else "" for name in extras]
                table.append([row.label, _figure(row.value), _figure(row.iqr), ratio, *more])
            print_table(table)
        if self.claims:
            print("\nClaims (ratios of medians in this run)")
            table = [["claim", "target", "measured", "met?"]]
            for claim in self.claims:
                bound = (">= " if claim.at_least else "<= ") + f"{claim.target:.4g}"
                measured = "-" if claim.measured is None else f"{claim.measured:.3g}"
                table.append(
                    [claim.text + (f" ({claim.note})" if claim.note else ""), bound, measured, claim.met]
                )
            print_table(table)
        for note in [*self.notes, NOISE]:
            print(f"\n{note}")

    def save(self) -> str:
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.suite}{'-quick' if self.quick else ''}.json"
        claims = [asdict(claim) | {"met": claim.met} for claim in self.claims]
        path.write_text(json.dumps(asdict(self) | {"claims": claims, "machine": machine()}, indent=2) + "\n")
        return str(path)


NOISE = (
    "Absolute figures drift by a factor of two with the load of the machine; only ratios of one run count. "
    "CPU time is that of the process measured."
)


def sampled(
    title: str,
    samples: dict[str, Samples],
    labels: Iterable[tuple[str, str] | tuple[str, str, str]],
    *,
    base: str = "",
    log: bool = False,
    clock: str = "cpu",
) -> Group:
    """Make a table of the cases named in (case, owner[, label]) order; absent cases are left out."""
    rows: list[Row] = []
    for case, owner, *label in labels:
        if case in samples:
            values = getattr(samples[case], clock)
            other = samples[case].wall if clock == "cpu" else samples[case].cpu
            extra = {"min": min(values)} | ({} if clock == "cpu" else {"CPU": median(other)})
            rows.append(Row(label[0] if label else case, median(values), spread(values), None, owner, extra))
    return Group(title, f"us {'CPU' if clock == 'cpu' else 'wall'} per operation", rows, base, log)


def ratio(samples: dict[str, Samples], case: str, base: str, clock: str = "cpu") -> float | None:
    if case not in samples or base not in samples:
        return None
    return median(getattr(samples[case], clock)) / median(getattr(samples[base], clock))


def print_table(table: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    for number, row in enumerate(table):
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        print("  " + "  ".join(cells).rstrip())
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))


def machine() -> dict[str, Any]:
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "versions": versions,
    }


def _figure(value: float) -> str:
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
