"""What the pages of the admin page show, and what its forms do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.admin.application import PAGES
from supertokens_py.app import Supertokens
from supertokens_py.events import AdminActed, Event, KeyRotated, SessionRevoked
from supertokens_py.exceptions import EngineUnavailableError
from supertokens_py.recipe.session.interfaces import RecipeInterface
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    list_sessions,
    revoke_session,
)
from supertokens_py.recipe.session.utils import InputOverrideConfig
from tests.admin.conftest import ORIGIN, Site

#: What somebody may have put wherever text is kept.
HOSTILE = "\"><script>alert(1)</script><b a='x\u202e\x07\x00\n{{ 7*7 }}"
SHOWN = "&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;b a=&#39;x\\u202e\\x07"


def live(user_id: str) -> list[str]:
    return [one.session_handle for one in list_sessions(user_id)]


def test_a_user_with_sessions(site: Site) -> None:
    """Each with its device, the handle as a link, and a way to end it."""
    phone = site.client()
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Version/18.5 Safari/604.1"
    phone.post("/visit", headers={"st-auth-mode": "cookie", "user-agent": agent})
    admin = site.signed_in("writer-1")
    (guest,) = re.findall(r"user\?id=(guest_[\w-]+)", admin.get("/admin/events").text)[:1]
    shown = admin.get(f"/admin/user?id={guest}").text
    (handle,) = live(guest)
    assert "1 live session" in shown
    assert "Safari on iPhone" in shown
    assert f'href="session?handle={handle}"' in shown
    assert f'href="revoke?handle={handle}"' in shown
    assert "session.created" in shown


def test_a_user_without_sessions(site: Site) -> None:
    """It is said that ids are compared exactly."""
    shown = site.signed_in("reader-1").get("/admin/user?id=Ada ").text
    assert "0 live sessions" in shown
    assert "Ids are compared exactly" in shown


@pytest.mark.parametrize("path", ["user", "user?id=", "user?id=%20", "session", "tenant", "revoke"])
def test_nothing_to_look_for(site: Site, path: str) -> None:
    """400, with words."""
    answer = site.signed_in("writer-1").get(f"/admin/{path}")
    assert (answer.status_code, "Nothing to look for" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("user?id=" + "x" * 513, 400),
        ("user?id=x&tenant=none", 400),
        ("session?handle=none", 404),
        ("session?handle=" + "%00" * 9, 404),
        ("tenant?id=none", 404),
        ("events?type=none", 400),
        ("events?before=-1", 400),
        ("events?before=99999999999999999999", 400),
        ("events?before=999999999999999999", 200),
        ("events?user=%00&actor=%ED%A0%80&tenant=%00", 200),
        ("user?id=%ED%A0%80", 200),
        ("user?id=x&ended=<b>", 200),
    ],
)
def test_addresses_that_are_wrong(site: Site, path: str, status: int) -> None:
    """None is a failure of the server."""
    assert site.signed_in("writer-1").get(f"/admin/{path}").status_code == status


def test_hostile_text_is_shown_as_text(site: Site) -> None:
    """CP-38: ids, agents, payloads, data and addresses: no markup, no control character, no template."""
    admin = site.signed_in("reader-1")
    payload_reader = site.signed_in("writer-1")
    user_id = HOSTILE.replace("\x00", "")
    session = create_new_session_without_request_response(
        "public", user_id, {"p" + HOSTILE: HOSTILE}, {"d": HOSTILE}
    )
    handle = session.get_handle()
    pages = [admin.get("/admin/user", params={"id": user_id}), admin.get("/admin/events")]
    pages += [payload_reader.get("/admin/session", params={"handle": handle, "payload": "1"})]
    pages += [payload_reader.get("/admin/revoke", params={"user": user_id})]
    for name in ("user", "actor", "tenant"):
        pages.append(admin.get("/admin/events", params={name: HOSTILE}))
    pages += [admin.get("/admin/tenant", params={"id": HOSTILE})]
    pages += [admin.get("/admin/session", params={"handle": HOSTILE})]
    for page in pages:
        assert page.status_code in (200, 400, 404), page.text
        assert "<script" not in page.text
        assert "<b a=" not in page.text
        text = re.sub(r'value="[^"]*"', "", page.text)  # what was typed comes back as it was typed
        assert not set(text) & {"\u202e", "\x07", "\x00"}
    for page in (pages[0], pages[1], pages[3]):
        assert SHOWN in page.text
    assert json.dumps("\u202e\x07")[1:-1] in pages[2].text


def test_a_payload_is_hidden_until_it_is_asked_for(site: Site, supertokens_events: list[Event]) -> None:
    """And that somebody looked is an event."""
    handle = site.session_of(
        "ada", access_token_payload={"secret": "s-three"}, session_data_in_database={"d": "d-four"}
    )
    admin = site.signed_in("writer-1")
    hidden = admin.get(f"/admin/session?handle={handle}").text
    assert "s-three" not in hidden
    assert "d-four" not in hidden
    supertokens_events.clear()
    shown = admin.get(f"/admin/session?handle={handle}&payload=1").text
    assert "s-three" in shown
    assert "d-four" in shown
    looked = AdminActed(action="read_payload", actor_id="writer-1", target=f"session {handle}")
    assert looked in supertokens_events


def test_one_session_is_ended(site: Site, supertokens_events: list[Event]) -> None:
    """CP-38: after a second page; the act has the administrator's name, in memory and in the database."""
    admin, handle, other = site.signed_in("writer-1"), site.session_of("ada"), site.session_of("ada")
    page = f"/admin/revoke?handle={handle}"
    assert "<h1>End this session?</h1>" in admin.get(page).text
    supertokens_events.clear()
    answer = site.send(admin, page)
    assert (answer.status_code, answer.headers["location"]) == (303, "user?id=ada&ended=1")
    assert live("ada") == [other]
    assert "1 session ended." in admin.get("/admin/user?id=ada&ended=1").text
    assert supertokens_events == [
        SessionRevoked(handle=handle, reason="admin", actor_id="writer-1", user_id="ada", tenant_id="public"),
        AdminActed(action="revoke", actor_id="writer-1", target=f"session {handle}"),
    ]
    shown = admin.get(f"/admin/session?handle={handle}").text
    assert "an administrator ended it (by writer-1)" in shown
    assert "session.revoked" in admin.get("/admin/events?actor=writer-1").text
    assert "There is nothing to end" in admin.get(page).text


