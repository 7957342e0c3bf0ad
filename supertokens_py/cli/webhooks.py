"""`supertokens webhooks`: what became of the events that are sent to webhooks."""

from __future__ import annotations

import argparse
from typing import Any, cast

from supertokens_py.engine.event_records import Deliveries, Delivery, DeliveryState
from supertokens_py.formatting import counted, moment

from .output import Output
from .store import add_store_options, open_store

HELP = "list deliveries of events to webhooks, and have failed ones tried again"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions of the command."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="the latest deliveries, the newest first")
    listing.add_argument(
        "--state", choices=("waiting", "delivered", "parked"), help="only those in this state [all]"
    )
    retrying = actions.add_parser(
        "retry", help="try parked deliveries again, and send events to webhooks that answered 410"
    )
    retrying.add_argument("endpoint", nargs="?", metavar="ENDPOINT", help="only of this one, as listed [all]")
    for action in (listing, retrying):
        add_store_options(action)
        action.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace, out: Output) -> int:
    """Carry out one action."""
    engine = open_store(args)
    try:
        deliveries = engine.events.deliveries
        if args.action == "retry":
            return _retry(deliveries, cast("str | None", args.endpoint), out)
        return _list(deliveries, cast("DeliveryState | None", args.state), out)
    finally:
        engine.close()


def _list(deliveries: Deliveries, state: DeliveryState | None, out: Output) -> int:
    found, disabled = deliveries.all(state=state), deliveries.disabled()
    out.result({"deliveries": [_summary(one) for one in found], "disabled": disabled})
    if found:
        out.table(
            ("EVENT", "TYPE", "ENDPOINT", "STATE", "TRIES", "LAST ANSWER", "WHEN"),
            [
                (
                    one.seq,
                    one.type,
                    one.endpoint,
                    one.state,
                    one.attempts,
                    one.outcome or "-",
                    moment(one.done_at_ms if one.next_at_ms is None else one.next_at_ms),
                )
                for one in found
            ],
        )
    for endpoint in disabled:
        out.say(f"{endpoint} answered 410 and gets no more events; `supertokens webhooks retry` changes that")
    return 0


def _retry(deliveries: Deliveries, endpoint: str | None, out: Output) -> int:
    count = deliveries.retry(endpoint)
    out.result({"retried": count})
    out.say(f"{counted(count, 'event')} will be sent again by the application")
    return 0


def _summary(one: Delivery) -> dict[str, Any]:
    return {
        "event": one.seq,
        "type": one.type,
        "endpoint": one.endpoint,
        "session_handle": one.handle,
        "state": one.state,
        "attempts": one.attempts,
        "outcome": one.outcome,
        "next_at_ms": one.next_at_ms,
        "done_at_ms": one.done_at_ms,
    }
