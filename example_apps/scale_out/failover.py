"""What holds while the primary of three PostgreSQL nodes is killed, frozen, cut off, demoted, under load."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from cluster import Cluster, Node, wait_for
from load import Browser, Kept, Load, Seen
from processes import Site

RECOVERY_S = 60
THEFT = "session.reuse"
LOSS = "the database has lost refreshes"

HOW: dict[str, tuple[str, Callable[[Node], None], Callable[[Node], None]]] = {
    "kill": ("killed with -9", Node.kill, Node.start),
    "freeze": ("frozen", Node.pause, Node.reset),
    "demote": ("demoted", Node.demote, lambda _: None),
    "cut": ("cut off from the others", Node.cut, Node.mend),
}


def check_synchronous(site: Site, cluster: Cluster, rounds: list[str], within_s: float) -> None:
    """Nothing that was acknowledged is lost, and nobody is logged out, whatever happens to the primary."""
    pids = [process.pid for process in site.applications]
    _warm_up(site)
    load = Load(site.address)
    load.start()
    try:
        wait_for(lambda: len(load.seen.sessions) > 20 or None, "no log-ins", RECOVERY_S)
        delays = [_break_primary(cluster, load, how, site) for how in rounds]
        _whole(cluster)
    finally:
        load.stop()
    load.check_all()
    _judge(site, load.seen)
    assert LOSS not in site.said(), site.said()
    assert [process.pid for process in site.applications if process.poll() is None] == pids
    states = [kept.state for kept in load.seen.sessions]
    say(
        f"fail-overs: {len(rounds)} ({_listed(rounds)}); 0 of {states.count('live')} acknowledged sessions "
        f"lost, 0 of {states.count('ended')} log-outs undone; answers {dict(load.seen.statuses)}, "
        f"the slowest after {load.seen.slowest_s:.1f} s; "
        f"first write at most {max(delays):.2f} s after a primary was named"
    )
    assert max(delays) <= within_s, delays


def _break_primary(cluster: Cluster, load: Load, how: str, site: Site) -> float:
    words, do, undo = HOW[how]
    former = _whole(cluster)
    began = time.monotonic()
    do(former)
    successor, named = cluster.wait_for_another(former)
    first = wait_for(lambda: load.writes_after(named), "nothing is written", RECOVERY_S, site.said)
    say(
        f"{former.name} {words}: {successor.name} takes over after {named - began:.1f} s, "
        f"first write {first - named:.2f} s later"
    )
    undo(former)
    return first - named


def _whole(cluster: Cluster) -> Node:
    """Wait until the former primary has come back as a standby; return the primary.

    No application is connected to a standby: what it read there could be of the past, and what it wrote
    would be refused.
    """
    primary = cluster.wait_until_whole()
    connections = {node.name: node.connections() for node in cluster.nodes}
    assert connections.pop(primary.name) > 0, "no application is connected to the primary"
    assert not any(connections.values()), f"applications are connected to standbys: {connections}"
    return primary


def _listed(rounds: list[str]) -> str:
    """Return how often the primary was broken in which way."""
    return ", ".join(f"{how}: {rounds.count(how)}" for how in dict.fromkeys(rounds))


def check_asynchronous(site: Site, cluster: Cluster) -> None:
    """What is lost is lost without a false accusation."""
    _warm_up(site)
    seen = Seen()
    browser = Browser(site.address, seen)
    rotated, revoked = _logged_in(browser, "rotated"), _logged_in(browser, "revoked")
    former = cluster.wait_until_whole()
    _wait_for_standbys(former)
    former.cut()  # what it acknowledges from now on, nobody else will know
    before, began = rotated.refresh, time.monotonic()
    with ThreadPoolExecutor() as threads:
        threads.submit(browser.refresh, rotated)
        threads.submit(Browser(site.address, seen).log_out, revoked)
        lost = threads.submit(Browser(site.address, seen).log_in, "lost").result()
    too_soon = f"it stepped down within {time.monotonic() - began:.1f} s: is this machine busy?"
    assert lost is not None, too_soon
    assert (rotated.refresh != before, revoked.state) == (True, "ended"), too_soon
    cluster.wait_for_another(former)
    wait_for(lambda: browser.ask(_logged_in(browser, "later")) or None, "no recovery", RECOVERY_S, site.said)

    assert browser.refresh(rotated), seen.wrong
    assert browser.ask(rotated), seen.wrong
    say("a token that the new primary had not heard of was refreshed: the session goes on")
    assert browser.refresh(lost, refused=True), seen.wrong
    say("a session that it had not heard of is gone: 401, log in again")
    assert browser.refresh(revoked), seen.wrong
    say("a log-out that it had not heard of is undone: the session is there again")
    _judge(site, seen)
    former.mend()
    cluster.wait_until_whole()


def _warm_up(site: Site) -> None:
    def log_in(port: int) -> Kept:
        return _logged_in(Browser(f"http://localhost:{port}", Seen()), "early")

    log_in(site.ports[0])  # it makes the tables, and then each has a key to make or to read
    with ThreadPoolExecutor() as threads:
        list(threads.map(log_in, site.ports[1:]))


def _logged_in(browser: Browser, user: str) -> Kept:
    return wait_for(lambda: browser.log_in(user), f"{user} cannot log in", RECOVERY_S)


def _wait_for_standbys(primary: Node) -> None:
    query = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn >= %s"
    with psycopg.connect(f"postgresql://postgres@127.0.0.1:{primary.port}/postgres") as connection:
        (written,) = connection.execute("SELECT pg_current_wal_lsn()").fetchone() or ("0/0",)
        wait_for(
            lambda: connection.execute(query, [written]).fetchone() == (2,) or None,
            "standbys lag",
            RECOVERY_S,
        )


def _judge(site: Site, seen: Seen) -> None:
    assert not seen.wrong, "\n".join([*seen.wrong[:20], site.said()[-3000:]])
    assert THEFT not in site.said(), site.said()


def say(text: str) -> None:
    print(text, flush=True)
