"""Pages about the sessions of a tenant: going through them, and ending several of them or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from supertokens_py.engine import validation
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.session_browsing import BrowsesSessions, TenantPage
from supertokens_py.engine.session_records import ListedSession
from supertokens_py.types.numbers import whole_number

from .permissions import Refused
from .visits import Page, Visit, go, link

#: So many sessions one page looks at, and so many of them it shows.
LOOKED_AT = 1000
SHOWN = 50  # an address with so many handles is one that servers and proxies take
#: Ending all sessions of a tenant goes on for so many times `LOOKED_AT`; then it is asked for again.
_ROUNDS = 10
_DAY_MS = 86_400_000
_LONGEST = 512
#: What has to be typed before all sessions of a tenant end.
WORD: Final = "end all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What sessions are looked for.

    Args:
        text: a part of the user id, the device, the address or the handle, in any case; "" finds all.
        unseen_days: those not seen for so many days; None: all.
    """

    text: str
    unseen_days: int | None

    def finds(self, one: ListedSession, now_ms: int) -> bool:
        """Return whether a session is among them."""
        details = one.details
        if self.unseen_days is not None:
            seen_ms = details.last_seen_ms if details is not None else None
            if now_ms - (seen_ms or one.created_ms) < self.unseen_days * _DAY_MS:
                return False
        known = [one.user_id, one.handle]
        if details is not None:
            known += [details.label or "", details.ip or "", details.agent or ""]
        return any(self.text.lower() in each.lower() for each in known)


def _browser(engine: Engine) -> BrowsesSessions:
    sessions: object = engine.sessions
    if not isinstance(sessions, BrowsesSessions):
        raise Refused(
            501, "Not possible here", "A core finds the sessions of a user only, not those of a tenant."
        )
    return sessions


async def show_sessions(visit: Visit) -> Response:
    """Show some sessions of a tenant."""
    tenant_id, text, days = _tenant(visit), visit.asked("find").strip(), visit.asked("unseen").strip()
    unseen_days = whole_number(days, digits=5)
    if len(text) > _LONGEST:
        raise Refused(400, "Too long", f"Look for {_LONGEST} characters at most.")
    if days and unseen_days is None:
        raise Refused(400, "No such time", "`unseen` is a number of days.")
    filters = Filters(text=text, unseen_days=unseen_days)
    browser = _browser(visit.backend.engine)
    page = await visit.ask(browser.of_tenant, tenant_id, after=visit.asked("after"), limit=LOOKED_AT)
    now_ms = visit.backend.now_ms()
    found = [one for one in page.sessions if filters.finds(one, now_ms)]
    after = found[SHOWN - 1].handle if len(found) > SHOWN else page.after
    asked = {"tenant": tenant_id, "find": text, "unseen": days}
    return visit.page(
        "sessions.html",
        "Sessions of a tenant",
        tenant_id=tenant_id,
        asked=asked,
        found=found[:SHOWN],
        further=None if after is None else link("sessions", **asked, after=after),
        is_first=not visit.asked("after"),
        ended=whole_number(visit.asked("ended"), digits=6),
        rest=None if not (rest := visit.asked("rest")) else link("end", tenant=tenant_id, all=1, after=rest),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    """What is to be ended: the sessions that were selected, or all of the tenant but the viewer's own.

    Args:
        after: the handle behind which all begin; "" for the first.
    """

    tenant_id: str
    handles: Sequence[str]
    is_all: bool
    after: str


def _choice(visit: Visit) -> _Choice:
    """Return what the address asks to end.

    Raises:
        Refused: it names nothing, or too much.
    """
    handles = list(dict.fromkeys(visit.request.query_params.getlist("handle")))
    is_all = visit.asked("all") == "1"
    if not (handles or is_all):
        raise Refused(400, "Nothing is selected", "Go back, and select the sessions that are to end.")
    if len(handles) > SHOWN:
        raise Refused(400, "Too many", f"Select {SHOWN} sessions at most.")
    return _Choice(tenant_id=_tenant(visit), handles=handles, is_all=is_all, after=visit.asked("after"))


def _selected(engine: Engine, choice: _Choice) -> list[str]:
    """Return those of the selected sessions that live, and are of the tenant."""
    known = [engine.sessions.information(handle) for handle in choice.handles]
    return [one.handle for one in known if one is not None and one.tenant_id == choice.tenant_id]


async def show_end(visit: Visit) -> Response:
    """Show what would be ended, and ask for it once more."""
    return await _ask_again(visit, mistyped=False)


async def _ask_again(visit: Visit, *, mistyped: bool) -> Response:
    choice, engine, own = _choice(visit), visit.backend.engine, visit.viewer.handle
    if choice.is_all:
        of_tenant = _browser(engine).of_tenant
        page = await visit.ask(of_tenant, choice.tenant_id, after=choice.after, limit=LOOKED_AT)
        handles, is_more = _handles(page, but=own), page.after is not None
    else:
        handles, is_more = await visit.ask(_selected, engine, choice), False
    return visit.page(
        "end.html",
        f"End all sessions of {choice.tenant_id}?" if choice.is_all else "End the selected sessions?",
        status=400 if mistyped else 200,
        choice=choice,
        count=len(handles),
        is_more=is_more,
        ends_own=own in handles,
        word=WORD,
        mistyped=mistyped,
    )


async def end(visit: Visit) -> Response:
    """End the sessions that the address names."""
    choice, backend = _choice(visit), visit.backend
    if not choice.is_all:
        handles = await visit.ask(_selected, backend.engine, choice)
        ended = await backend.revoke(handles, actor_id=visit.viewer.actor_id)
        visit.acted("revoke", f"{len(ended)} selected sessions in {choice.tenant_id}")
        return go("sessions", tenant=choice.tenant_id, ended=len(ended))
    if visit.fields.get("word", "").strip().lower() != WORD:
        return await _ask_again(visit, mistyped=True)
    visit.acted("revoke", f"all sessions in {choice.tenant_id}")
    count, rest = await _end_all(visit, choice.tenant_id, choice.after)
    return go("sessions", tenant=choice.tenant_id, ended=count, rest=rest)


async def _end_all(visit: Visit, tenant_id: str, after: str) -> tuple[int, str | None]:
    """End sessions of a tenant, up to a bound; return how many, and behind which there may be more.

    The next request goes on there: the first ones may all have expired, and are looked at as well.
    """
    browser, count = _browser(visit.backend.engine), 0
    for _ in range(_ROUNDS):
        page = await visit.ask(browser.of_tenant, tenant_id, after=after, limit=LOOKED_AT)
        handles = list(_handles(page, but=visit.viewer.handle))
        count += len(await visit.backend.revoke(handles, actor_id=visit.viewer.actor_id))
        if page.after is None:
            return count, None
        after = page.after
    return count, after


def _handles(page: TenantPage, *, but: str | None) -> list[str]:
    return [one.handle for one in page.sessions if one.handle != but]


def _tenant(visit: Visit) -> str:
    """Return the tenant that the address names.

    Raises:
        Refused: it names none.
        BadInputError: there can be no such tenant.
    """
    given = visit.asked("tenant").strip()
    if not given or len(given) > _LONGEST:
        raise Refused(400, "Nothing to look for", "Give the id of a tenant.")
    return validation.normalise_tenant_id(given)


PAGES: Sequence[Page] = (
    Page("/sessions", "read", show_sessions),
    Page("/end", "revoke", show_end, end),
)
