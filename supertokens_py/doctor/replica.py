"""What is noteworthy about the server that `read_uri` leads to."""

from __future__ import annotations

from collections.abc import Iterator

from supertokens_py.engine.embedded.inspection import UnreadableDatabaseError, timelines
from supertokens_py.engine.embedded.storage.url import Location, locate

from .findings import Finding

_TOPIC = "replica"


def check_replica(uri: str, primary: Location) -> Iterator[Finding]:
    """Yield whether it is a replica of the primary; what is none is not read from."""
    replica = locate(uri)
    try:
        written, replayed = timelines(primary, replica)
    except UnreadableDatabaseError as error:
        yield Finding("warning", _TOPIC, f"cannot read {replica.name}: {error}", error.advice)
        return
    if replayed == written:
        yield Finding("ok", _TOPIC, f"{replica.name} follows this primary")
    elif replayed is None:
        text = f"{replica.name} is not in recovery, so it is not read from"
        yield Finding("warning", _TOPIC, text, "have read_uri lead to a replica, or leave it out")
    else:
        text = f"{replica.name} follows another system or timeline than the primary, so it is not read from"
        advice = "after a fail-over, wait for its next restartpoint, or GRANT pg_read_all_stats to its user"
        yield Finding("warning", _TOPIC, text, advice)
