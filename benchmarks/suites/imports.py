"""What an import costs: CPU time and memory of a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from argparse import Namespace

from support.report import BEYOND, Claim, Group, Report, Row
from support.rounds import BENCHMARKS, median, progress, sized, spread, worker_environment

_MEASURED = """
import sys, time
{before}
def rss():
    import resource
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, begin, modules = rss(), time.process_time(), len(sys.modules)
{code}
ms = (time.process_time() - begin) * 1000
import json
print(json.dumps({{"ms": ms, "mb": (rss() - before) / 1e6, "modules": len(sys.modules) - modules}}))
"""
_INIT = """
from {package} import InputAppInfo, SupertokensConfig, init
from {package}.recipe import session
init(
    app_info=InputAppInfo(app_name="b", api_domain="http://localhost:8000", website_domain="http://localhost:80"),
    framework="fastapi",
    supertokens_config=SupertokensConfig(connection_uri="{uri}"),
    recipe_list=[session.init()],
)
"""
_ENGINE = """
from supertokens_py.recipe.session.syncio import create_new_session_without_request_response
create_new_session_without_request_response("public", "user-1")
"""
OURS, THEIRS = "supertokens_py", "supertokens_python"
CASES = {
    "cryptography (RSA) + PyJWT": (
        "base",
        "import jwt\nfrom cryptography.hazmat.primitives.asymmetric import rsa, padding",
    ),
    "cryptography + PyJWT + SQLAlchemy": (
        "base",
        "import jwt, sqlalchemy, sqlalchemy.dialects.sqlite\n"
        "from cryptography.hazmat.primitives.asymmetric import rsa, padding",
    ),
    "ours: recipe.session": ("us", "import supertokens_py.recipe.session"),
    "ours: recipe.session + init": ("us", _INIT.format(package=OURS, uri="sqlite://")),
    "ours: recipe.session + init + first session": (
        "us",
        _INIT.format(package=OURS, uri="sqlite://") + _ENGINE,
    ),
    "supertokens-python: recipe.session": ("peer", "import supertokens_python.recipe.session"),
    "supertokens-python: recipe.session + init": (
        "peer",
        _INIT.format(package=THEIRS, uri="http://127.0.0.1:3567"),
    ),
    "flask-jwt-extended": ("peer", "import flask_jwt_extended"),
    "fastapi-users": ("peer", "import fastapi_users, fastapi_users.authentication"),
}
PLUGIN = "ours: pytest plugin, where pytest is loaded"
CASES[PLUGIN] = ("us", "import supertokens_py.testing.pytest_plugin")
BEFORE = {PLUGIN: "import pytest"}  #: what is loaded already, by case
KEYS = ("ms", "mb", "modules")


def run(options: Namespace) -> Report:
    figures: dict[str, dict[str, list[float]]] = {name: {key: [] for key in KEYS} for name in CASES}
    failed = {name for name in CASES if _once(name) is None}  # this also compiles
    for name in failed:
        if not name.startswith("ours"):
            raise RuntimeError(f"{name} could not be imported")
        print(f"  left out: {name}", file=sys.stderr)
    rounds, budget = sized(options, once=(1, 0), quick=(5, 24), full=(21, 150))
    deadline = time.monotonic() + budget
    for number in range(rounds):
        if number >= 3 and time.monotonic() > deadline:
            break
        for name in CASES:
            if name not in failed and (found := _once(name)):
                for key in KEYS:
                    figures[name][key].append(found[key])
        progress(number + 1, rounds)
    groups = [
        _group(title, unit, key, figures)
        for title, unit, key in (("Time", "ms CPU", "ms"), ("Memory", "MB", "mb"))
    ]
    for row in groups[0].rows:
        row.extra["modules"] = median(figures[row.label]["modules"])
    return Report(
        "import",
        options.quick,
        groups,
        _claims(figures),
        ["Each in a fresh interpreter, beyond what Python itself loads."],
    )


def _once(name: str) -> dict[str, float] | None:
    program = _MEASURED.format(before=BEFORE.get(name, ""), code=CASES[name][1])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=BENCHMARKS,
        env=worker_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def _group(title: str, unit: str, key: str, figures: dict[str, dict[str, list[float]]]) -> Group:
    rows = [
        Row(name, median(values[key]), spread(values[key]), None, CASES[name][0])
        for name, values in figures.items()
        if values[key]
    ]
    return Group(f"{title} of an import", unit, rows, base="supertokens-python: recipe.session + init")


def _claims(figures: dict[str, dict[str, list[float]]]) -> list[Claim]:
    def share(mine: str, key: str) -> float | None:
        values = figures[mine][key]
        return (
            median(values) / median(figures["supertokens-python: recipe.session + init"][key])
            if values
            else None
        )

    mine = "ours: recipe.session + init"
    return [
        Claim("import + init: time / supertokens-python", 1 / 3, share(mine, "ms")),
        Claim("import + init: memory / supertokens-python", 1 / 3, share(mine, "mb")),
        Claim(
            "import + init + first session: time / supertokens-python's import + init",
            1 / 3,
            share(mine + " + first session", "ms"),
            note=BEYOND,
        ),
        Claim(
            "import + init + first session: memory / supertokens-python's import + init",
            1 / 3,
            share(mine + " + first session", "mb"),
            note=BEYOND,
        ),
        Claim("pytest plugin: ms", 5, median(values) if (values := figures[PLUGIN]["ms"]) else None),
    ]
