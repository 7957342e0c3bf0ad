"""Pages about sessions: search, those of a user, one of them, and ending them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlette.responses import Response

from supertokens_py.engine.event_records import EventQuery, SessionEvent
from supertokens_py.engine.explanations import SessionExplanation, explain
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.records import StoredSession
from supertokens_py.engine.session_records import Details, ListedSession
from supertokens_py.formatting import counted, visible
from supertokens_py.types.numbers import whole_number

from .forms import was_led_here
from .permissions import Refused
from .visits import Page, Visit, go, link

#: So many sessions of a user are shown; whoever has more is no person.
SHOWN_SESSIONS = 200
_SHOWN_EVENTS = 50
_LONGEST_ID = 512

Which: TypeAlias = Literal["one", "others", "all"]


async def show_search(visit: Visit) -> Response:
    """Show what can be searched for."""
    return visit.page("search.html", "Search")


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfUser:
    sessions: Sequence[ListedSession]
    unlisted: int  #: live sessions that are not among them
    events: Sequence[SessionEvent] | None  #: the newest first; None where none are kept


def _of_user(engine: Engine, user_id: str, tenant_id: str | None) -> _OfUser:
    listed = engine.sessions.listed(user_id, tenant_id=tenant_id)
    known = {one.handle for one in listed}
    # At a core a list ends after so many sessions.
    others = set(engine.sessions.user_handles(user_id, tenant_id=tenant_id)) - known
    unlisted = len(others) + max(0, len(listed) - SHOWN_SESSIONS)
    events = None
    if engine.events.are_kept:
        query = EventQuery(user_id=user_id, tenant_id=tenant_id, limit=_SHOWN_EVENTS)
        events = engine.events.latest(query).events
    return _OfUser(sessions=listed[:SHOWN_SESSIONS], unlisted=unlisted, events=events)


async def show_user(visit: Visit) -> Response:
    """Show the sessions and devices of a user."""
    user_id, tenant_id = _id(visit, "id"), visit.asked("tenant").strip() or None
    found = await visit.ask(_of_user, visit.backend.engine, user_id, tenant_id)
    return visit.page(
        "user.html",
        f"User {visible(user_id)}",
        user_id=user_id,
        tenant_id=tenant_id,
        found=found,
        ended=whole_number(visit.asked("ended"), digits=6),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneSession:
    stored: StoredSession | None  #: None where it does not live
    details: Details | None
    explanation: SessionExplanation
    events: Sequence[SessionEvent] | None  #: the newest first; None where none are kept


def _one_session(engine: Engine, handle: str) -> _OneSession:
    stored = engine.sessions.information(handle)
    events = None
    if engine.events.are_kept:
        events = engine.events.of_session(handle, limit=_SHOWN_EVENTS)[::-1]
    return _OneSession(
        stored=stored,
        details=None if stored is None else engine.sessions.details(handle),
        explanation=explain(engine, handle),
        events=events,
    )


async def show_session(visit: Visit) -> Response:
    """Show one session, alive or not; its payload and data only to whoever may see them, and asks."""
    handle = _id(visit, "handle").strip()
    # That somebody looked is recorded: no other site may have an administrator look.
    shows_payload = visit.asked("payload") == "1" and not was_led_here(visit.request.headers)
    if shows_payload:
        visit.require("read_payload")
    found = await visit.ask(_one_session, visit.backend.engine, handle)
    if shows_payload and found.stored is not None:
        visit.acted("read_payload", f"session {handle}")
    unknown = found.stored is None and found.explanation.state == "unknown" and not found.events
    return visit.page(
        "session.html",
        "Session",
        status=404 if unknown else 200,
        handle=handle,
        found=found,
        shows_payload=shows_payload,
        ended=whole_number(visit.asked("ended"), digits=6),
    )


async def show_tenant(visit: Visit) -> Response:
    """Show a tenant: whether it exists, and what happened in it lately."""
    tenant_id = _id(visit, "id").strip()
    engine = visit.backend.engine
    tenant = await visit.ask(engine.tenants.find, tenant_id)
    events = None
    if engine.events.are_kept:
        query = EventQuery(tenant_id=tenant_id, limit=_SHOWN_EVENTS)
        events = (await visit.ask(engine.events.latest, query)).events
    return visit.page(
        "tenant.html",
        f"Tenant {visible(tenant_id)}",
        status=404 if tenant is None else 200,
        tenant_id=tenant_id,
        exists=tenant is not None,
        events=events,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    """What is to be ended: one session, the others of its user, or all of a user."""

    which: Which
    handle: str = ""
    user_id: str = ""
    tenant_id: str | None = None

    @property
    def target(self) -> str:
        """What events say of it."""
        if self.which == "one":
            return f"session {self.handle}"
        if self.which == "others":
            return f"sessions other than {self.handle}"
        return f"sessions of user {self.user_id}" + (f" in {self.tenant_id}" if self.tenant_id else "")


def _ending(visit: Visit) -> _Ending:
    """Return what the address asks to end.

    Raises:
        Refused: it names nothing.
    """
    if visit.asked("user"):
        tenant_id = visit.asked("tenant").strip() or None
        return _Ending(which="all", user_id=_id(visit, "user"), tenant_id=tenant_id)
    which: Which = "others" if visit.asked("others") == "1" else "one"
    return _Ending(which=which, handle=_id(visit, "handle").strip())


def _to_end(engine: Engine, ending: _Ending) -> tuple[str, list[str]]:
    """Return the user whose sessions would be ended, "" if there is none, and their handles."""
    if ending.which == "all":
        handles = engine.sessions.user_handles(ending.user_id, tenant_id=ending.tenant_id)
        return ending.user_id, handles
    stored = engine.sessions.information(ending.handle)
    if stored is None:
        return "", []
    if ending.which == "one":
        return stored.user_id, [ending.handle]
    handles = engine.sessions.user_handles(stored.user_id, tenant_id=None)
    return stored.user_id, [handle for handle in handles if handle != ending.handle]


async def show_revoke(visit: Visit) -> Response:
    """Show what would be ended, and ask for it once more."""
    ending = _ending(visit)
    user_id, handles = await visit.ask(_to_end, visit.backend.engine, ending)
    return visit.page(
        "revoke.html",
        _question(ending, len(handles)),
        ending=ending,
        user_id=user_id,
        count=len(handles),
        ends_own=visit.viewer.handle in handles,
        back=_back(ending, user_id),
    )


async def revoke(visit: Visit) -> Response:
    """End the sessions that the address names."""
    ending = _ending(visit)
    actor_id, backend = visit.viewer.actor_id, visit.backend
    user_id, _ = await visit.ask(_to_end, backend.engine, ending)
    if ending.which == "all":
        ended = await backend.revoke_user(ending.user_id, ending.tenant_id, actor_id=actor_id)
    elif ending.which == "others":
        ended = await backend.revoke_others(ending.handle, actor_id=actor_id)
    else:
        ended = await backend.revoke([ending.handle], actor_id=actor_id)
    visit.acted("revoke", ending.target)
    if not user_id:
        return go("session", handle=ending.handle, ended=len(ended))
    return go("user", id=user_id, tenant=ending.tenant_id, ended=len(ended))


def _question(ending: _Ending, count: int) -> str:
    match ending.which:
        case "one":
            return "End this session?"
        case "others":
            return f"End {counted(count, 'other session')}?"
        case "all":
            return f"End {counted(count, 'session')}?"


def _back(ending: _Ending, user_id: str) -> str:
    if ending.which == "all" or not ending.handle:
        return link("user", id=user_id, tenant=ending.tenant_id)
    return link("session", handle=ending.handle)


def _id(visit: Visit, name: str) -> str:
    """Return what the address names.

    Raises:
        Refused: nothing, or what is too long to be an id.
    """
    given = visit.asked(name)
    if not given.strip():
        raise Refused(400, "Nothing to look for", "Give a user id, a session handle or a tenant.")
    if len(given) > _LONGEST_ID:
        raise Refused(400, "Too long", f"No id has more than {_LONGEST_ID} characters.")
    return given


PAGES: Sequence[Page] = (
    Page("/", "read", show_search),
    Page("/user", "read", show_user),
    Page("/session", "read", show_session),
    Page("/tenant", "read", show_tenant),
    Page("/revoke", "revoke", show_revoke, revoke),
)
