"""Forms of the admin page: from here only, with the token of the session, and then a redirect."""

from __future__ import annotations

import pytest

from supertokens_py.admin.forms import MAX_BODY, form_token, is_form_token, was_sent_here
from supertokens_py.recipe.session.syncio import get_session_information
from tests.admin.conftest import HERE, Site


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "null", "host": "a.test"}, True),
        ({"sec-fetch-site": "same-site", "origin": "http://a.test", "host": "a.test"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"origin": "http://a.test:8000", "host": "A.test:8000"}, True),
        ({"origin": "http://a.test", "host": "a.test:8000"}, False),
        ({"origin": "http://a.test.evil.test", "host": "a.test"}, False),
        ({"origin": "null", "host": "a.test"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"host": "a.test"}, False),
        ({}, False),
    ],
)
def test_where_a_form_was_sent_from(headers: dict[str, str], expected: bool) -> None:
    """CP-38: by `Sec-Fetch-Site` where there is one, else by `Origin`; silence is a no."""
    assert was_sent_here(headers) is expected


def test_a_token_is_of_one_session_and_one_secret() -> None:
    """Also while the secret changes: both are accepted."""
    token = form_token(b"old", "h1")
    assert is_form_token([b"new", b"old"], "h1", token)
    assert not is_form_token([b"new", b"old"], "h2", token)
    assert not is_form_token([b"new"], "h1", token)
    assert not is_form_token([], "h1", "")
    assert not is_form_token([b"old"], "h1", "\ud800")


def test_a_foreign_form_changes_nothing(site: Site) -> None:
    """CP-38: 403, whatever it carries; so does a form with another session's token, or with none."""
    client, handle = site.signed_in("writer-1"), site.session_of("ada")
    page = f"/admin/revoke?handle={handle}"
    token = client.get(page).text.partition('name="form_token" value="')[2].partition('"')[0]
    foreign = {"sec-fetch-site": "cross-site", "origin": "https://evil.test"}
    attempts = [
        ({"form_token": token}, foreign),
        ({"form_token": token}, {}),
        ({"form_token": "0" * 64}, HERE),
        ({}, HERE),
    ]
    for fields, headers in attempts:
        assert client.post(page, data=fields, headers=headers).status_code == 403
    other = site.signed_in("writer-2")
    assert other.post(page, data={"form_token": token}, headers=HERE).status_code == 403
    assert get_session_information(handle) is not None
    answer = client.post(page, data={"form_token": token}, headers=HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "user?id=ada&ended=1")
    assert get_session_information(handle) is None


def test_a_form_is_not_without_end(site: Site) -> None:
    """413 above what any form of the page has."""
    client = site.signed_in("writer-1")
    answer = client.post("/admin/rotate", content=b"x" * (MAX_BODY + 1), headers=HERE)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["", "user?id=a", "events", "keys", "nothing", "admin.css", "rotate"])
def test_other_methods_and_addresses_are_pages_too(site: Site, path: str) -> None:
    """With the headers of every response; nothing is answered by the framework."""
    client = site.signed_in("writer-1")
    answer = client.request("DELETE", f"/admin/{path}")
    assert answer.status_code in (404, 405)
    assert "<h1>No such page</h1>" in answer.text
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_headers_of_every_response(site: Site) -> None:
    """CP-38: no script, no frame, no copy in a cache, no address passed on."""
    for client in (site.client(), site.signed_in("writer-1")):
        for path in ("", "events", "nothing", "rotate"):
            headers = client.get(f"/admin/{path}").headers
            assert headers["content-security-policy"] == (
                "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
                "frame-ancestors 'none'"
            )
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "private, no-store"
            assert headers["x-content-type-options"] == "nosniff"
    style = site.client().get("/admin/admin.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
