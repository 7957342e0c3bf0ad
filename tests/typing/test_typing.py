"""What type checkers tell users of the package: the snippets pass, and each marked mistake is found.

A line that ends in `# error: <rules>` must be reported by pyright under these rules, one that ends in
`mypy: <codes>` by mypy under these codes; nothing else may be. Both run as strictly as they can.
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
_MARKS = {"pyright": re.compile(r"# error: ([\w, ]+)"), "mypy": re.compile(r"\bmypy: ([\w, -]+)$")}
_MYPY_LINE = re.compile(r"(\w+\.py):(\d+): error: .*\[([\w-]+)\]$", re.MULTILINE)

Finding = tuple[str, int, str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of its own with the snippets: checkers find the package as an installed one."""
    folder = tmp_path_factory.mktemp("project")
    for snippet in SNIPPETS.glob("*.py"):
        shutil.copy(snippet, folder)
    return folder


@pytest.fixture(scope="module")
def pyright(project: Path) -> set[Finding]:
    """What pyright finds in all the snippets at once."""
    settings = {
        "typeCheckingMode": "strict",
        # Snippets read attributes for the sake of their types, and write functions that nothing calls.
        "reportUnusedExpression": False,
        "reportUnusedFunction": False,
    }
    config = project / "pyrightconfig.json"
    config.write_text(json.dumps(settings))
    command = [sys.executable, "-m", "pyright", "--project", str(config), "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "--outputjson"], capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode in (0, 1), done.stderr or done.stdout
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == len(list(SNIPPETS.glob("*.py")))
    return {
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1, found.get("rule", found["message"]))
        for found in report["generalDiagnostics"]
        if found["severity"] != "information"
    }


@pytest.fixture(scope="module")
def mypy(project: Path) -> set[Finding]:
    """What mypy finds in all the snippets at once."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", "cache"]
    names = sorted(path.name for path in project.glob("*.py"))
    done = subprocess.run(
        [*command, *names], cwd=project, capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode in (0, 1), done.stderr or done.stdout
    found = {(name, int(number), code) for name, number, code in _MYPY_LINE.findall(done.stdout)}
    told = [line for line in done.stdout.splitlines() if ": note: " not in line]  # overloads are listed
    assert len(told) == len(found), done.stdout
    return found


@pytest.mark.parametrize("checker", ["pyright", pytest.param("mypy", marks=pytest.mark.real)])
@pytest.mark.parametrize("snippet", sorted(path.name for path in SNIPPETS.glob("*.py")))
def test_the_types_are_what_users_rely_on(snippet: str, checker: str, request: pytest.FixtureRequest) -> None:
    """CP-39: also of the aliases of FastAPI, and of payloads."""
    lines = (SNIPPETS / snippet).read_text().splitlines()
    expected = {
        (snippet, number, rule)
        for number, line in enumerate(lines, 1)
        if (found := _MARKS[checker].search(line))
        for rule in found[1].split(", ")
    }
    findings: set[Finding] = request.getfixturevalue(checker)
    assert {finding for finding in findings if finding[0] == snippet} == expected
