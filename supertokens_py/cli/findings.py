"""What `doctor` found: one record per fact, worst first for the exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "note", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `advice` says what to do about a warning or an error."""

    level: Level
    topic: str
    text: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among the findings."""
    order: tuple[Level, ...] = ("ok", "note", "warning", "error")
    return max((finding.level for finding in findings), key=order.index, default="ok")