def test_the_other_sessions_are_ended(site: Site) -> None:
    """But not the one that stays."""
    admin, kept = site.signed_in("writer-1"), site.session_of("ada")
    for _ in range(2):
        site.session_of("ada")
    page = f"/admin/revoke?handle={kept}&others=1"
    assert "<h1>End 2 other sessions?</h1>" in admin.get(page).text
    assert site.send(admin, page).headers["location"] == "user?id=ada&ended=2"
    assert live("ada") == [kept]


def test_all_sessions_of_a_user_are_ended(site: Site) -> None:
    """In all tenants, or in one; also one's own, of which the page warns."""
    admin = site.signed_in("writer-1")
    for _ in range(2):
        site.session_of("ada")
    assert site.send(admin, "/admin/revoke?user=ada&tenant=public").headers["location"] == (
        "user?id=ada&tenant=public&ended=2"
    )
    assert live("ada") == []
    assert "Your own session is among them" in admin.get("/admin/revoke?user=writer-1").text
    assert site.send(admin, "/admin/revoke?user=writer-1").status_code == 303
    assert admin.get("/admin/").status_code == 401


def test_a_session_that_ended_meanwhile(site: Site) -> None:
    """Its page says so, and nothing fails."""
    admin, handle = site.signed_in("writer-1"), site.session_of("ada")
    page = f"/admin/revoke?handle={handle}"
    token = admin.get(page).text.partition('form_token" value="')[2].partition('"')[0]
    revoke_session(handle)
    answer = admin.post(page, data={"form_token": token}, headers={"sec-fetch-site": "same-origin"})
    assert answer.headers["location"] == f"session?handle={handle}&ended=0"
    shown = admin.get(f"/admin/session?handle={handle}&ended=0").text
    assert "0 sessions ended." in shown
    assert "the application revoked it" in shown


