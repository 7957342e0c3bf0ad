"""The Kubernetes and systemd examples say what exists: commands, ports, paths, variables; and they work."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from supertokens_py.cli import COMMANDS, serve
from supertokens_py.engine.environment_variables import unknown_variables
from tests.examples.documents import ROOT
from tests.server.processes import serving
from tests.support.databases import Postgres, TestDatabase
from tests.support.programs import program

FOLDER = ROOT / "example_apps" / "deployment"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def documents(name: str) -> dict[str, Any]:
    """Return the objects of a file by their kind."""
    return {one["kind"]: one for one in yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))}


SERVER, SCHEMA = documents("kubernetes.yaml"), documents("kubernetes-schema.yaml")
POD: Any = SERVER["Deployment"]["spec"]["template"]["spec"]
CONTAINERS: list[Any] = [
    POD["containers"][0],
    SCHEMA["Job"]["spec"]["template"]["spec"]["containers"][0],
]


def variables(container: Any, secret: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a container, given the values of the secret."""
    return {
        one["name"]: one["value"] if "value" in one else secret[one["valueFrom"]["secretKeyRef"]["key"]]
        for one in container["env"]
    }


def parsed(arguments: list[str]) -> Namespace:
    """Return what one of our commands makes of its arguments; it exits where they are wrong."""
    parser = ArgumentParser()
    COMMANDS[arguments[0]].configure(parser)
    return parser.parse_args(arguments[1:])


@pytest.fixture(scope="module")
def unit() -> ConfigParser:
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string((FOLDER / "supertokens.service").read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("container", CONTAINERS, ids=["server", "schema"])
def test_containers_name_what_exists(container: Any) -> None:
    """The command line is one of ours, and so is each variable; the secret has every key of them."""
    assert container["command"] == ["supertokens"]
    parsed(container["args"])
    secret = dict(re.findall(r"--from-literal=([\w-]+)=(\S+)", README))
    assert unknown_variables(variables(container, secret)) == []
    references = [one["valueFrom"]["secretKeyRef"]["name"] for one in container["env"] if "valueFrom" in one]
    assert set(references) == {"supertokens"}
    assert "create secret generic supertokens " in README


def test_the_objects_belong_together() -> None:
    """Selectors and labels, ports by name; and the files are those that the README applies."""
    labels = SERVER["Deployment"]["spec"]["template"]["metadata"]["labels"]
    selectors = (
        SERVER["Deployment"]["spec"]["selector"]["matchLabels"],
        SERVER["Service"]["spec"]["selector"],
        SERVER["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    )
    assert all(selector == labels for selector in selectors)
    job = SCHEMA["Job"]
    assert job["spec"]["template"]["metadata"]["labels"] != labels  # the service leads to no job
    assert f"job/{job['metadata']['name']}" in README
    ports = {port["name"]: port["containerPort"] for port in CONTAINERS[0]["ports"]}
    (service_port,) = SERVER["Service"]["spec"]["ports"]
    assert ports == {service_port["targetPort"]: service_port["port"]}
    assert parsed(CONTAINERS[0]["args"]).port == service_port["port"]
    assert CONTAINERS[0]["image"] == CONTAINERS[1]["image"]
    assert re.findall(r"apply -f (\S+)", README) == ["kubernetes-schema.yaml", "kubernetes.yaml"]


def test_what_is_under_way_is_finished_before_the_end(unit: ConfigParser) -> None:
    """Both managers wait longer than the server gives its requests."""
    _, seconds = CONTAINERS[0]["lifecycle"]["preStop"]["exec"]["command"]
    assert POD["terminationGracePeriodSeconds"] > int(seconds) + serve.GRACE_S
    assert int(unit["Service"]["TimeoutStopSec"]) > serve.GRACE_S


def test_liveness_asks_no_database() -> None:
    """Only readiness does."""
    paths = {
        name: CONTAINERS[0][f"{name}Probe"]["httpGet"]["path"]
        for name in ("startup", "liveness", "readiness")
    }
    assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}


def test_the_unit_names_what_exists(unit: ConfigParser) -> None:
    """Its command line is one of ours, and so are the variables of its file."""
    path, *arguments = unit["Service"]["ExecStart"].split()
    assert path == "/opt/supertokens/bin/supertokens"
    parsed(arguments)
    text = (FOLDER / "environment.example").read_text(encoding="utf-8")
    names = re.findall(r"^#?(SUPERTOKENS_\w+)=", text, re.MULTILINE)
    assert len(names) == 4
    assert unknown_variables(dict.fromkeys(names, "x")) == []


@pytest.mark.real
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """Every directive, by systemd itself; and it leaves the service little to do harm with."""
    analyze = program("systemd-analyze", "systemd")
    text = (FOLDER / "supertokens.service").read_text(encoding="utf-8")
    text = text.replace("/opt/supertokens/bin/supertokens", str(Path(sys.executable).parent / "supertokens"))
    copy = tmp_path / "supertokens.service"
    copy.write_text(text)
    done = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    limit = ("security", "--offline=true", "--threshold=20")
    done = subprocess.run([analyze, *limit, copy], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def role(fresh_postgres_database: TestDatabase, postgres_server: Postgres) -> Iterator[str]:
    """A role that may not make tables."""
    name = f"deployed_{os.getpid()}"
    postgres_server.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    fresh_postgres_database.query(f"DROP OWNED BY {name}")
    postgres_server.execute(f"DROP ROLE {name}")


@pytest.mark.real
@pytest.mark.postgres
def test_the_steps_of_the_readme_work(fresh_postgres_database: TestDatabase, role: str) -> None:
    """The job as the owner, the grants, the server as a role that may make no table; probes and the end."""
    database = fresh_postgres_database
    keys = {name: secrets.token_hex(32) for name in ("api-keys", "metrics-keys", "encryption-key")}
    uris = {"owner-uri": database.uri, "connection-uri": database.uri.replace("postgres@", f"{role}@")}
    server, schema = (variables(container, keys | uris) for container in CONTAINERS)
    job = [sys.executable, "-m", "supertokens_py.cli", *CONTAINERS[1]["args"]]
    subprocess.run(job, env=os.environ | schema, check=True, capture_output=True, timeout=170)
    (grants,) = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
    database.query(grants.replace("TO supertokens", f"TO {role}"))
    arguments = ["--host", "127.0.0.1"]  # the last one counts: nobody else is to reach it here
    with serving(server.pop("SUPERTOKENS_CONNECTION_URI"), *arguments, environ=server) as running:
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            path = CONTAINERS[0][probe]["httpGet"]["path"]
            assert httpx2.get(f"{running.address}{path}", timeout=20).status_code == 200
        shown = {"authorization": f"Bearer {keys['metrics-keys']}"}
        assert httpx2.get(f"{running.address}/metrics", headers=shown, timeout=20).status_code == 200
        shown = {"api-key": keys["api-keys"]}
        body = {"userId": "ada", "userDataInJWT": {}, "userDataInDatabase": {}, "enableAntiCsrf": False}
        answer = httpx2.post(f"{running.address}/recipe/session", headers=shown, json=body, timeout=20)
        assert answer.json()["status"] == "OK"
        assert running.stop() in (0, -15)
    assert database.query("SELECT count(*) FROM auth.session_info") == [(1,)]
