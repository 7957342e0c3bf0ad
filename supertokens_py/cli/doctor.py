"""`supertokens doctor`: look at a configuration before users do. It changes nothing."""

from __future__ import annotations

import argparse
import os
from email.utils import parsedate_to_datetime
from typing import Any, cast

from supertokens_py.bridge import step
from supertokens_py.doctor.findings import Finding, worst
from supertokens_py.doctor.web import WebSettings, check_web
from supertokens_py.engine.config import EngineConfig, ResolvedEngineConfig
from supertokens_py.engine.connection import core_places
from supertokens_py.engine.factory import MISSING_CLIENT
from supertokens_py.exceptions import ConfigError, SuperTokensError
from supertokens_py.urls import is_local

from .output import Output, counted
from .store import add_store_options, connection_uri, is_remote

HELP = "check database, keys, clock, domains, cookies and CORS, without changing anything"
_SIGNS = {"ok": "ok  ", "note": "note", "warning": "WARN", "error": "FAIL"}
_PROBE_S = 10
_TOKEN_HEADERS = ("front-token", "st-access-token", "st-refresh-token")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    web = parser.add_argument_group("what a browser would see", "the arguments of init() and session.init()")
    web.add_argument("--api-domain", metavar="ORIGIN")
    web.add_argument("--website-domain", metavar="ORIGIN")
    web.add_argument("--api-base-path", metavar="PATH", default="/auth")
    web.add_argument("--cookie-same-site", choices=("lax", "strict", "none"))
    web.add_argument("--cookie-secure", choices=("true", "false"))
    web.add_argument("--cookie-domain", metavar="DOMAIN")
    web.add_argument("--anti-csrf", choices=("VIA_TOKEN", "VIA_CUSTOM_HEADER", "NONE"))
    web.add_argument("--transfer", choices=("cookie", "header", "any"), default="any")
    web.add_argument(
        "--cors-origin", action="append", metavar="ORIGIN", help="an allowed origin; may be repeated"
    )
    web.add_argument(
        "--probe", action="store_true", help="also send the running API a refresh, as a browser would"
    )
    parser.add_argument("--no-store", action="store_true", help="check the browser side only")


def run(args: argparse.Namespace, out: Output) -> int:
    """Print every finding; 1 if one is an error."""
    if bool(args.api_domain) != bool(args.website_domain):
        raise ConfigError("--api-domain and --website-domain belong together")
    if args.no_store and not args.api_domain:
        raise ConfigError("with --no-store there is nothing to check but --api-domain and --website-domain")
    findings = [] if args.no_store else _store(args)
    if args.api_domain:
        findings += check_web(_web_settings(args))
        if args.probe:
            findings += _probe(args)
    level = worst(findings)
    out.result({"verdict": level, "findings": [finding.as_json() for finding in findings]})
    for finding in findings:
        out.say(f"{_SIGNS[finding.level]}  {finding.topic}: {finding.text}")
        if finding.advice:
            out.say(f"      → {finding.advice}")
    return 1 if level == "error" else 0


def _store(args: argparse.Namespace) -> list[Finding]:
    try:
        settings = EngineConfig().resolve()
        uri = connection_uri(args)
        if is_remote(uri):
            return _core(uri, settings, cast("str | None", args.core_api_key))
        from supertokens_py.doctor.database import check_database  # noqa: PLC0415

        return check_database(uri, settings)
    except ConfigError as error:
        return [Finding("error", "settings", str(error), "correct the setting; `init` refuses it too")]


def _core(uri: str, settings: ResolvedEngineConfig, api_key: str | None) -> list[Finding]:
    try:
        from supertokens_py.engine.remote import RemoteEngine  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(MISSING_CLIENT) from error
    engine = RemoteEngine(uri, settings, api_key=api_key or os.environ.get("SUPERTOKENS_API_KEY") or None)
    try:
        version = engine.negotiated_version()
        keys = step(engine.jwks()).keys
        tenants = step(engine.tenants())
    except SuperTokensError as error:
        return [Finding("error", "core", str(error), "check address, API key and version of the core")]
    finally:
        engine.close()
    places = core_places(uri)
    shown = ";".join(place.geturl() for place in places)
    found = [
        Finding("ok", "core", f"{shown} answers, CDI {version} is spoken"),
        Finding("ok", "keys", f"published: {counted(len(keys), 'verification key')}"),
        Finding("ok", "core", counted(len(tenants), "tenant")),
    ]
    if version != "5.6":
        found.append(
            Finding(
                "note",
                "core",
                f"with CDI {version} the first use of each refreshed token costs a call to the core",
            )
        )
    advice = "use https, or a private network"
    found += (
        Finding("warning", "core", f"{place.geturl()} is plain http: keys and tokens travel openly", advice)
        for place in places
        if place.scheme == "http" and not is_local(place.hostname or "")
    )
    return found


