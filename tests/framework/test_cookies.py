"""Cookie headers: read leniently, written strictly; the front token's vector (protocol: Cookies)."""

from __future__ import annotations

import json
from base64 import b64decode
from email.utils import parsedate_to_datetime
from http.cookies import SimpleCookie

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supertokens_py.framework.cookies import Cookie, decode_cookie_value, parse_cookie_header
from supertokens_py.framework.response import BaseResponse, Changes
from supertokens_py.recipe.session.session_tokens.writer import front_token
from supertokens_py.testing.conformance import EPOCH, SetCookie
from supertokens_py.tokens.access_token import AccessToken

VECTOR = (
    "eyJ1aWQiOiJ1c2VyLTEiLCJhdGUiOjE3MDAwMDM2MDAwMDAsInVwIjp7ImlhdCI6MTcwMDAwMDAwMCwiZXhwIjoxNzAwMDAzNjAw"
    "LCJzdWIiOiJ1c2VyLTEiLCJ0SWQiOiJwdWJsaWMiLCJyc3ViIjoidXNlci0xIiwic2Vzc2lvbkhhbmRsZSI6ImgiLCJyZWZyZXNo"
    "VG9rZW5IYXNoMSI6InIiLCJwYXJlbnRSZWZyZXNoVG9rZW5IYXNoMSI6bnVsbCwiYW50aUNzcmZUb2tlbiI6bnVsbCwiaXNzIjoi"
    "aHR0cHM6Ly9hcGkuZXhhbXBsZS5jb20vYXV0aCIsIm5hbWUiOiLDqSJ9fQ=="
)


def test_the_front_token_is_the_vector_byte_by_byte() -> None:
    """FP-24: a vector, byte by byte."""
    payload = {
        "iat": 1700000000,
        "exp": 1700003600,
        "sub": "user-1",
        "tId": "public",
        "rsub": "user-1",
        "sessionHandle": "h",
        "refreshTokenHash1": "r",
        "parentRefreshTokenHash1": None,
        "antiCsrfToken": None,
        "iss": "https://api.example.com/auth",
        "name": "é",
    }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    assert front_token(AccessToken("x", 5, "d-1", payload, text)) == VECTOR


def test_the_front_token_keeps_the_text_of_the_payload() -> None:
    """FP-22: white space, escapes and number spellings of the JWT stay as they are."""
    text = '{ "sub":"\\u0041", "exp": 1.70e9, "n": 1.0 }'
    token = AccessToken("x", 5, "d-1", json.loads(text), text)
    expected = '{"uid":"A","ate":1700000000000,"up":' + text + "}"
    assert b64decode(front_token(token)).decode() == expected


def test_the_encoding_is_the_vector_and_back() -> None:
    """FP-6: `ab+c/d==.f00.V2` on the wire, and back."""
    cookie = Cookie("sRefreshToken", "ab+c/d==.f00.V2", 0)
    assert cookie.header().startswith("sRefreshToken=ab%2Bc%2Fd%3D%3D.f00.V2; Path=/; ")
    assert decode_cookie_value("ab%2Bc%2Fd%3D%3D.f00.V2") == "ab+c/d==.f00.V2"


def test_a_jwt_is_unchanged() -> None:
    """FP-6: nothing in a JWT needs encoding."""
    assert Cookie("a", "ey_J-h.e30.x~y", 0).coded_value == "ey_J-h.e30.x~y"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("ab%2Bc%2Fd%3D%3D.f00.V2", "ab+c/d==.f00.V2"),
        ("ab%2Bc/d%3D%3D.f00.V2", "ab+c/d==.f00.V2"),
        ("ab+c/d==.f00.V2", "ab+c/d==.f00.V2"),
        ('"ab+c/d==.f00.V2"', "ab+c/d==.f00.V2"),
        ('"ab%2Bc%2Fd%3D%3D.f00.V2"', "ab+c/d==.f00.V2"),
        ("a+b", "a+b"),
        ("%2B", "+"),
        ("%", "%"),
        ("%zz", "%zz"),
        ("%ff", "%ff"),
        ("100%25", "100%"),
        ('"', '"'),
        ('""', ""),
        ("", ""),
    ],
)
def test_quotes_and_percent_signs_of_values_are_undone(raw: str, expected: str) -> None:
    """FP-7, FP-8: quotes and percent signs are undone; `+` stays; what does not decode stays."""
    assert decode_cookie_value(raw) == expected


