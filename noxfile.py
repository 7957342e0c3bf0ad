"""The matrix: `nox -l` lists the sessions, `nox -s lowest` runs one, `nox` runs them all.

Arguments after `--` go to pytest: `nox -s newest-3.13 -- tests/engine`. A Python that is not installed is
skipped; CI itself runs `.ci/run`, on one Python and the versions of requirements/dev.txt.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import nox

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line]
RUNTIME_EXTRAS = sorted(PROJECT["optional-dependencies"].keys() - {"dev", "docs"})
#: What the versions of the dependencies can change; the rest is tools, documents and the browser.
PLACES = [
    "admin",
    "cli",
    "engine",
    "framework",
    "recipe",
    "regressions",
    "scenarios",
    "security",
    "server",
    "servers",
]

nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "docs", "lowest", "newest"]


def run_tests(session: nox.Session, *options: str) -> None:
    """Run the tests that depend on versions, or what the command line names."""
    default = [f"tests/{place}" for place in PLACES] + sorted(map(str, Path("tests").glob("test_*.py")))
    session.run(
        "pytest", "-n", "2", "--dist", "loadgroup", "-m", "not real", *options, *(session.posargs or default)
    )


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The lowest version that pyproject.toml allows of every runtime dependency."""
    # The SDK of OpenTelemetry, which only tests use, goes with one version of its API.
    also, pins = (Path(session.create_tmp()) / name for name in ("also.in", "lowest.txt"))
    also.write_text("opentelemetry-sdk>=1.20\n", encoding="utf-8")
    extras = [argument for extra in RUNTIME_EXTRAS for argument in ("--extra", extra)]
    session.install("uv")
    compiling = [
        "uv",
        "pip",
        "compile",
        "pyproject.toml",
        str(also),
        *extras,
        "--resolution",
        "lowest-direct",
    ]
    session.run(*compiling, "--python-version", PYTHONS[0], "--output-file", str(pins), silent=True)
    # Tools that ask for newer ones get these all the same. The oldest test client of Starlette needs httpx.
    session.install("--editable", ".[dev]", "httpx", "--override", str(pins))
    # Old releases use what newer ones of their own dependencies deprecate.
    run_tests(session, "-W", "default::DeprecationWarning")


@nox.session(python=PYTHONS)
def newest(session: nox.Session) -> None:
    """The newest version of everything, locked or not."""
    session.install("--editable", ".[dev]", "--upgrade")
    run_tests(session)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Format, lint, import contracts and types."""
    session.run("scripts/check", external=True)


@nox.session(python=False)
def docs(session: nox.Session) -> None:
    """The documentation, warnings being errors."""
    session.run("scripts/docs", external=True)
