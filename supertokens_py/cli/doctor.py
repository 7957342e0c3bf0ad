"""`supertokens doctor`: look at a configuration before users do. It changes nothing."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from supertokens_py.app import Supertokens
from supertokens_py.error_explanations import EXPLANATIONS
from supertokens_py.exceptions import ConfigError

from .output import Output
from .store import add_store_options, core_api_key, given_engine_config, given_uri, mean_application

if TYPE_CHECKING:
    from supertokens_py.doctor import ProviderSettings, WebSettings

HELP = "check database, keys, clock, domains, cookies and CORS, without changing anything"
_SIGNS = {"ok": "ok  ", "note": "note", "warning": "WARN", "error": "FAIL"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--explain", metavar="CODE", help="only say what the code of an error means")
    web = parser.add_argument_group("what a browser would see", "the arguments of init() and session.init()")
    web.add_argument("--api-domain", metavar="ORIGIN")
    web.add_argument("--website-domain", metavar="ORIGIN")
    web.add_argument("--api-base-path", metavar="PATH", help="default: /auth")
    web.add_argument("--cookie-same-site", choices=("lax", "strict", "none"))
    web.add_argument("--cookie-secure", choices=("true", "false"))
    web.add_argument("--cookie-domain", metavar="DOMAIN")
    web.add_argument("--anti-csrf", choices=("VIA_TOKEN", "VIA_CUSTOM_HEADER", "NONE"))
    web.add_argument("--transfer", choices=("cookie", "header", "any"), help="default: any")
    web.add_argument(
        "--cors-origin", action="append", metavar="ORIGIN", help="an allowed origin; may be repeated"
    )
    web.add_argument("--device-binding", action="store_true", help="sessions are bound to devices")
    web.add_argument("--initiator", action="append", metavar="HOST", help="of DeviceBinding; may be repeated")
    web.add_argument(
        "--probe", action="store_true", help="also send the running API a refresh, as a browser would"
    )
    parser.add_argument(
        "--app",
        metavar="MODULE",
        help="import the module that calls init(), and check what that was given, its database as well",
    )
    parser.add_argument("--no-store", action="store_true", help="check the browser side only")


def run(args: argparse.Namespace, out: Output) -> int:
    """Print every finding; 1 if one is an error. With `--explain`, only what a code means."""
    if args.explain is not None:
        return _explain(args.explain, out)
    from supertokens_py import doctor  # noqa: PLC0415  (other commands import no database code)

    app: Supertokens | None = _app_of(args.app) if args.app else getattr(args, "application", None)
    if args.app and app is not None and args.connection_uri is None:
        mean_application(args, app)
    if bool(args.api_domain) != bool(args.website_domain) and (args.api_domain or app is None):
        raise ConfigError("--api-domain and --website-domain belong together")
    if args.no_store and not (args.api_domain or app):
        raise ConfigError("with --no-store there is nothing to check but --api-domain and --website-domain")
    web = _web_settings(args, app)
    if args.probe and web is None:
        raise ConfigError("--probe needs to know what to ask: --api-domain and --website-domain")
    findings = doctor.run(
        connection_uri=None if args.no_store else given_uri(args),
        engine_config=given_engine_config(args),
        core_api_key=core_api_key(args),
        web=web,
        probe=bool(args.probe),
        providers=_providers(args, app),
    )
    level = doctor.worst(findings)
    out.result({"verdict": level, "findings": [finding.as_json() for finding in findings]})
    for finding in findings:
        out.say(f"{_SIGNS[finding.level]}  {finding.topic}: {finding.text}")
        if finding.advice:
            out.say(f"      → {finding.advice}")
    return 1 if level == "error" else 0


def _explain(code: str, out: Output) -> int:
    """Print what the code of an error means, and what to do.

    Raises:
        ConfigError: no error has it; names those that are spelt alike.
    """
    found = EXPLANATIONS.get(code)
    if found is None:
        alike = difflib.get_close_matches(code, EXPLANATIONS)
        known = f"; did you mean {' or '.join(alike)}?" if alike else ""
        raise ConfigError(f"no error has the code {code!r}{known}")
    out.result({"code": code, "meaning": found.meaning, "advice": found.advice})
    out.say(f"{code}: {found.meaning}")
    if found.advice:
        out.say(f"      → {found.advice}")
    return 0


def _app_of(name: str) -> Supertokens:
    """Return the app that a module makes.

    Raises:
        ConfigError: there is no such module, or it makes none.
    """
    sys.path.insert(0, str(Path.cwd()))
    try:
        importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"the module of --app cannot be imported: {error}") from error
    app = Supertokens.current()
    if app is None:
        raise ConfigError("the module of --app does not call init() when it is imported")
    return app


def _providers(args: argparse.Namespace, app: Supertokens | None) -> ProviderSettings | None:
    """Return the providers of an app that has some."""
    if app is None or not app.has_recipe("thirdparty"):
        return None
    from supertokens_py import doctor  # noqa: PLC0415

    return doctor.settings_of(app, args.website_domain)


def _web_settings(args: argparse.Namespace, app: Supertokens | None) -> WebSettings | None:
    """Return what the app says, unless the options say otherwise; None where neither names domains."""
    from supertokens_py import doctor  # noqa: PLC0415

    if args.api_domain:
        known = doctor.WebSettings(api_domain=args.api_domain, website_domain=args.website_domain)
        return replace(known, **_given(args))
    if app is None:
        return None
    of_app = doctor.web_settings_of(app, args.website_domain, getattr(args, "application_cors", None))
    return None if of_app is None else replace(of_app, **_given(args))


def _given(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options that were given, as arguments of `WebSettings`."""
    secure = cast("str | None", args.cookie_secure)
    options: dict[str, Any] = dict(
        api_base_path=args.api_base_path,
        same_site=args.cookie_same_site,
        secure=None if secure is None else secure == "true",
        cookie_domain=args.cookie_domain,
        anti_csrf=args.anti_csrf,
        transfer=args.transfer,
        cors_origins=args.cors_origin,
        device_binding=bool(args.device_binding or args.initiator) or None,
        initiators=args.initiator,
    )
    return {name: value for name, value in options.items() if value is not None}
