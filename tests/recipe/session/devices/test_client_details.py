"""What is kept of the client of a request, and what it is called."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.client_addresses import ClientAddresses
from supertokens_py.engine.session_records import Visit
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.session import DeviceSettings
from supertokens_py.recipe.session.devices import labels as device_labels
from supertokens_py.recipe.session.devices.client_details import MAX_LABELS, ClientDetails
from supertokens_py.recipe.session.devices.labels import label_of

_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_IPAD = _IPHONE.replace("iPhone;", "iPad;").replace("CPU iPhone OS", "CPU OS")
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = f"{_WINDOWS} Chrome/140.0.0.0 Safari/537.36"


class Request(BaseRequest):
    """A request with a few headers, from somewhere."""

    def __init__(self, peer: str | None = "192.0.2.77", **headers: str) -> None:
        self._peer = peer
        self._headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def method(self) -> str:
        return "POST"

    def get_path(self) -> str:
        return "/"

    def get_header(self, key: str) -> str | None:
        return self._headers.get(key.lower())

    def peer_address(self) -> str | None:
        return self._peer

    def get_original_url(self) -> str:
        return "https://api.example.com/"

    def get_query_params(self) -> dict[str, Any]:
        return {}


def visit(request: Request, by_init: Callable[[Any], Any] | None = None, **settings: Any) -> Visit:
    return asyncio.run(ClientDetails(DeviceSettings(**settings), ClientAddresses(by_init)).of(request))


@pytest.mark.parametrize(
    ("peer", "truncated", "full"),
    [
        ("192.0.2.77", "192.0.2.0", "192.0.2.77"),
        ("2001:db8:1:2::5", "2001:db8:1::", "2001:db8:1:2::5"),
        ("::ffff:192.0.2.77", "192.0.2.0", "192.0.2.77"),
        ("::1", "::", "::1"),
        ("fe80::1%eth0", "fe80::", "fe80::1"),
        (None, None, None),
        ("", None, None),
        ("testclient", None, None),
        ("/run/app.sock", None, None),
        ("192.0.2.77, 198.51.100.9", None, None),
    ],
)
def test_an_address_is_kept_as_far_as_settings_allow(
    peer: str | None, truncated: str | None, full: str | None
) -> None:
    """CP-5: a network of IPv4 or IPv6, the whole address, or nothing; a client without one has none."""
    assert visit(Request(peer)).ip == truncated
    assert visit(Request(peer), ip="full").ip == full
    assert visit(Request(peer), ip="off").ip is None


def test_a_framework_that_does_not_say_where_a_request_comes_from() -> None:
    class Silent(Request):
        peer_address = BaseRequest.peer_address

    assert visit(Silent(), ip="full").ip is None


def test_headers_that_anybody_writes_are_no_address() -> None:
    """`X-Forwarded-For` changes nothing, unless the application reads it."""
    request = Request(x_forwarded_for="198.51.100.9", forwarded="for=198.51.100.9", x_real_ip="198.51.100.9")
    assert visit(request, ip="full").ip == "192.0.2.77"
    assert visit(request, lambda given: given.get_header("x-forwarded-for"), ip="full").ip == "198.51.100.9"


def test_who_says_the_address() -> None:
    """The settings, else `init`, else the connection; what is asked and does not know is not replaced."""
    by_init, by_settings = (lambda _: "198.51.100.1"), (lambda _: "203.0.113.2")
    assert visit(Request(), by_init, ip="full", client_ip=by_settings).ip == "203.0.113.2"
    assert visit(Request(), by_init, ip="full").ip == "198.51.100.1"
    assert visit(Request(), lambda _: None, ip="full").ip is None


def test_an_address_that_cannot_be_asked_for_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is kept from signing in by what is only shown; the log says it once."""
    details = ClientDetails(DeviceSettings(client_ip=lambda _: {}["address"]), ClientAddresses(None))
    with caplog.at_level(logging.WARNING):
        assert [asyncio.run(details.of(Request())).ip for _ in range(2)] == [None, None]
    assert caplog.text.count("client_ip failed") == 1


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ("Shop/2.1", "Shop/2.1"),
        ("a" * 10_000, "a" * 512),
        ("Shop\x00/2.1\r\nSet-Cookie: a=1\x1b[31m", "Shop/2.1Set-Cookie: a=1[31m"),
        ("Shop\ud800/2.1 \u202egnp.exe", "Shop/2.1 gnp.exe"),
        ("\x00\x01", None),
        ("", None),
        (None, None),
    ],
)
def test_an_agent_is_cut_and_clean(header: str | None, kept: str | None) -> None:
    """Databases refuse NUL and half surrogates, terminals obey controls, a megabyte fills a disk."""
    request = Request() if header is None else Request(user_agent=header)
    assert visit(request).agent == kept
    assert visit(request, user_agent="label").agent is None