def test_overrides_of_the_application_are_honoured(make_site: Callable[..., Site]) -> None:
    """An application that does more when a session ends does so here, too."""
    seen: list[list[str]] = []

    def functions(original: RecipeInterface) -> RecipeInterface:
        revoke = original.revoke_multiple_sessions

        async def revoke_multiple_sessions(session_handles: list[str], user_context: Any) -> list[str]:
            seen.append(session_handles)
            return await revoke(session_handles, user_context)

        original.revoke_multiple_sessions = revoke_multiple_sessions
        return original

    site = make_site(step_up=True, override=InputOverrideConfig(functions=functions))
    handle = site.session_of("ada")
    site.send(site.signed_in("writer-1"), f"/admin/revoke?handle={handle}")
    assert seen == [[handle]]


def test_events_are_paged_and_filtered(site: Site) -> None:
    """The newest first; the link to older ones keeps the filters."""
    admin = site.signed_in("writer-1")
    for number in range(60):
        site.session_of(f"u{number}")
    first = admin.get("/admin/events?type=session.created").text
    assert first.count('<th scope="row"') == 50
    assert ">u59<" in first
    assert ">u9<" not in first
    older = re.search(r'href="(events\?[^"]+before=\d+)"', first)
    assert older is not None
    second = admin.get("/admin/" + older[1].replace("&amp;", "&")).text
    assert ">u9<" in second
    assert ">u10<" not in second
    assert 'rel="next"' not in second
    assert '<a href="events?type=session.created">Newest</a>' in second
    assert admin.get("/admin/events?user=u7").text.count('<th scope="row"') == 1


def test_keys_are_rotated(site: Site, supertokens_events: list[Event]) -> None:
    """CP-38: once the word is typed; who did it is an event."""
    admin = site.signed_in("writer-1")
    page = "/admin/rotate"
    wrong = site.send(admin, page, word="rotato")
    assert wrong.status_code == 400
    assert "Nothing was changed" in wrong.text
    assert 'aria-invalid="true"' in wrong.text
    supertokens_events.clear()
    assert site.send(admin, page, word=" Rotate ").headers["location"] == "keys?done=rotated"
    rotated, acted = supertokens_events
    assert isinstance(rotated, KeyRotated)
    assert not rotated.earlier_dropped
    assert acted == AdminActed(action="rotate_keys", actor_id="writer-1", target="signing keys")
    shown = admin.get("/admin/keys?done=rotated").text
    assert shown.count("dynamic ") == 2
    assert rotated.kid in shown
    assert "key.rotated" in admin.get("/admin/events?actor=writer-1").text


def test_old_keys_are_dropped(site: Site, supertokens_events: list[Event]) -> None:
    """With the static key, unless that is kept; the administrator's own token is refused, too."""
    admin = site.signed_in("writer-1")
    page = "/admin/rotate?drop=1"
    assert site.send(admin, page, word="rotate").status_code == 400
    supertokens_events.clear()
    answer = site.send(admin, page, word="drop old keys", keep_static="1")
    assert answer.headers["location"] == "keys?done=dropped"
    rotated = [event for event in supertokens_events if isinstance(event, KeyRotated)]
    assert [event.earlier_dropped for event in rotated] == [True]
    assert admin.get("/admin/").status_code == 401


def test_health_is_what_doctor_says(site: Site) -> None:
    """The worst first, with what to do."""
    shown = site.signed_in("reader-1").get("/admin/health").text
    assert "sessions are kept in memory and end with the process" in shown
    assert "Something deserves attention." in shown
    assert "use a file or PostgreSQL" in shown


