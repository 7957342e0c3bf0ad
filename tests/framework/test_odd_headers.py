"""Headers that no parser reads: of a form, of the host, of where a request comes from. None is a 500."""

from __future__ import annotations

import pytest

from supertokens_py.admin.forms import was_sent_here
from supertokens_py.framework.forms import form_fields
from supertokens_py.recipe import thirdparty
from supertokens_py.recipe.session import PageSettings
from tests.recipe.thirdparty.site.conftest import Account, shop

from .site import Site
from .test_pages import HTMX, NAVIGATES

#: Names of charsets: unknown, ones whose codec refuses everything, what is no name.
CHARSETS = ("nonsense", "idna", "undefined", "punycode", "a\0b", "base64", "rot13", "utf-7", "'", "")
#: What is no host, though a header may say so.
HOSTS = (
    "[",
    "[::1",
    "a]",
    "[::1]x",
    "[v1.a]",
    "a:b",
    "a:99999",
    "\xbd",
    "a\u2100".encode().decode("latin-1"),
)


@pytest.mark.parametrize("charset", CHARSETS)
def test_a_form_in_an_odd_charset(charset: str) -> None:
    """Its boundary cannot be read, or that part is left out."""
    body = b"--abc\r\nContent-Disposition: form-data; name=next\r\n\r\n/a\r\n--abc--\r\n"
    assert form_fields(body, "multipart/form-data; boundary=abc") == {"next": "/a"}
    assert form_fields(body, f"multipart/form-data; boundary*={charset}''%fe") in ({}, form_fields(body))
    for parameter in ("name", "filename", "name*0", "filename*0"):
        head = f"Content-Disposition: form-data; {parameter}*={charset}''%fe"
        part = f"--abc\r\n{head}\r\n\r\nx\r\n".encode()
        assert form_fields(part + body, "multipart/form-data; boundary=abc") == {"next": "/a"}, head


@pytest.mark.parametrize("bare_site", ["fastapi", "flask", "django_sync"], indirect=True)
@pytest.mark.parametrize("charset", CHARSETS)
def test_a_route_answers_a_form_in_an_odd_charset(bare_site: Site, charset: str) -> None:
    """Nobody has to be signed in to send one."""
    recipes = [thirdparty.init(thirdparty.SignInAndUpFeature([shop(Account())]))]
    site = bare_site.init(recipes=recipes, pages=PageSettings(login_path="/login"))
    kind = ("content-type", f"multipart/form-data; boundary*={charset}''abc")
    if bare_site.driver != "django_sync":  # Django itself reads it, and fails
        assert site.post("/auth/callback/apple", [kind], body=b"--abc\r\n").status == 400
        assert site.post("/auth/signout", [*NAVIGATES, kind], body=b"--abc\r\n").status == 303
    part = f"--abc\r\nContent-Disposition: form-data; name=next; filename*={charset}''x\r\n\r\nx\r\n--abc--"
    sent = [("content-type", "multipart/form-data; boundary=abc")]
    assert site.post("/auth/callback/apple", sent, body=part.encode()).status == 400


@pytest.mark.parametrize("bare_site", ["starlette", "fastapi", "flask", "quart", "aiohttp"], indirect=True)
@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_none_is_no_error(bare_site: Site, host: str) -> None:
    """A page sends its visitor to the log-in, and a script gets the 401; some servers refuse it before."""
    site = bare_site.init(pages=PageSettings(login_path="/login"))
    lines = [("host", host), ("referer", f"http://{host}/a")]
    for path in ("/protected", "/auth/session/refresh", "/auth/signout"):
        for more in (NAVIGATES, HTMX, []):
            for reply in (site.get(path, [*lines, *more]), site.post(path, [*lines, *more])):
                assert reply.status < 500, (path, more, reply.body)


def test_an_origin_that_is_none_is_not_this_one() -> None:
    """The admin page is asked by a browser without Fetch Metadata."""
    for host in ("[", "admin.example.com"):
        for origin in ("http://[", "http://[::1", "null", "", "http://a]", "http://\u2100"):
            assert was_sent_here({"origin": origin, "host": host}) is False
    assert was_sent_here({"origin": "https://admin.example.com", "host": "admin.example.com"}) is True
