"""Origins, paths, cookie domains and sites (protocol: Domains and paths, Sites)."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supertokens_py.exceptions import ConfigError
from supertokens_py.urls import (
    api_origin,
    base_path,
    cookie_domain,
    request_path,
    schemeful_site,
    site_of,
    web_origin,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("API.Example.com", "https://api.example.com"),
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        (".example.com", "https://example.com"),
        ("https://e.com:8443/a?b", "https://e.com:8443"),
        ("  http://e.com/ ", "http://e.com"),
        ("http://e.com:80", "http://e.com"),
        ("https://e.com:443", "https://e.com"),
        ("https://e.com:80", "https://e.com:80"),
        ("https://user:pw@e.com/x#y", "https://e.com"),
        ("https://user:p*;,w@e.com/x,y;z*", "https://e.com"),
        ("supertokens://Shop", "supertokens://shop"),
        ("http://backend:8000", "http://backend:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("http://[::1]:8000/x", "http://[::1]:8000"),
        ("localhost.org", "http://localhost.org"),
        ("localhost.evil.example", "https://localhost.evil.example"),
        ("localhost-shop.com:8443", "https://localhost-shop.com:8443"),
        ("e.com:443", "https://e.com"),
        ("e.com/path.with.dots", "https://e.com"),
    ],
)
def test_an_origin_drops_its_default_port(text: str, expected: str) -> None:
    """FP-51: vectors, default ports dropped, IPv6 too."""
    assert api_origin(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "https://a.com,https://b.com",
        "https://a.com, https://b.com",
        "a.com;b.com",
        "https://*.example.com",
        "*",
    ],
)
def test_several_origins_are_none(text: str) -> None:
    """A list or a pattern is no host; the error says how to have several."""
    with pytest.raises(ConfigError) as told:
        api_origin(text)
    assert str(told.value) == (
        f"Please provide a valid domain name: {text!r} has to be one origin; "
        "for several pass `origin=` a function"
    )


def test_another_scheme_is_named() -> None:
    """An origin is a place on the web."""
    with pytest.raises(ConfigError) as told:
        api_origin("ftp://example.com")
    assert str(told.value) == (
        "Please provide a valid domain name: 'ftp://example.com' has to start with http:// or https://, "
        "not with 'ftp'"
    )


@pytest.mark.parametrize(
    "text",
    [
        "/x",
        "foo",
        "",
        " ",
        ".",
        "https://",
        "http:///x",
        "foo/bar.baz",
        "http://e.com:port",
        "http://[::1",
        "e\n.com",
        "http://a b.com",
    ],
)
def test_a_url_without_a_host_is_an_error_that_shows_it(text: str) -> None:
    """FP-51: what has no host is an error that shows the text."""
    with pytest.raises(ConfigError, match="valid domain name"):
        api_origin(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/auth", "/auth"),
        ("auth/", "/auth"),
        ("/", ""),
        ("", ""),
        ("/Auth/X", "/Auth/X"),
        ("http://e.com/a/b/?q=1", "/a/b"),
        ("example.com/auth", "/auth"),
        ("localhost/auth", "/auth"),
        ("localhost:8000/auth", "/auth"),
        ("/auth//", "/auth/"),
        ("/auth?x=1", "/auth"),
        ("/auth#x", "/auth"),
        (" /auth ", "/auth"),
        ("a/b/c", "/a/b/c"),
        ("/.well-known", "/.well-known"),
        ("http://e.com", ""),
        ("exists?email=john.doe%40gmail.com", "/exists"),
        ("exists#a.b/c", "/exists"),
        ("localhost-shop/auth", "/localhost-shop/auth"),
    ],
)
def test_paths_keep_their_case(text: str, expected: str) -> None:
    """FP-2, FP-107: vectors; case is kept."""
    assert base_path(text) == expected


@pytest.mark.parametrize("text", ["/a b", "/a;Path=/", "/a\r\nSet-Cookie: x", "/\x7f"])
def test_paths_that_no_cookie_can_have(text: str) -> None:
    """FP-2: the path goes into a cookie attribute, so it may not end it."""
    with pytest.raises(ConfigError, match="valid URL path"):
        base_path(text)


@pytest.mark.parametrize(
    ("path", "expected"), [("/auth/", "/auth"), ("/auth", "/auth"), ("/a//", "/a/"), ("/", "")]
)
def test_one_trailing_slash_of_a_request_path_is_dropped(path: str, expected: str) -> None:
    """FP-72: exactly one trailing slash is dropped."""
    assert request_path(path) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (".Example.com", ".example.com"),
        (" .Example.com ", ".example.com"),
        ("example.com", "example.com"),
        ("https://api.example.com/x", "api.example.com"),
        (".https://api.example.com:80/x", ".api.example.com"),
        ("api.example.com:8000", "api.example.com"),
        (".localhost", "localhost"),
        ("localhost:3000", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        (".127.0.0.1", "127.0.0.1"),
    ],
)
def test_cookie_domains_have_a_normal_form(text: str, expected: str) -> None:
    """FP-5: vectors."""
    assert cookie_domain(text) == expected


@pytest.mark.parametrize("text", [" ", ".", "https://", "a b.com", "e.com\r\nx", "a,b.com"])
def test_no_cookie_domains(text: str) -> None:
    """FP-5: what would break the header is refused."""
    with pytest.raises(ConfigError, match="session_scope"):
        cookie_domain(text)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://api.example.com", "example.com"),
        ("https://example.com", "example.com"),
        ("https://a.b.c.example.co.uk", "example.co.uk"),
        ("https://a.vercel.app", "a.vercel.app"),
        ("https://x.a.github.io", "a.github.io"),
        ("http://localhost:8000", "localhost"),
        ("http://localhost.org", "localhost"),
        ("https://localhost.evil.example", "localhost.evil.example"),
        ("https://localhost-shop.com", "localhost-shop.com"),
        ("http://localhosts", "localhosts"),
        ("http://demo.localhost", "demo.localhost"),
        ("http://127.0.0.1:8000", "localhost"),
        ("http://10.1.2.3", "localhost"),
        ("http://[::1]:8000", "localhost"),
        ("http://999.1.1.1", "999.1.1.1"),
        ("http://backend:8000", "backend"),
        ("https://a.local", "a.local"),
        ("https://x.a.internal", "x.a.internal"),
        ("https://s3.amazonaws.com", "s3.amazonaws.com"),
    ],
)
def test_sites_follow_the_public_suffix_list(origin: str, expected: str) -> None:
    """FP-51: 2.6, with the private part of the list; unlisted hosts are sites of their own."""
    assert site_of(origin) == expected


@pytest.mark.parametrize("origin", ["https://co.uk", "https://com", "https://vercel.app"])
def test_a_public_suffix_is_no_site(origin: str) -> None:
    """FP-51: a public suffix cannot hold cookies."""
    with pytest.raises(ConfigError, match="public suffix"):
        site_of(origin)


def test_the_suffix_list_is_loaded_when_it_is_needed_and_from_its_package() -> None:
    """FP-51: a localhost set-up never pays for loading it, and nothing is downloaded (D33)."""
    code = (
        "import socket, sys\n"
        "from supertokens_py.urls import site_of\n"
        "site_of('http://localhost:1'), site_of('http://[::1]')\n"
        "print('publicsuffixlist' in sys.modules)\n"
        "socket.socket = socket.getaddrinfo = None\n"
        "print(site_of('https://a.b.example.org'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\nexample.org\n"


@given(st.text(max_size=40))
def test_any_text_is_an_origin_or_an_error(text: str) -> None:
    """FP-51: nothing but ConfigError comes out, and an origin is its own origin."""
    try:
        origin = api_origin(text)
    except ConfigError:
        return
    assert api_origin(origin) == origin
    assert not set(origin) & set(" \r\n\t")


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_an_error(text: str) -> None:
    """FP-2: nothing but ConfigError comes out, and a path can stand in a cookie."""
    try:
        path = base_path(text)
    except ConfigError:
        return
    assert path == "" or path.startswith("/")
    assert not set(path) & set("\r\n; ")


@given(st.text(max_size=40))
def test_any_text_is_a_cookie_domain_or_an_error(text: str) -> None:
    """FP-5: nothing but ConfigError comes out, and a domain can stand in a cookie."""
    try:
        domain = cookie_domain(text)
    except ConfigError:
        return
    assert domain
    assert not set(domain) & set('\r\n; ,"')


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("https://example.com", "https://example.com"),
        ("HTTPS://Example.com:443", "https://example.com"),
        ("example.com", "https://example.com"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("null", None),
        ("", None),
        ("capacitor://localhost", None),
        ("supertokens://shop", None),
        ("file://", None),
        ("https://github.io", None),
        ("https://" + "a." * 500 + "com", None),
    ],
)
def test_origins_that_a_request_claims(claim: str, expected: str | None) -> None:
    """FP-51: what no web page could have as its origin is None, never an error."""
    assert web_origin(claim) == expected


@given(st.text())
def test_any_claim_is_an_origin_or_none(claim: str) -> None:
    """FP-51: a request may claim whatever it likes."""
    origin = web_origin(claim)
    assert origin is None or schemeful_site(origin).startswith(("http://", "https://"))


def test_each_address_is_a_site_to_browsers() -> None:
    """For `SameSite` browsers compare scheme and site, and addresses as they are."""
    assert schemeful_site("http://127.0.0.1:3000") == "http://127.0.0.1"
    assert schemeful_site("http://localhost:3000") == "http://localhost"
    assert schemeful_site("https://a.b.example.com:8443") == "https://example.com"