def test_figures(site: Site) -> None:
    """Live sessions, active users, and what this process refused."""
    admin = site.signed_in("reader-1")
    site.client().get("/admin/")
    shown = admin.get("/admin/figures").text
    assert '<dt>Live sessions</dt><dd><span class="number">1</span>' in shown
    assert re.search(r"<code>\w+</code></th><td [^>]*>1</td>", shown)


def test_a_tenant(site: Site) -> None:
    """What happened in it, and a search for its users."""
    Supertokens.get_instance().engine.tenants.put("t1", {})
    create_new_session_without_request_response("t1", "ada")
    admin = site.signed_in("reader-1")
    shown = admin.get("/admin/tenant?id=t1").text
    assert shown.count('<th scope="row"') == 1
    assert '<input type="hidden" name="tenant" value="t1">' in shown
    assert "1 live session" in admin.get("/admin/user?id=ada&tenant=t1").text
    assert "0 live session" in admin.get("/admin/user?id=ada&tenant=public").text


def test_with_everything_off_the_pages_say_so(make_site: Callable[..., Site]) -> None:
    """Neither events nor devices nor times of authentication: reading works, and says what is missing."""
    site = make_site({"authorize": lambda *_: True}, devices=None)
    handle = site.session_of("ada")
    admin = site.signed_in("boss")
    for path in ("events", "user?id=ada", f"session?handle={handle}", "tenant?id=public"):
        answer = admin.get(f"/admin/{path}")
        assert answer.status_code == 200
        assert "No events are kept here" in answer.text
    assert "DeviceSettings" in admin.get(f"/admin/session?handle={handle}").text
    for path in ("", "keys", "health", "figures"):
        assert admin.get(f"/admin/{path}").status_code == 200
    refused = admin.get(f"/admin/revoke?handle={handle}")
    assert refused.status_code == 403
    assert "step_up=True" in refused.text


def test_a_database_that_is_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """503, without saying why to whoever it may be."""
    admin = site.signed_in("reader-1")

    def fail(*args: Any, **kwargs: Any) -> None:
        raise EngineUnavailableError("db-7.internal does not answer")

    monkeypatch.setattr(type(Supertokens.get_instance().engine.sessions), "verify", fail)
    answer = admin.get("/admin/")
    assert answer.status_code == 503
    assert "db-7" not in answer.text
    assert "Out of reach" in answer.text


def test_no_page_has_a_script(site: Site) -> None:
    """CP-38: nor an address outside of its own folder, save the log-in page of the application."""
    admin = site.signed_in("writer-1")
    handle = site.session_of("ada")
    queries = {
        "/user": "?id=ada",
        "/session": f"?handle={handle}",
        "/tenant": "?id=public",
        "/revoke": "?user=ada",
        "/sessions": "?tenant=public",
        "/end": f"?tenant=public&handle={handle}",
    }
    for page in PAGES:
        text = admin.get(f"/admin{page.path}{queries.get(page.path, '')}").text
        assert "<script" not in text
        assert "javascript:" not in text
        assert " on" + "click" not in text
        addresses = re.findall(r'(?:href|src|action)="([^"]*)"', text)
        assert addresses
        assert not [one for one in addresses if "//" in one or one.startswith("/")]
        assert ORIGIN not in text or page.path == "/session"


def test_the_session_of_who_looks_is_marked(site: Site) -> None:
    """So that nobody ends it by accident."""
    admin = site.signed_in("writer-1")
    shown = admin.get("/admin/user?id=writer-1").text
    assert '<span class="tag">yours</span>' in shown


def test_impersonation_is_shown(site: Site) -> None:
    """Whose session it is, and who acts in it."""
    actor = site.signed_in("reader-9")
    actor.post("/act-as", headers={"rid": "session", "st-auth-mode": "cookie"})
    shown = site.signed_in("reader-1").get("/admin/user?id=writer-2").text
    assert "impersonated by" in shown
    assert "reader-9" in shown
    assert "impersonation.started" in shown
