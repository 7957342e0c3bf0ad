"""Makes the table of engine settings from the code; the tests compare settings.md with it."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import fields

from supertokens_py.engine import config
from supertokens_py.engine.config import EngineConfig
from supertokens_py.settings import Setting, settings_of


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return (field, variable, default, values, meaning) of every setting, in the order of the code."""
    meanings, rules = _comments(), settings_of(EngineConfig)
    found: list[tuple[str, str, str, str, str]] = []
    for field in fields(EngineConfig):
        name, rule = field.name, rules.get(field.name)
        if rule is None:
            found.append((name, "", "the system's clock", "", meanings[name]))
            continue
        default = rule.default
        text = "" if default in (None, "") else f"{default:.12g}" if _is_number(default) else str(default)
        found.append((name, f"SUPERTOKENS_{name.upper()}", text, _values(rule), meanings[name]))
    return found


def table() -> str:
    """Return the table as Markdown, as it stands in settings.md."""
    lines = ["| `EngineConfig`, environment | default | values | meaning |", "|---|---|---|---|"]
    for name, variable, default, values, meaning in rows():
        # In one cell: two columns of long names would push the meaning off the page.
        shown = f"<br>`{variable}`" if variable else ""
        lines.append(f"| `{name}`{shown} | {default} | {values} | {meaning} |")
    return "\n".join(lines) + "\n"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _values(rule: Setting) -> str:
    if rule.kind is None:
        return " or ".join(rule.choices)
    return f"{rule.low:g} to {_plain(rule.high)}{', whole' if rule.kind is int else ''}"


def _plain(number: float) -> str:
    return f"{int(number):,}".replace(",", " ") if number == int(number) else f"{number:g}"


def _comments() -> dict[str, str]:
    """Return the `#:` comment above each field of `EngineConfig`; fields that follow one share it."""
    source = inspect.getsource(config)
    lines = source.splitlines()
    (body,) = (
        node.body
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == "EngineConfig"
    )
    found: dict[str, str] = {}
    comment = ""
    for node in body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        above, number = [], node.lineno - 2
        while lines[number].strip().startswith("#:"):
            above.insert(0, lines[number].strip()[2:].strip())
            number -= 1
        comment = " ".join(above) or comment
        found[node.target.id] = re.sub(r" ?\[[^]]*\]", "", comment)
    return found
