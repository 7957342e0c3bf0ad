"""The Python blocks of the documentation, in the order in which a reader would run them.

A block is a module of its own, unless a comment stands on the line above it:

    <!-- continue -->          it goes on where the previous block ended
    <!-- setup: quickstart-flask -->   it goes on where the first module of that page ended
    <!-- file: shop/urls.py -->        it is a file of a project, which a test of that page makes and runs
    <!-- environment: NAME=value -->   it is a module that is run with this variable

A comment `<!-- check ... -->` after a block holds assertions that readers do not need to see. They may use
`browser()`, which talks to the `app` (or Django's `urlpatterns`) that the blocks made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))

_FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)
_ENVIRONMENT = re.compile(r"<!-- environment: (\w+)=(\S+) -->")
_MARKER = re.compile(r"<!-- (?P<word>continue|setup)(?:: (?P<page>[\w-]+))? -->")


@dataclass
class Module:
    """Blocks that share one namespace: (line number, code, whether it is a check) each."""

    page: Path
    setup: str | None = None
    parts: list[tuple[int, str, bool]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.page.name}:{self.parts[0][0]}"


def modules(page: Path) -> list[Module]:
    """Return the modules of a page, checks included."""
    found: list[Module] = []
    lines = page.read_text().splitlines()
    above = ""
    index = 0
    while index < len(lines):
        line = lines[index]
        if line == "```python":
            end = lines.index("```", index)
            marker = _MARKER.fullmatch(above)
            if above.startswith("<!-- file: "):
                index = end + 1
                continue
            if marker is None or marker["word"] == "setup":
                variables = dict(_ENVIRONMENT.findall(above))
                found.append(Module(page, marker["page"] if marker else None, environment=variables))
            found[-1].parts.append((index + 2, "\n".join(lines[index + 1 : end]), False))
            index = end
        elif line == "<!-- check":
            end = lines.index("-->", index)
            found[-1].parts.append((index + 2, "\n".join(lines[index + 1 : end]), True))
            index = end
        above = line
        index += 1
    return found


def files(page: Path) -> list[tuple[str, str]]:
    """Return the files of a page: path and text each."""
    return _FILE.findall(page.read_text())


def all_modules() -> list[Module]:
    """Return the modules of every page."""
    return [module for page in PAGES for module in modules(page)]


def first_module(page: str) -> Module:
    """Return what `<!-- setup: page -->` stands for, without its checks."""
    module = modules(DOCS / f"{page}.md")[0]
    return Module(module.page, module.setup, [part for part in module.parts if not part[2]])
