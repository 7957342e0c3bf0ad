"""What hooks and overrides may ask of a request, which is the same in every framework."""

from __future__ import annotations

import re
from typing import Any

import pytest

from supertokens_py.framework.request_registry import as_base_request

from .script import Asking
from .site import EVERY_ADAPTER, Site

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def answers(site: Site, name: str, body: bytes, content_type: str | None) -> Any:
    """Return what the request of a POST answers to one question."""

    def ask(view: Any) -> Any:
        answer = yield Asking(name, target=as_base_request(view.request))
        return {"answer": answer}

    headers = [("content-type", content_type)] if content_type else []
    return site.post("/open", headers, do=ask, body=body).json["answer"]


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"a": [1, "\xc3\xa9"]}', {"a": [1, "é"]}),
        (b"[1]", [1]),
        (b"[]", []),
        (b"null", None),
        (b"0", 0),
        (b"", {}),
        (b"a=1", {}),
        (b"\xff", {}),
        pytest.param(b"[" * 100_000, {}, id="deeper than Python reads"),
    ],
)
def test_a_body_as_json(site: Site, body: bytes, expected: Any) -> None:
    """Whatever its Content-Type says; what is no JSON counts as an empty object."""
    assert answers(site, "json", body, JSON) == expected
    assert answers(site, "json", body, "text/plain") == expected


def test_a_body_as_a_form(site: Site) -> None:
    """Decoded, empty fields too, the last one of a name."""
    body = b"a=1&empty=&name=J%C3%BCrgen+M&a=2"
    assert answers(site, "form_data", body, FORM) == {"a": "2", "empty": "", "name": "Jürgen M"}
    assert answers(site, "form_data", b"", FORM) == {}


@pytest.mark.parametrize(
    ("content_type", "body", "expected"),
    [
        (JSON, b'{"a": 1}', {"a": 1}),
        (f"{JSON}; charset=utf-8", b'{"a": 1}', {"a": 1}),
        (FORM, b"a=1", {"a": "1"}),
        (None, b"a=1", None),
    ],
)
def test_the_content_type_decides(site: Site, content_type: str | None, body: bytes, expected: Any) -> None:
    """JSON, a form, or nothing where the client does not say what it sends."""
    assert answers(site, "get_json_or_form_data", body, content_type) == expected


def test_the_url_and_its_parameters(site: Site) -> None:
    """The full URL with its query; the last value of each parameter, decoded."""

    def ask(view: Any) -> dict[str, Any]:
        request = as_base_request(view.request)
        named = ("a", "name", "empty", "none")
        return {
            "url": request.get_original_url(),
            "all": {name: value for name, value in request.get_query_params().items() if name != "do"},
            "named": [request.get_query_param(name) for name in named],
            "default": request.get_query_param("none", "x"),
        }

    reply = site.get("/open?a=1&empty=&a=2", do=ask)
    assert re.fullmatch(r"https://api\.example\.com/open\?a=1&empty=&a=2&do=\d+", reply.json["url"])
    reply = site.get("/open?a=1&name=J%C3%BCrgen&empty=&a=2", do=ask)
    assert reply.json["all"] == {"a": "2", "name": "Jürgen", "empty": ""}
    assert reply.json["named"] == ["2", "Jürgen", "", None]
    assert reply.json["default"] == "x"


@EVERY_ADAPTER
def test_the_address_of_the_client_is_that_of_the_connection(site: Site) -> None:
    """Whatever headers say that anybody may write; test clients of ASGI have a name instead."""

    def ask(view: Any) -> dict[str, Any]:
        return {"peer": as_base_request(view.request).peer_address()}

    forged = [("x-forwarded-for", "198.51.100.9"), ("forwarded", "for=198.51.100.9")]
    assert site.get("/open", forged, do=ask).json["peer"] in ("127.0.0.1", "testclient", "192.0.2.7")
