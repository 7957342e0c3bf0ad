"""What a type checker tells users of the package: the snippets pass, and each marked mistake is found.

A line that ends in `# error: <rules>` must be reported under these rules; nothing else may be.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SNIPPETS = Path(__file__).parent / "snippets"
_MARK = re.compile(r"# error: ([\w, ]+)$")

Finding = tuple[str, int, str]


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> set[Finding]:
    """Run pyright over all the snippets at once, strictly, with the package found as an installed one."""
    folder = tmp_path_factory.mktemp("project")
    settings = {
        "typeCheckingMode": "strict",
        # Snippets read attributes for the sake of their types, and write functions that nothing calls.
        "reportUnusedExpression": False,
        "reportUnusedFunction": False,
    }
    config = folder / "pyrightconfig.json"
    config.write_text(json.dumps(settings))
    for snippet in SNIPPETS.glob("*.py"):
        shutil.copy(snippet, folder)
    command = [sys.executable, "-m", "pyright", "--project", str(config), "--pythonpath", sys.executable]
    done = subprocess.run([*command, "--outputjson"], capture_output=True, text=True, timeout=55, check=False)
    assert done.returncode in (0, 1), done.stderr or done.stdout
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(SNIPPETS.glob("*.py")))
    return {
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found.get("rule", found["message"]))
        for found in report["generalDiagnostics"]
        if found["severity"] != "information"
    }


@pytest.mark.parametrize("snippet", sorted(path.name for path in SNIPPETS.glob("*.py")))
def test_the_types_are_what_users_rely_on(snippet: str, findings: set[Finding]) -> None:
    lines = (SNIPPETS / snippet).read_text().splitlines()
    expected = {
        (snippet, number, rule)
        for number, line in enumerate(lines, 1)
        if (found := _MARK.search(line))
        for rule in found[1].split(", ")
    }
    assert {finding for finding in findings if finding[0] == snippet} == expected
