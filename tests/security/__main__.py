"""The long runs: `scripts/fuzz COMMAND`. Each prints what it did, and fails where something is wrong."""

from __future__ import annotations

import argparse
import logging
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from tests.framework.site import DRIVERS
from tests.support.temporary_postgres import postgres

from . import fuzz
from .crowd import crowd
from .endings import end_beside_replacements
from .event_kills import kill
from .front_tokens import fuzz_payloads
from .kills import storm
from .outage import outage as without_postgres
from .sign_in_floods import flood_codes, flood_guesses
from .storms import database


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the commands; return 1 where it found something."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(run: Callable[[Any], int], about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(run.__name__, help=about, description=about)
        added.set_defaults(run=run)
        return added

    def seeded(one: argparse.ArgumentParser, count: str, default: int) -> None:
        one.add_argument(count, type=int, default=default)
        one.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))

    def on_a_database(one: argparse.ArgumentParser, default: str) -> None:
        one.add_argument("--database", default=default, choices=["sqlite", "postgresql"])

    one = command(tokens, "send mutated tokens and cookies; none may be accepted or break")
    seeded(one, "--count", 1_000_000)
    one.add_argument("--framework", default="flask", choices=DRIVERS)
    one = command(payloads, "sessions with payloads of every shape; the front token carries each unchanged")
    seeded(one, "--count", 100_000)
    one = command(state, "random lives of sessions, held against the model")
    seeded(one, "--steps", 100_000)
    on_a_database(one, "sqlite")
    one = command(flood, "distinct forged tokens: time, transactions and memory")
    one.add_argument("--count", type=int, default=100_000)
    one.add_argument("--framework", default="flask", choices=DRIVERS)
    one = command(kills, "kill -9 servers under load, and hold what was acknowledged against what is there")
    seeded(one, "--count", 1000)
    on_a_database(one, "sqlite")
    one = command(events, "kill -9 processes that keep events: none without its change, none undelivered")
    seeded(one, "--count", 200)
    on_a_database(one, "sqlite")
    one = command(clients, "clients with bad connections: none logged out; thieves beside them: all found")
    seeded(one, "--clients", 64)
    one.add_argument("--minutes", type=float, default=10)
    on_a_database(one, "postgresql")
    one = command(outage, "kill PostgreSQL under load for some seconds: 503 meanwhile, and nobody logged out")
    one.add_argument("--seconds", type=float, default=10)
    one.add_argument("--seed", type=int, default=1)

    one = command(codes, "codes asked for made-up addresses: rows, bytes and memory are bounded")
    one.add_argument("--count", type=int, default=100_000)
    on_a_database(one, "sqlite")
    one.add_argument("--per-second", type=float, default=10, help="by the clock of the application")
    one = command(guesses, "passwords guessed at one address: the limit holds, and others sign in")
    one.add_argument("--count", type=int, default=10_000)
    on_a_database(one, "sqlite")
    one = command(endings, "all sessions of a user end while they are replaced: none is left")
    seeded(one, "--count", 1000)
    on_a_database(one, "postgresql")

    given = parser.parse_args(arguments)
    started = time.perf_counter()
    failed = given.run(given)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{time.perf_counter() - started:.0f} s, {peak} MiB at most")
    return failed


def tokens(given: Any) -> int:
    with fuzz.fuzzed_site(given.framework) as site:
        report = fuzz.fuzz_tokens(site, given.count, given.seed)
    print(f"seed {given.seed}, {given.framework}: {report}")
    return _told(report.accepted + report.broken)


def payloads(given: Any) -> int:
    with fuzz.fuzzed_site("flask"):
        made = fuzz_payloads(given.count, given.seed)
    print(f"seed {given.seed}: {made} payloads carried unchanged")
    return 0


def state(given: Any) -> int:
    if given.database == "postgresql":
        with postgres() as server:
            done = fuzz.fuzz_state(server.uri, given.steps, given.seed)
    else:
        with tempfile.TemporaryDirectory() as directory:
            done = fuzz.fuzz_state(f"sqlite:///{directory}/state.db", given.steps, given.seed)
    print(f"seed {given.seed}, {given.database}: {done.total()} steps without a divergence: {dict(done)}")
    return 0


def flood(given: Any) -> int:
    with fuzz.fuzzed_site(given.framework) as site:
        for kind, make in fuzz.flood_kinds(site).items():
            print(fuzz.flood(site, kind, make, given.count), flush=True)
    return 0


def codes(given: Any) -> int:
    problems: list[str] = []
    for knows_client in (False, True):
        with database(given.database, durable=False) as (made, _, _):
            found = flood_codes(made, given.count, per_second=given.per_second, knows_client=knows_client)
        client = "one known client" if knows_client else "unknown clients"
        print(f"{given.database}, {client}, {given.per_second:g} requests a second: {found}", flush=True)
        problems += found.problems
    return _told(problems)


def guesses(given: Any) -> int:
    with database(given.database, durable=False) as (made, _, _):
        found = flood_guesses(made, given.count)
    print(f"{given.database}, ten guesses a second: {found}")
    return _told(found.problems)


def kills(given: Any) -> int:
    with storm(given.database, given.seed) as killed:
        killed.rounds(given.count)
    starts = sorted(killed.started_s)
    print(f"seed {given.seed}, {given.database}: {killed.tally}")
    print(f"from start to the first session {starts[len(starts) // 2]:.2f} s, at most {starts[-1]:.2f} s")
    return _told(killed.tally.problems)


def events(given: Any) -> int:
    tally = kill(given.database, given.seed, given.count)
    print(f"seed {given.seed}, {given.database}: {tally}")
    return _told(tally.problems)


def endings(given: Any) -> int:
    with database(given.database) as (made, _, _):
        tally = end_beside_replacements(made.uri, given.count, given.seed)
    print(f"seed {given.seed}, {given.database}: {tally}")
    return _told(tally.problems)


def clients(given: Any) -> int:
    tally = crowd(given.database, given.seed, given.clients, given.minutes)
    print(f"seed {given.seed}, {given.database}: {tally}")
    return _told(tally.problems)


def outage(given: Any) -> int:
    result = without_postgres(given.seconds, given.seed)
    print(f"seed {given.seed}, {given.seconds} s without PostgreSQL\n{result}")
    return _told(result.tally.problems)


def _told(problems: list[str]) -> int:
    """Print some of them; return the exit code. The last may be what the servers said."""
    for problem in problems[:20] + problems[20:][-1:]:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    sys.exit(main())
