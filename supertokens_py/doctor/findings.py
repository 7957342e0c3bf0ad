"""What a check found: one record per fact."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "note", "warning", "error"]

_WORST_FIRST: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; `advice` says what to do about a warning or an error."""

    level: Level
    topic: str
    text: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value}


def worst(findings: Iterable[Finding]) -> Level:
    """Return the worst level among the findings; `ok` for none."""
    levels = {finding.level for finding in findings}
    for level in _WORST_FIRST:
        if level in levels:
            return level
    return "ok"
