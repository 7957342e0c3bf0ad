"""What a user calls a client: "Chrome on Windows". For display only; anybody can send any header."""

from __future__ import annotations

import re

MAX_LABEL = 100
#: Parts of a User-Agent header, the first that occurs decides: browsers name their ancestors as well.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_PLATFORMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
#: Values of `Sec-CH-UA-Platform`, which says more than a header in which browsers freeze the platform.
_HINTS = {
    "Android": "Android",
    "Chrome OS": "ChromeOS",
    "Chromium OS": "ChromeOS",
    "iOS": "iOS",
    "Linux": "Linux",
    "macOS": "macOS",
    "Windows": "Windows",
}
_IOS = ("iPhone", "iPad")
#: What the library calls them, and what users do.
_FAMILIES = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome OS": "ChromeOS",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Mac OS X": "macOS",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Opera Mobile": "Opera",
    "Other": None,
}
_PRODUCT = re.compile(r"([A-Za-z][\w. -]{0,39}?)/")


def label_of(agent: str, platform_hint: str | None = None) -> str | None:
    """Return a label such as "Chrome on Windows"; None where an agent says nothing known.

    Args:
        agent: the User-Agent header, of a length that is bearable for regular expressions.
        platform_hint: the header `Sec-CH-UA-Platform`, where the browser sent it.
    """
    browser, platform = _parsed(agent)
    hinted = _HINTS.get((platform_hint or "").strip('" '))
    if hinted is not None and not (hinted == "iOS" and platform in _IOS):
        platform = hinted
    label = (
        f"{browser} on {platform}" if browser and platform and browser != platform else browser or platform
    )
    return label and label[:MAX_LABEL]


def _parsed(agent: str) -> tuple[str | None, str | None]:
    try:
        from ua_parser import parse  # noqa: PLC0415  (the extra "devices")
    except ImportError:
        return _product(agent) or _first(_BROWSERS, agent), _first(_PLATFORMS, agent)
    found = parse(agent)
    browser = _product(agent) or (None if found.user_agent is None else _family(found.user_agent.family))
    if found.device is not None and found.device.family in _IOS:
        return browser, found.device.family
    platform = None if found.os is None else _family(found.os.family)
    return browser, platform


def _family(name: str) -> str | None:
    return _FAMILIES.get(name, name)


def _first(known: tuple[tuple[str, str], ...], agent: str) -> str | None:
    return next((name for part, name in known if part in agent), None)


def _product(agent: str) -> str | None:
    """Return the product that an app or a program calls itself: `Shop/2.1 (iPhone)` is "Shop"."""
    named = _PRODUCT.match(agent)
    return None if named is None or named[1] == "Mozilla" else named[1]