def _web_settings(args: argparse.Namespace) -> WebSettings:
    secure = cast("str | None", args.cookie_secure)
    return WebSettings(
        api_domain=args.api_domain,
        website_domain=args.website_domain,
        same_site=args.cookie_same_site,
        secure=None if secure is None else secure == "true",
        cookie_domain=args.cookie_domain,
        anti_csrf=args.anti_csrf,
        transfer=args.transfer,
        cors_origins=args.cors_origin,
    )


def _probe(args: argparse.Namespace) -> list[Finding]:
    """Ask the running API what a browser asks before it sends a refresh, then send one."""
    try:
        import httpx2  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("--probe needs: pip install 'supertokens-py[remote]'") from error
    api_domain, base_path = cast("str", args.api_domain), cast("str", args.api_base_path)
    url = f"{api_domain.rstrip('/')}/{base_path.strip('/')}/session/refresh"
    headers = {
        "origin": cast("str", args.website_domain).rstrip("/"),
        "access-control-request-method": "POST",
        "access-control-request-headers": "anti-csrf,authorization,fdi-version,rid,st-auth-mode",
    }
    # A refresh that shows no session: its answer tells frontends to forget theirs, and harms nobody.
    shown = {"origin": headers["origin"], "st-auth-mode": "header", "authorization": "Bearer probe"}
    try:
        response = httpx2.request("OPTIONS", url, headers=headers, timeout=_PROBE_S)
        refused = httpx2.request("POST", url, headers=shown, timeout=_PROBE_S)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        return [
            Finding(
                "error", "probe", f"{url} does not answer: {error}", "start the API, or correct --api-domain"
            )
        ]
    before = _preflight(url, headers["origin"], response.headers)
    allowed = all(finding.level == "ok" for finding in before)
    return [
        *before,
        *(_answer(headers["origin"], refused) if allowed else ()),
        *_exposed(refused.headers),
        *_clock(response.headers),
    ]


def _preflight(url: str, origin: str, headers: Any) -> list[Finding]:
    allowed = headers.get("access-control-allow-origin")
    if allowed is None:
        return [
            Finding("error", "probe", f"{url} allows no origin", "add the CORS middleware of your framework")
        ]
    if allowed != origin:
        return [Finding("error", "probe", f"{url} allows {allowed}, not {origin}", f"allow exactly {origin}")]
    found = [Finding("ok", "probe", f"{url} allows {origin}")]
    if headers.get("access-control-allow-credentials") != "true":
        found.append(
            Finding("error", "probe", "it does not allow credentials", "set allow_credentials (or its like)")
        )
    names = {name.strip().lower() for name in headers.get("access-control-allow-headers", "").split(",")}
    lacking = sorted({"anti-csrf", "authorization", "fdi-version", "rid", "st-auth-mode"} - names)
    if lacking and "*" not in names:
        advice = "allow get_all_cors_headers() too"
        found.append(Finding("error", "probe", f"it does not allow the headers {', '.join(lacking)}", advice))
    return found


def _answer(origin: str, response: Any) -> list[Finding]:
    """Look whether pages may read what the SDK answers, as the preflight promised."""
    lacking = None
    if response.headers.get("access-control-allow-origin") != origin:
        lacking = origin
    elif response.headers.get("access-control-allow-credentials") != "true":
        lacking = "credentials"
    if lacking is None:
        return []
    return [
        Finding(
            "error",
            "probe",
            f"the answer to the POST itself ({response.status_code}) does not allow {lacking}: "
            "pages cannot read it",
            "have the CORS middleware around that of the SDK: add it after get_middleware(), or in Django's "
            "MIDDLEWARE before the SDK's",
        )
    ]


def _exposed(headers: Any) -> list[Finding]:
    """Look whether scripts may read what the SDK sends; an answer without its headers tells nothing."""
    names = {name.strip().lower() for name in headers.get("access-control-expose-headers", "").split(",")}
    hidden = [name for name in _TOKEN_HEADERS if name in headers and name not in names]
    if not hidden:
        return []
    return [
        Finding(
            "error",
            "probe",
            f"its answers hide the headers {', '.join(hidden)} from scripts",
            "expose them and anti-csrf in the CORS layer, or leave its list out: the SDK sends its own",
        )
    ]


def _clock(headers: Any) -> list[Finding]:
    try:
        theirs_s = parsedate_to_datetime(headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return []
    from supertokens_py.clock import now_ms  # noqa: PLC0415

    apart_s = abs(theirs_s - now_ms() / 1000)
    if apart_s <= 10:
        return []
    return [
        Finding(
            "warning", "clock", f"the API's clock is {apart_s:.0f} s off this machine's", "set both by NTP"
        )
    ]
