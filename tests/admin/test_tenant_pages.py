"""The sessions of a tenant: filters, pages, and ending several of them or all."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from supertokens_py.admin import tenant_pages
from supertokens_py.app import Supertokens
from supertokens_py.engine.session_records import Details, ListedSession
from supertokens_py.events import AdminActed, Event, SessionRevoked
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_all_session_handles_for_user,
)
from tests.admin.conftest import HERE, Site

_PICKED = re.compile(r'name="handle" value="([^"]+)"')
_FURTHER = re.compile(r'rel="next" href="([^"]+)"')
PUBLIC = "/admin/sessions?tenant=public"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three are looked at, and two are shown."""
    monkeypatch.setattr(tenant_pages, "LOOKED_AT", 3)
    monkeypatch.setattr(tenant_pages, "SHOWN", 2)


def create(user_id: str, tenant_id: str = "public") -> str:
    return create_new_session_without_request_response(tenant_id, user_id).get_handle()


def second_tenant() -> None:
    Supertokens.get_instance().engine.tenants.put("t1", {})


def gone_through(client: TestClient, page: str) -> list[list[str]]:
    """Return the handles of each page, from the first to the last."""
    pages: list[list[str]] = []
    while True:
        shown = client.get(page)
        assert shown.status_code == 200, shown.text
        pages.append(_PICKED.findall(shown.text))
        further = _FURTHER.search(shown.text)
        if further is None:
            return pages
        page = f"/admin/{further[1].replace('&amp;', '&')}"


def test_each_session_of_the_tenant_is_shown_once(site: Site) -> None:
    """In the order of the primary key; those of another tenant are not among them."""
    second_tenant()
    create("eve", "t1")
    admin = site.signed_in("writer-1")
    handles = sorted([*get_all_session_handles_for_user("writer-1"), *(create("ada") for _ in range(6))])
    pages = gone_through(admin, PUBLIC)
    assert pages == [handles[:2], handles[2:4], handles[4:6], handles[6:]]
    assert '<a href="sessions?tenant=public">First</a>' in admin.get(f"{PUBLIC}&after=0").text
    (own,) = get_all_session_handles_for_user("writer-1")
    assert '<span class="tag">yours</span>' in admin.get(f"{PUBLIC}&after={own[:-1]}").text


def test_who_may_only_look_selects_nothing(site: Site) -> None:
    create("ada")
    shown = site.signed_in("reader-1").get(PUBLIC).text
    assert ("ada</bdi>" in shown, "checkbox" in shown, "End all" in shown) == (True, False, False)


def test_filters(site: Site) -> None:
    """A page may show none and still have further ones: it looks at a bounded number of sessions."""
    admin = site.signed_in("writer-1")
    handles = [create("Zoe-1"), *(create("bob") for _ in range(5))]
    found = gone_through(admin, f"{PUBLIC}&find=zoe")
    assert [one for page in found for one in page] == handles[:1]
    assert len(found) == 3
    none = admin.get(f"{PUBLIC}&find=nobody")
    assert "None among the sessions that were looked at; there are more." in none.text
    assert gone_through(admin, f"{PUBLIC}&find=nobody") == [[], [], []]
    assert gone_through(admin, f"{PUBLIC}&unseen=1") == [[], [], []]
    site.clock.advance("2d")
    fresh = site.signed_in("writer-1")
    found = gone_through(fresh, f"{PUBLIC}&unseen=2&find=bob")
    assert sorted(one for page in found for one in page) == sorted(handles[1:])


@pytest.mark.parametrize(
    ("text", "days", "finds"),
    [
        ("FIREFOX", None, True),
        ("mozilla", None, True),
        ("192.0.2", None, True),
        ("h-1", None, True),
        ("chrome", None, False),
        ("", 2, True),
        ("", 3, False),
    ],
)
def test_what_is_looked_at(text: str, days: int | None, finds: bool) -> None:
    details = Details(label="Firefox on Linux", agent="Mozilla/5.0", ip="192.0.2.0", last_seen_ms=86_400_000)
    one = ListedSession(
        handle="h-1",
        user_id="ada",
        recipe_user_id="ada",
        tenant_id="public",
        payload={},
        created_ms=0,
        expires_ms=1,
        details=details,
    )
    filters = tenant_pages.Filters(text=text, unseen_days=days)
    assert filters.finds(one, 3 * 86_400_000) is finds
    # Without devices only its user and its handle are known, and when it was created.
    assert filters.finds(replace(one, details=None), 3 * 86_400_000) is (text in ("", "h-1"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("sessions", 400),
        (f"sessions?tenant={'a' * 513}", 400),
        ("sessions?tenant=nowhere", 400),
        (f"sessions?tenant=public&find={'a' * 513}", 400),
        ("sessions?tenant=public&unseen=soon", 400),
        ("end?tenant=public", 400),
        ("end?tenant=public&handle=1&handle=2&handle=3", 400),
        ("end?handle=1", 400),
        ("end?tenant=nowhere&all=1", 400),
    ],
)
def test_addresses_that_are_wrong(site: Site, path: str, status: int) -> None:
    answer = site.signed_in("writer-1").get(f"/admin/{path}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")


