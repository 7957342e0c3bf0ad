"""What is installed for development is locked, and what is released can be built again."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from supertokens_py.constants import VERSION

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements/dev.txt"
PIN = re.compile(r"^([a-z0-9.-]+)==([^ ;]+)(?: ; (.+?))? \\$", re.MULTILINE)


def script(
    name: str, *arguments: str | Path, venv: str | Path = sys.prefix
) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts with this environment, or with another."""
    return subprocess.run(
        [ROOT / "scripts" / name, *arguments],
        env=os.environ | {"SUPERTOKENS_SKIP_INSTALL": "1", "VENV": str(venv)},
        capture_output=True,
        text=True,
        check=False,
    )


def declared() -> list[Requirement]:
    """Return every requirement of pyproject.toml, those of extras too."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return [Requirement(text) for texts in lists for text in texts if not text.startswith("supertokens-py[")]


def test_the_lock_follows_pyproject() -> None:
    """Each requirement has pins, and they satisfy it; `scripts/lock` mends what fails here."""
    pins: dict[str, list[str]] = {}
    for name, version, _ in PIN.findall(LOCK.read_text(encoding="utf-8")):
        pins.setdefault(name, []).append(version)
    wrong = [
        str(wanted)
        for wanted in declared()
        if not pins.get(canonicalize_name(wanted.name))
        or not all(wanted.specifier.contains(version) for version in pins[canonicalize_name(wanted.name)])
    ]
    assert wrong == []


def test_every_pin_has_hashes_and_none_an_address() -> None:
    """Where a file comes from does not matter: its hash says whether it is the one."""
    text = LOCK.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 100
    assert [entry for entry in entries if not re.search(r"--hash=sha256:[0-9a-f]{64}", entry)] == []
    assert "://" not in text
    assert "index" not in re.sub(r"#.*", "", text)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution and the wheel of the last commit, built twice and compared."""
    out = tmp_path_factory.mktemp("dist")
    done = script("build", out)
    assert done.returncode == 0, done.stderr
    return out


in_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a commit is built, and this is no checkout")


@in_git
@pytest.mark.real
def test_the_wheel_holds_the_package_and_nothing_else(distributions: Path) -> None:
    """Typed, licensed, without tests."""
    with zipfile.ZipFile(distributions / f"supertokens_py-{VERSION}-py3-none-any.whl") as wheel:
        names = set(wheel.namelist())
    info = f"supertokens_py-{VERSION}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"supertokens_py", info}
    assert {"supertokens_py/py.typed", "supertokens_py/__init__.py", f"{info}/licenses/LICENSE"} <= names
    others = {name for name in names if not name.startswith(info) and not name.endswith(".py")}
    lists = {"supertokens_py/recipe/emailpassword/common_passwords.txt"}
    page = {
        name
        for name in others
        if re.fullmatch(
            r"supertokens_py/(admin/(admin\.css|templates/\w+\.html)|framework/django/templates/[\w/]+\.html)",
            name,
        )
    }
    assert len(page) > 10
    assert others == {"supertokens_py/py.typed", *lists, *page}
    assert f"{info}/licenses/NOTICE" in names  # says where the list is from


@in_git
@pytest.mark.real
def test_the_source_distribution_can_be_worked_with(distributions: Path) -> None:
    """It has the tests, the scripts and the lock."""
    with tarfile.open(distributions / f"supertokens_py-{VERSION}.tar.gz") as source:
        names = {name.partition("/")[2] for name in source.getnames()}
    wanted = (
        "LICENSE",
        "SECURITY.md",
        "tests/conftest.py",
        "scripts/test",
        "requirements/dev.txt",
        "noxfile.py",
    )
    assert [name for name in wanted if name not in names] == []


@in_git
@pytest.mark.real
def test_the_source_distribution_installs(distributions: Path, tmp_path: Path) -> None:
    """And the installed package is complete enough to be used."""
    source = distributions / f"supertokens_py-{VERSION}.tar.gz"
    install = [
        "pip",
        "install",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        tmp_path,
        source,
    ]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True)
    code = "import supertokens_py.recipe.session as s, sys; print(s.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()) == tmp_path / "supertokens_py/recipe/session/__init__.py"


def test_each_extra_has_a_bill_of_materials(tmp_path: Path) -> None:
    """And the library alone; not what is installed for development and documents only."""
    venv, out = tmp_path / "venv", tmp_path / "sbom"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin/python").symlink_to(sys.executable)
    writing = 'while [ "$1" != --output-file ]; do shift; done; : >"$2"'
    for name, line in (("uv", ":"), ("cyclonedx-py", writing)):
        (venv / "bin" / name).write_text(f"#!/bin/sh\n{line}\n")
        (venv / "bin" / name).chmod(0o755)
    done = script("sbom", out, venv=venv)
    assert done.returncode == 0, done.stderr
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {f"-{extra}" for extra in project["optional-dependencies"].keys() - {"dev", "docs"}}
    names = {f"supertokens-py-{VERSION}{extra}.cdx.json" for extra in {"", *extras}}
    assert {path.name for path in out.iterdir()} == names


FOUND = "echo 'Found 1 known vulnerability in 1 package' >&2; exit 1"
NOTHING = "echo 'No known vulnerabilities found' >&2; exit 0"
NO_NETWORK = "echo 'ERROR: could not query the vulnerability service' >&2; exit 1"


@pytest.mark.parametrize(
    ("known", "locked", "arguments", "code", "says"),
    [
        (FOUND, NOTHING, [], 0, "No known vulnerabilities found"),
        (FOUND, FOUND, [], 1, "Found 1 known vulnerability"),
        (FOUND, NO_NETWORK, [], 1, "ERROR"),
        (NOTHING, FOUND, [], 0, "Not audited"),
        (NO_NETWORK, FOUND, [], 0, "Not audited"),
        (NO_NETWORK, FOUND, ["--strict"], 1, "Not audited"),
    ],
)
def test_the_audit_fails_for_findings_alone(
    tmp_path: Path, known: str, locked: str, arguments: list[str], code: int, says: str
) -> None:
    """A database that does not know an old release's vulnerability is no database."""
    program = tmp_path / "bin/pip-audit"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in *requirements/dev.txt) {locked};; *) {known};; esac\n')
    program.chmod(0o755)
    done = script("audit", *arguments, venv=tmp_path)
    assert done.returncode == code
    assert says in done.stderr
