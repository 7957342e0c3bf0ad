"""What docstrings and comments cite is in the documentation: `(protocol: Clearing)`, `(engine: Refresh)`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.blocks import DOCS, ROOT

PLACES = ("supertokens_py", "tests", "benchmarks", "example_apps", "docs")
PAGES = ("protocol", "engine")

#: Not the parameters of a function: their parenthesis follows a name.
_CITATION = re.compile(rf"(?<![\w\]])\(({'|'.join(PAGES)}):\s+([^()]+)\)")
#: Working papers, and numbers out of them, by which nobody can find anything.
_UNPUBLISHED = re.compile(r"[Ff]rontend-protocol|[Cc]ore-semantics|\b(?:DESIGN|FP|CS) \d")


def sources() -> Iterator[tuple[str, str]]:
    """Yield name and text of each Python source."""
    for place in PLACES:
        for folder, below, files in os.walk(ROOT / place):
            below[:] = sorted(name for name in below if name[0] not in "._" and name != "node_modules")
            for path in (Path(folder, name) for name in sorted(files) if name.endswith(".py")):
                if path != Path(__file__):
                    yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def sections(page: str) -> set[str]:
    """Return the headings of a page."""
    return set(re.findall(r"^#{2,3} (.+)$", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.MULTILINE))


def cited(text: str) -> Iterator[tuple[str, str]]:
    """Yield page and section of each citation; several sections are separated by commas."""
    unbroken = re.sub(
        r"\n\s*(?:#:? )?", " ", text
    )  # a citation may go on in the next line, also of a comment
    for page, names in _CITATION.findall(unbroken):
        for name in names.split(","):
            yield page, " ".join(name.split())


def test_every_cited_section_exists() -> None:
    """Whoever looks a citation up finds a heading of exactly that name."""
    known = {page: sections(page) for page in PAGES}
    found = [(source, page, name) for source, text in sources() for page, name in cited(text)]
    assert {page for _, page, _ in found} == set(PAGES)
    assert [citation for citation in found if citation[2] not in known[citation[1]]] == []


def test_nothing_cites_what_is_not_here() -> None:
    """A newcomer has this repository only."""
    assert [(name, hit) for name, text in sources() for hit in _UNPUBLISHED.findall(text)] == []


def test_section_names_can_be_cited() -> None:
    """Each name is unique on its page, without a comma or parentheses."""
    for page in PAGES:
        names = re.findall(r"^#{2,3} (.+)$", (DOCS / f"{page}.md").read_text(encoding="utf-8"), re.MULTILINE)
        assert len(names) == len(set(names)), page
        assert [name for name in names if re.search(r"[,()]", name)] == []


def test_how_citations_are_read() -> None:
    """Several names, and names broken over lines of a docstring or of a comment."""
    text = "x (protocol: Cookies, Front\n    token). # (engine:\n#: Grace window)"
    assert list(cited(text)) == [
        ("protocol", "Cookies"),
        ("protocol", "Front token"),
        ("engine", "Grace window"),
    ]