def test_the_selected_sessions_end(site: Site, supertokens_events: list[Event]) -> None:
    """Only those of the tenant of the page, and only once it was asked again."""
    second_tenant()
    first, second, other, elsewhere = create("ada"), create("bob"), create("cyd"), create("eve", "t1")
    admin = site.signed_in("writer-1")
    page = "/admin/end?" + urlencode([("tenant", "public"), ("handle", first), ("handle", elsewhere)])
    assert "<dt>Sessions that end</dt><dd>1</dd>" in admin.get(page).text
    done = site.send(admin, page)
    assert (done.status_code, done.headers["location"]) == (303, "sessions?tenant=public&ended=1")
    assert "1 session ended." in admin.get(f"/admin/{done.headers['location']}").text
    left = [get_all_session_handles_for_user(user) for user in ("ada", "bob", "cyd", "eve")]
    assert left == [[], [second], [other], [elsewhere]]
    revoked = [one for one in supertokens_events if isinstance(one, SessionRevoked)]
    assert [(one.handle, one.reason, one.actor_id) for one in revoked] == [(first, "admin", "writer-1")]
    acted = [one for one in supertokens_events if isinstance(one, AdminActed)]
    assert [(one.action, one.target) for one in acted] == [("revoke", "1 selected sessions in public")]
    assert "There is nothing to end" in admin.get(page).text


def test_the_own_session_may_be_selected(site: Site) -> None:
    admin = site.signed_in("writer-1")
    (own,) = get_all_session_handles_for_user("writer-1")
    assert "Your own session is among them." in admin.get(f"/admin/end?tenant=public&handle={own}").text


def test_all_sessions_of_a_tenant_end_but_the_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A word is typed, and a request ends a bounded number; it says that there are more."""
    monkeypatch.setattr(tenant_pages, "_ROUNDS", 2)
    second_tenant()
    elsewhere = create("eve", "t1")
    admin = site.signed_in("writer-1")
    for number in range(8):
        create(f"user-{number}")
    page = "/admin/end?tenant=public&all=1"
    asked = admin.get(page).text
    assert re.search(r"<dt>Sessions that end</dt><dd>[23], and more</dd>", asked)
    assert "Your own session stays." in asked
    mistyped = site.send(admin, page, word="end")
    assert (mistyped.status_code, "Nothing was changed." in mistyped.text) == (400, True)
    ended, rest = list[int](), page
    while rest:
        done = site.send(admin, rest, word=" End ALL ").headers["location"]
        ended += [int(re.findall(r"ended=(\d+)", done)[0])]
        shown = re.search(r'There may be more: <a href="([^"]+)">', admin.get(f"/admin/{done}").text)
        rest = f"/admin/{shown[1].replace('&amp;', '&')}" if shown else ""
    assert (sum(ended), len(ended)) == (8, 2)
    assert len(get_all_session_handles_for_user("writer-1")) == 1
    assert get_all_session_handles_for_user("eve") == [elsewhere]


def test_expired_sessions_hold_nothing_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ending all goes on behind those that a request has looked at, also where none of them lived."""
    monkeypatch.setattr(tenant_pages, "_ROUNDS", 1)
    for _ in range(8):
        create("gone")
    site.clock.advance("200d")
    admin, rest, requests = site.signed_in("writer-1"), "/admin/end?tenant=public&all=1", 0
    for _ in range(4):
        create("ada")
    while rest and "There is nothing to end" not in admin.get(rest).text:
        done, requests = site.send(admin, rest, word="end all").headers["location"], requests + 1
        shown = re.search(r'<a href="(end[^"]+)">end the rest', admin.get(f"/admin/{done}").text)
        rest = f"/admin/{shown[1].replace('&amp;', '&')}" if shown else ""
    assert get_all_session_handles_for_user("ada") == []
    assert requests in (
        4,
        5,
    )  # of 13 sessions, 3 at a time; nothing but the own session may be left for the last


def test_a_tenant_is_named_in_any_case(site: Site) -> None:
    second_tenant()
    handle = create("eve", "t1")
    admin = site.signed_in("writer-1")
    assert handle in admin.get("/admin/sessions?tenant=%20T1").text
    site.send(admin, f"/admin/end?tenant=T1&handle={handle}")
    assert get_all_session_handles_for_user("eve") == []


def test_ended_is_a_number(site: Site) -> None:
    assert 'role="status"' not in site.signed_in("writer-1").get(f"{PUBLIC}&ended=<b>").text


def test_forms_of_other_sites_end_nothing(site: Site) -> None:
    """CP-38: neither without the token, nor with that of somebody else, nor from another origin."""
    handle = create("ada")
    admin, other = site.signed_in("writer-1"), site.signed_in("writer-3")
    for page in (f"/admin/end?tenant=public&handle={handle}", "/admin/end?tenant=public&all=1"):
        tokens = [
            re.findall(r'name="form_token" value="(\w+)"', one.get(page).text)[0] for one in (admin, other)
        ]
        assert tokens[0] != tokens[1]
        tries: list[tuple[dict[str, str], dict[str, str]]] = [
            ({}, HERE),
            ({"form_token": tokens[1]}, HERE),
            ({"form_token": tokens[0]}, {"sec-fetch-site": "cross-site"}),
            ({"form_token": tokens[0]}, {"sec-fetch-site": "same-site"}),
            ({"form_token": tokens[0]}, {"origin": "https://evil.example"}),
        ]
        for fields, headers in tries:
            answer: Any = admin.post(page, data={"word": "end all", **fields}, headers=headers)
            assert answer.status_code == 403
            assert answer.headers["x-frame-options"] == "DENY"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert get_all_session_handles_for_user("ada") == [handle]