@given(st.text())
def test_any_value_comes_back(value: str) -> None:
    """FP-6: any text that UTF-8 can hold comes back, through the strictest alphabet."""
    try:
        coded = Cookie("a", value, 0).coded_value
    except UnicodeEncodeError:
        return
    assert decode_cookie_value(coded) == value
    assert set(coded) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~%")


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "sAccessToken"]), st.text(max_size=10)), max_size=6))
def test_every_cookie_of_a_header_comes_back(pairs: list[tuple[str, str]]) -> None:
    """FP-7, FP-42: every occurrence is kept, in order, whatever else is in the header."""
    try:
        line = "; ".join(f"{name}={Cookie(name, value, 0).coded_value}" for name, value in pairs)
    except UnicodeEncodeError:
        return
    parsed = parse_cookie_header(line)
    for name in ("a", "b", "sAccessToken"):
        expected = [value for own, value in pairs if own == name]
        assert [decode_cookie_value(raw) for raw in parsed.get(name, [])] == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", {}),
        (";;;", {}),
        ("novalue", {}),
        ("novalue; a=1", {"a": ["1"]}),
        ("a=1; a=2", {"a": ["1", "2"]}),
        ("a=b=c==", {"a": ["b=c=="]}),
        (" a = 1 ;b=2", {"a": ["1"], "b": ["2"]}),
        ("a%20b=1", {"a b": ["1"]}),
        ("a=", {"a": [""]}),
        ("=x", {"": ["x"]}),
        ("a=1,b=2", {"a": ["1,b=2"]}),
    ],
)
def test_a_cookie_header_is_split_and_never_refused(header: str, expected: dict[str, list[str]]) -> None:
    """FP-42: split at `;` and at the first `=`; nothing is refused (protocol: Reading cookies)."""
    assert parse_cookie_header(header) == expected


@given(st.text())
def test_any_header_is_read(header: str) -> None:
    """FP-42: no input raises."""
    for values in parse_cookie_header(header).values():
        for value in values:
            decode_cookie_value(value)


def test_a_cookie_may_end_with_the_browser() -> None:
    """CP-11: neither `Expires` nor `Max-Age`, also of a response that the application writes."""
    assert Cookie("a", "1", None).header() == "a=1; Path=/; HttpOnly; Secure; SameSite=Lax"
    assert Cookie("a", "1", None, lifetime_ms=5000).max_age is None
    response = BaseResponse()
    response.set_cookie("a", "1", None)
    assert response.header_list()[1:] == [("Set-Cookie", "a=1; Path=/; SameSite=Lax")]


def test_a_set_cookie_line_reads_as_it_was_meant() -> None:
    """FP-1, FP-9: what a Set-Cookie line holds; the standard library reads the same."""
    cookie = Cookie(
        "a", "1", 1_700_000_000_001, "/x", ".e.com", secure=True, http_only=True, same_site="none"
    )
    line = cookie.header()
    parsed = SetCookie.parse(line)
    assert parsed.attributes == {
        "path": "/x",
        "domain": ".e.com",
        "expires": "Tue, 14 Nov 2023 22:13:21 GMT",
        "httponly": "",
        "secure": "",
        "samesite": "None",
    }
    assert parsedate_to_datetime(parsed.attributes["expires"]).timestamp() == 1_700_000_001
    assert SimpleCookie(line)["a"]["path"] == "/x"
    assert Cookie("a", "", 0).expires == "Thu, 01 Jan 1970 00:00:00 GMT"
    bare = SetCookie.parse(Cookie("a", "1", 0, secure=False, http_only=False).header())
    assert bare.attributes == {"path": "/", "expires": EPOCH, "max-age": "0", "samesite": "Lax"}
    for lifetime_ms, seconds in ((1, 1), (60_000, 60), (60_001, 61), (-5, 0)):
        assert (
            f"; Max-Age={seconds}; " in Cookie("a", "1", 1_700_000_000_001, lifetime_ms=lifetime_ms).header()
        )


