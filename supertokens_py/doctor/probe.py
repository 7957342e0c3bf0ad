"""What a running API answers to the requests that a browser sends for a refresh."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from supertokens_py.exceptions import ConfigError
from supertokens_py.runtime.clock import now_ms
from supertokens_py.urls import web_origin

from .findings import Finding
from .web import WebSettings

_TOPIC = "probe"
_TIMEOUT_S = 10
_CLOCK_TOLERANCE_S = 10
_REQUEST_HEADERS = ("anti-csrf", "authorization", "fdi-version", "rid", "st-auth-mode")
_TOKEN_HEADERS = ("front-token", "st-access-token", "st-refresh-token")


def probe_api(settings: WebSettings) -> list[Finding]:
    """Send the running API a preflight and a refresh without a session, which ends none.

    Raises:
        ConfigError: the HTTP client is not installed.
    """
    try:
        import httpx2  # noqa: PLC0415  (an optional extra)
    except ImportError as error:
        raise ConfigError("--probe needs the extra 'remote' (docs/installation.md)") from error
    api = web_origin(settings.api_domain) or settings.api_domain.rstrip("/")
    url = f"{api}/{settings.api_base_path.strip('/')}/session/refresh"
    origin = web_origin(settings.website_domain) or settings.website_domain.rstrip("/")
    preflight_headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": ",".join(_REQUEST_HEADERS),
    }
    refresh_headers = {"origin": origin, "st-auth-mode": "header", "authorization": "Bearer probe"}
    try:
        preflight = httpx2.request("OPTIONS", url, headers=preflight_headers, timeout=_TIMEOUT_S)
        refresh = httpx2.request("POST", url, headers=refresh_headers, timeout=_TIMEOUT_S)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        text = f"{url} does not answer: {error}"
        return [Finding("error", _TOPIC, text, "start the API, or correct --api-domain")]
    if refresh.status_code in (404, 405):
        text = f"there is no refresh route at {url}: it answers {refresh.status_code}"
        advice = "pass the api_base_path of init as --api-base-path, or add the middleware of the SDK"
        return [Finding("error", _TOPIC, text, advice), *_clock(refresh.headers)]
    if origin == api:
        text = f"{url} answers; website and API are one origin, which needs no CORS"
        return [Finding("ok", _TOPIC, text), *_clock(refresh.headers)]
    return [*_cors(url, origin, preflight, refresh), *_clock(preflight.headers)]


def _cors(url: str, origin: str, preflight: Any, refresh: Any) -> Iterator[Finding]:
    allowed = [*_preflight(url, origin, preflight.headers)]
    yield from allowed
    if all(finding.level == "ok" for finding in allowed):
        yield from _readable(origin, refresh)
    yield from _exposed(refresh.headers)


def _preflight(url: str, origin: str, headers: Mapping[str, str]) -> Iterator[Finding]:
    allowed = headers.get("access-control-allow-origin")
    if allowed is None:
        advice = "add the CORS middleware of your framework"
        yield Finding("error", _TOPIC, f"{url} allows no origin", advice)
        return
    if allowed != origin:
        yield Finding("error", _TOPIC, f"{url} allows {allowed}, not {origin}", f"allow exactly {origin}")
        return
    yield Finding("ok", _TOPIC, f"{url} allows {origin}")
    if headers.get("access-control-allow-credentials") != "true":
        advice = "set allow_credentials (or its like)"
        yield Finding("error", _TOPIC, "it does not allow credentials", advice)
    names = _names(headers, "access-control-allow-headers")
    missing = [name for name in _REQUEST_HEADERS if name not in names]
    if missing and "*" not in names:
        text = f"it does not allow the headers {', '.join(missing)}"
        yield Finding("error", _TOPIC, text, "allow get_all_cors_headers() too")


def _readable(origin: str, response: Any) -> Iterator[Finding]:
    """Check that pages may read what the SDK answers, as the preflight promised."""
    missing = None
    if response.headers.get("access-control-allow-origin") != origin:
        missing = origin
    elif response.headers.get("access-control-allow-credentials") != "true":
        missing = "credentials"
    if missing is not None:
        yield Finding(
            "error",
            _TOPIC,
            f"the answer to the POST itself ({response.status_code}) does not allow {missing}: "
            "pages cannot read it",
            "have the CORS middleware around that of the SDK: add it after get_middleware(), or in Django's "
            "MIDDLEWARE before the SDK's",
        )


def _exposed(headers: Mapping[str, str]) -> Iterator[Finding]:
    """Check that scripts may read what the SDK sends; an answer without its headers shows nothing."""
    names = _names(headers, "access-control-expose-headers")
    hidden = [name for name in _TOKEN_HEADERS if name in headers and name not in names]
    if hidden:
        yield Finding(
            "error",
            _TOPIC,
            f"its answers hide the headers {', '.join(hidden)} from scripts",
            "expose them and anti-csrf in the CORS layer, or leave its list out: the SDK sends its own",
        )


def _clock(headers: Mapping[str, str]) -> Iterator[Finding]:
    try:
        api_s = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return
    apart_s = abs(api_s - now_ms() / 1000)
    if apart_s > _CLOCK_TOLERANCE_S:
        text = f"the API's clock is {apart_s:.0f} s off this machine's"
        yield Finding("warning", "clock", text, "set both by NTP")


def _names(headers: Mapping[str, str], header: str) -> set[str]:
    return {name.strip().lower() for name in headers.get(header, "").split(",")}
