"""Pages about the whole: events, keys, health and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from starlette.responses import Response

from supertokens_py import doctor
from supertokens_py.engine.event_records import EventPage, EventQuery, EventType
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.renewal import OwnsKeys, PublishedKey, RenewalOrder
from supertokens_py.engine.session_counts import CountsSessions
from supertokens_py.types.numbers import whole_number

from .permissions import Refused
from .visits import Page, Visit, go, link

#: Counting live sessions ends here.
MOST_COUNTED = 100_000
_PAGE = 50
_DAY_MS = 86_400_000
_TYPES: Final[tuple[EventType, ...]] = get_args(EventType)
_FILTERS: Final = ("type", "user", "tenant", "actor")

#: What has to be typed before keys are replaced.
ROTATE: Final = "rotate"
DROP: Final = "drop old keys"


async def show_events(visit: Visit) -> Response:
    """Show a page of the events that are kept."""
    engine = visit.backend.engine
    asked = {name: visit.asked(name) for name in _FILTERS}
    page: EventPage | None = None
    if engine.events.are_kept:
        page = await visit.ask(engine.events.latest, _query(visit, asked))
    older = None
    if page is not None and page.older is not None:
        older = link("events", **asked, before=page.older)
    return visit.page(
        "events.html",
        "Events",
        page=page,
        asked=asked,
        types=_TYPES,
        older=older,
        is_first=not visit.asked("before"),
    )


def _query(visit: Visit, asked: dict[str, str]) -> EventQuery:
    given = visit.asked("before")
    before = whole_number(given)
    types: list[EventType] = [one for one in _TYPES if one == asked["type"]]
    if asked["type"] and not types:
        raise Refused(400, "No such event", f"Events are {', '.join(_TYPES)}.")
    if given and before is None:
        raise Refused(400, "No such page", "`before` is the number of an event.")
    return EventQuery(
        before=before,
        type=types[0] if types else None,
        user_id=asked["user"] or None,
        tenant_id=asked["tenant"].strip() or None,
        actor_id=asked["actor"] or None,
        limit=_PAGE,
    )


async def show_keys(visit: Visit) -> Response:
    """Show the keys that are published."""
    engine = visit.backend.engine
    jwks = await visit.ask(engine.keys.jwks)
    keys = [PublishedKey.of(key["kid"]) for key in jwks.keys]
    return visit.page(
        "keys.html",
        "Keys",
        keys=keys,
        are_owned=isinstance(engine.keys, OwnsKeys),
        done=visit.asked("done"),
    )


async def show_rotate(visit: Visit) -> Response:
    """Ask for a word before keys are replaced."""
    return _rotation(visit, mistyped=False)


async def rotate(visit: Visit) -> Response:
    """Replace the signing keys, if the word was typed."""
    keys, drops = visit.backend.engine.keys, _drops(visit)
    if not isinstance(keys, OwnsKeys):
        raise Refused(409, "Not here", "A core renews its keys itself.")
    if visit.fields.get("word", "").strip().lower() != (DROP if drops else ROTATE):
        return _rotation(visit, mistyped=True)
    order = RenewalOrder(
        dynamic=True,
        drop_old=drops,
        keep_static=drops and visit.fields.get("keep_static") == "1",
        actor_id=visit.viewer.actor_id,
    )
    await visit.ask(keys.renew, order)
    visit.acted("rotate_keys", "signing keys; earlier ones dropped" if drops else "signing keys")
    return go("keys", done="dropped" if drops else "rotated")


def _drops(visit: Visit) -> bool:
    return visit.asked("drop") == "1"


def _rotation(visit: Visit, *, mistyped: bool) -> Response:
    drops = _drops(visit)
    return visit.page(
        "rotate.html",
        "Rotate and drop the old keys" if drops else "Rotate the signing key",
        status=400 if mistyped else 200,
        drops=drops,
        word=DROP if drops else ROTATE,
        mistyped=mistyped,
    )


async def show_health(visit: Visit) -> Response:
    """Show what `supertokens doctor` would find, the worst first."""
    findings = await visit.ask(visit.backend.findings)
    order = ("error", "warning", "note", "ok")
    return visit.page(
        "health.html",
        "Health",
        findings=sorted(findings, key=lambda one: order.index(one.level)),
        verdict=doctor.worst(findings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    live: int | None  #: sessions; None where counting them is not cheap
    active: int | None  #: users within 24 hours; None where this is not kept


def _figures(engine: Engine, now_ms: int) -> _Figures:
    sessions: object = engine.sessions
    live = sessions.count_live(MOST_COUNTED) if isinstance(sessions, CountsSessions) else None
    return _Figures(live=live, active=engine.users.count_active(now_ms - _DAY_MS))


async def show_figures(visit: Visit) -> Response:
    """Show a few numbers."""
    figures = await visit.ask(_figures, visit.backend.engine, visit.backend.now_ms())
    return visit.page(
        "figures.html",
        "Figures",
        figures=figures,
        most=MOST_COUNTED,
        refusals=visit.desk.refusals.most_first(),
    )


PAGES: Sequence[Page] = (
    Page("/events", "read", show_events),
    Page("/keys", "read", show_keys),
    Page("/rotate", "rotate_keys", show_rotate, rotate),
    Page("/health", "read", show_health),
    Page("/figures", "read", show_figures),
)