def test_no_value_in_a_repr() -> None:
    """FP-9: cookie values do not show in logs."""
    assert "secret" not in repr(Cookie("a", "secret", 0))


# -- changes ---------------------------------------------------------------------------------------


def test_later_changes_win() -> None:
    """FP-10: one line per (name, domain, path), the last write; different domains are different cookies."""
    changes = Changes()
    changes.set_cookie(Cookie("a", "1", 0))
    changes.set_cookie(Cookie("a", "x", 0, domain=".e.com"))
    changes.set_cookie(Cookie("a", "2", 0))
    changes.set_header("front-token", "old")
    changes.set_header("front-token", "new")
    applied = changes.apply_to([("Set-Cookie", "app=1"), ("Front-Token", "stale"), ("X", "1")])
    assert applied[:3] == [("Set-Cookie", "app=1"), ("X", "1"), ("front-token", "new")]
    assert [value.split(";")[0] for name, value in applied if name == "Set-Cookie"] == ["app=1", "a=x", "a=2"]
    assert applied[-1] == ("Access-Control-Expose-Headers", "front-token")


def test_expose_headers_are_merged() -> None:
    """FP-15, FP-16: whole names, case-insensitive, several lines become one."""
    changes = Changes()
    changes.set_header("anti-csrf", "x")
    changes.set_header("front-token", "y")
    lines = [
        ("access-control-expose-headers", "X-Anti-Csrf"),
        ("Access-Control-Expose-Headers", "Front-Token , A"),
    ]
    assert changes.apply_to(lines)[-1] == (
        "Access-Control-Expose-Headers",
        "X-Anti-Csrf, Front-Token, A, anti-csrf",
    )
    assert len([1 for name, _ in changes.apply_to(lines) if name.lower().startswith("access-control")]) == 1


def test_nothing_owed_changes_nothing() -> None:
    """FP-18: without changes the headers are the application's."""
    changes = Changes()
    assert not changes
    assert changes.apply_to([("A", "1")]) == [("A", "1")]


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x=1", "a\nb", "a\0"])
def test_response_headers_cannot_break_out(value: str) -> None:
    """FP-12: a hook's header value may not start a new line."""
    with pytest.raises(ValueError, match="line breaks"):
        BaseResponse().set_header("x", value)


def test_the_first_write_of_a_response_wins() -> None:
    """FP-90: an override can answer before the SDK does."""
    response = BaseResponse({})
    response.set_status_code(201)
    response.set_status_code(500)
    response.set_json_content({"a": "é"})
    response.set_html_content("x")
    assert (response.status_code, response.body) == (201, '{"a":"é"}'.encode())
    assert response.header_list() == [("Content-Type", "application/json; charset=utf-8")]
    page = BaseResponse()
    page.set_html_content("<p>")
    page.set_cookie("a", "1", 0)
    page.set_cookie("a", "2", 0)
    assert page.header_list()[0] == ("Content-Type", "text/html; charset=utf-8")
    assert [value[:4] for name, value in page.header_list() if name == "Set-Cookie"] == ["a=2;"]
    moved = BaseResponse().redirect("/x")
    assert (moved.status_code, moved.get_header("location")) == (302, "/x")
    moved.remove_header("Location")
    assert moved.get_header("location") is None


def test_a_page_is_not_replaced_by_json() -> None:
    """FP-90: nor is the Content-Type that goes with it, unless the hook sets one of its own."""
    page = BaseResponse()
    page.set_html_content("<p>")
    page.set_json_content({"a": 1})
    assert page.body == b"<p>"
    assert page.header_list() == [("Content-Type", "text/html; charset=utf-8")]
    page.set_header("content-type", "application/xhtml+xml")
    assert page.header_list() == [("content-type", "application/xhtml+xml")]


def test_a_neutral_response_wraps_nothing() -> None:
    """Code that reaches for the framework's response through it finds the one that counts."""
    response = BaseResponse({})
    assert response.wrapper_used is True
    assert response.original is response.response is response
