"""Numbers, times and text from outside, as messages and pages show them."""

from __future__ import annotations

import json
from datetime import UTC, datetime


def counted(number: int, noun: str) -> str:
    """Return a number and its noun, which takes an s unless there is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def waiting(seconds: int) -> str:
    """Return a time to wait as people say it; of long ones the minutes, rounded up."""
    return counted(-(-seconds // 60), "minute") if seconds >= 100 else counted(max(seconds, 1), "second")


def moment(ms: int | None) -> str:
    """Return Unix milliseconds as UTC text; `-` for None, and the number where it is no time."""
    if ms is None:
        return "-"
    try:
        return datetime.fromtimestamp(ms / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # no calendar has it: another program wrote the row
        return f"{ms} ms"


def visible(text: str, *, keep: str = "") -> str:
    r"""Return text with control characters, line breaks and direction marks as escapes such as `\x1b`.

    User ids and payloads come from outside: printed raw, they could clear an operator's screen, set its
    title, or look like other lines.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else ascii(char)[1:-1] for char in text)


def json_text(value: object, *, indent: int | None = None) -> str:
    """Return JSON in which every character that is not printable is escaped, as `visible` does."""
    lines = json.dumps(value, indent=indent, ensure_ascii=False).split("\n")
    if all(map(str.isprintable, lines)):
        return "\n".join(lines)
    return "\n".join(
        "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in line) for line in lines
    )