def test_how_much_of_an_agent_is_kept() -> None:
    request = Request(user_agent=CHROME)
    assert visit(request) == Visit(ip="192.0.2.0", agent=CHROME, label="Chrome on Windows")
    assert visit(request, user_agent="label") == Visit(ip="192.0.2.0", label="Chrome on Windows")
    assert visit(request, user_agent="off", ip="off") == Visit()


def test_a_label_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers those of the last thousand clients."""
    asked: list[str] = []
    monkeypatch.setattr(
        "supertokens_py.recipe.session.devices.client_details.label_of",
        lambda agent, platform: asked.append(agent) or agent,
    )
    details = ClientDetails(DeviceSettings(), ClientAddresses(None))

    async def conversation() -> None:
        for agent in ("a", "b", "a", *(f"c{number}" for number in range(MAX_LABELS)), "a"):
            assert (await details.of(Request(user_agent=agent))).label == agent

    asyncio.run(conversation())
    assert (asked.count("a"), asked.count("b"), len(asked)) == (2, 1, MAX_LABELS + 3)


@pytest.fixture(params=["devices", None])
def _parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra "devices", and without it."""
    if request.param is None:
        monkeypatch.setitem(sys.modules, "ua_parser", None)  # its import fails


@pytest.mark.usefixtures("_parser")
@pytest.mark.parametrize(
    ("agent", "hint", "label"),
    [
        (CHROME, None, "Chrome on Windows"),
        (f"{CHROME} Edg/140.0.0.0", None, "Edge on Windows"),
        (f"{CHROME} OPR/121.0.0.0", None, "Opera on Windows"),
        (f"{_MAC} Version/18.5 Safari/605.1.15", None, "Safari on macOS"),
        (f"{_IPHONE} Version/18.5 Mobile/15E148 Safari/604.1", None, "Safari on iPhone"),
        (f"{_IPAD} Version/18.5 Mobile/15E148 Safari/604.1", None, "Safari on iPad"),
        (f"{_IPHONE} CriOS/140.0.0.0 Mobile/15E148 Safari/604.1", None, "Chrome on iPhone"),
        (f"{_ANDROID} Chrome/140.0.0.0 Mobile Safari/537.36", None, "Chrome on Android"),
        (
            f"{_ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
            None,
            "Samsung Internet on Android",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", None, "Firefox on Linux"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) Chrome/140.0.0.0", None, "Chrome on ChromeOS"),
        (CHROME, '"Linux"', "Chrome on Linux"),
        (CHROME, '"Chrome OS"', "Chrome on ChromeOS"),
        (f"{_IPHONE} Version/18.5 Safari/604.1", '"iOS"', "Safari on iPhone"),
        (CHROME, '"Plan 9"', "Chrome on Windows"),
        ("curl/8.14.1", None, "curl"),
        ("Shop/2.1 (iPhone; iOS 18.5)", None, "Shop on iPhone"),
        ("Mozilla/5.0", None, None),
        ("?", None, None),
    ],
)
def test_what_a_client_is_called(agent: str, hint: str | None, label: str | None) -> None:
    """The library and the rules of our own agree on what is common."""
    assert label_of(agent, hint) == label


@pytest.mark.usefixtures("_parser")
def test_a_label_is_short() -> None:
    label = label_of("A" * 39 + "/1 (Windows " + "B" * 400)
    assert label is not None
    assert len(label) <= device_labels.MAX_LABEL


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ip": "some"}, 'ip must be "off", "truncated" or "full"'),
        ({"user_agent": "some"}, 'user_agent must be "off", "label" or "full"'),
        ({"require_fresh": 0}, "require_fresh must be a whole number of seconds, not 0"),
        ({"require_fresh": True}, "require_fresh must be a whole number of seconds, not True"),
        ({"client_ip": "x-forwarded-for"}, "devices: client_ip must be a plain function"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DeviceSettings(**settings)
