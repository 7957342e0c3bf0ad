"""How the documentation is built; `scripts/docs` builds it, and treats every warning as an error."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from django.conf import settings as django_settings  # noqa: E402

if not django_settings.configured:
    django_settings.configure()  # Ninja cannot be imported without

from supertokens_py.constants import VERSION  # noqa: E402

project = "supertokens_py"
author = "the supertokens_py authors"
copyright = f"2026, {author}"
version = release = VERSION

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build", "README.md"]
nitpicky = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["page.css"]
html_js_files = ["copy.js"]
html_title = f"supertokens_py {VERSION}"
html_show_sourcelink = False
html_copy_source = False

myst_heading_anchors = 3
myst_enable_extensions = ["deflist", "fieldlist"]

autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": False}
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False
napoleon_preprocess_types = False
default_role = "code"
# Nothing is downloaded during a build.
intersphinx_mapping: dict[str, tuple[str, str | None]] = {}

GENERATED = HERE / "_build" / "generated"
GENERATED.mkdir(parents=True, exist_ok=True)


def table_of_contents(caption: str, *pages: str) -> str:
    """Return a part of the navigation with those of `pages` that are written."""
    there = [page for page in pages if (HERE / f"{page}.md").exists()]
    return "\n".join(["```{toctree}", f":caption: {caption}", ":hidden:", "", *there, "```", ""])


(GENERATED / "later-pages.md").write_text(
    table_of_contents(
        "Run",
        "production",
        "operations",
        "frontends",
        "performance",
        "scale-out",
        "sharding",
        "official-core",
        "security",
    )
    + table_of_contents("Move", "moving", "moving-users", "differences")
)


def with_search_words(text: str) -> str:
    """Return a page whose comments `<!-- search: 401, 403 -->` are entries of the index.

    The search skips numbers, unless they are entries of the index, or headings of little else.
    """
    return re.sub(r"^<!-- search: (.+) -->$", r"```{index} \1\n```", text, flags=re.MULTILINE)


def setup(app: Any) -> None:
    """Let pages say in comments, which GitHub does not show, by which words they are found."""

    def read(_: Any, docname: str, source: list[str]) -> None:
        source[0] = with_search_words(source[0])

    app.connect("source-read", read)
