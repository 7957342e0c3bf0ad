"""`supertokens serve`: the embedded engine for SDKs of other languages, processes and machines."""

from __future__ import annotations

import argparse
import ipaddress
import os
from collections.abc import Generator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import cast

from supertokens_py.constants import DEFAULT_TENANT_ID, SUPPORTED_CDI_VERSIONS
from supertokens_py.engine.session_records import NO_FEATURES
from supertokens_py.engine.uris import describe
from supertokens_py.exceptions import ConfigError

from .output import Output
from .store import add_store_options, connection_uri, is_remote, open_store, sqlite_file

HELP = "serve the embedded engine to SuperTokens SDKs"
FACTORY = "supertokens_py.server.environment:create"
#: Longer than clients and proxies keep idle connections, so that it is never this side that closes one.
_KEEP_ALIVE_S = 75
GRACE_S = 30
#: uvicorn's setting: the addresses whose `X-Forwarded-For` counts.
_TRUSTED_PROXIES = "FORWARDED_ALLOW_IPS"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on [%(default)s]")
    parser.add_argument("--port", type=_port, default=3567, help="port to listen on [%(default)s]")
    parser.add_argument("--workers", type=_workers, default=1, help="processes [%(default)s]")
    parser.add_argument(
        "--base-path", metavar="PATH", help="the prefix of every path [$SUPERTOKENS_BASE_PATH]"
    )
    parser.add_argument(
        "--api-key",
        action="append",
        metavar="KEY",
        help="a key that callers must show, 20 characters or more; repeatable [$SUPERTOKENS_API_KEYS]",
    )
    parser.add_argument(
        "--allow-no-api-key", action="store_true", help="listen on a public address although anyone may call"
    )
    parser.add_argument(
        "--sessions-only",
        action="store_true",
        help="keep no users who sign in, and make no tables for them [$SUPERTOKENS_SESSIONS_ONLY]",
    )
    parser.add_argument(
        "--access-log", action="store_true", help="log every request; its query may name users"
    )
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve until SIGTERM or SIGINT; requests under way are finished."""
    try:
        import uvicorn  # noqa: PLC0415

        from supertokens_py.server import environment  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("serving needs the extra 'server' (docs/installation.md)") from error
    uri, host, port = connection_uri(args), cast("str", args.host), cast("int", args.port)
    workers = cast("int", args.workers)
    _check_database(uri, workers)
    keys = _api_keys(args)
    # Worker processes read what this one decided from their environment.
    os.environ[environment.CONNECTION_URI] = uri
    os.environ[environment.API_KEYS] = ",".join(keys)
    os.environ[environment.ALLOW_NO_API_KEY] = "0" if keys else "1"
    if args.base_path is not None:
        os.environ[environment.BASE_PATH] = cast("str", args.base_path)
    if args.sessions_only:
        os.environ[environment.SESSIONS_ONLY] = "1"
    environment.create_from(os.environ, features=NO_FEATURES)  # only to have the variables checked
    _prepare_store(args, keeps_users=os.environ.get(environment.SESSIONS_ONLY, "").strip() != "1")
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    oldest, newest = SUPPORTED_CDI_VERSIONS[0], SUPPORTED_CDI_VERSIONS[-1]
    out.say(f"Serving {describe(uri)} on {address} (CDI {oldest} to {newest})")
    versions = list(SUPPORTED_CDI_VERSIONS)
    out.result({"address": address, "workers": workers, "api_keys": len(keys), "cdi_versions": versions})
    with _counting_together(workers):
        uvicorn.run(
            FACTORY,
            factory=True,
            host=host,
            port=port,
            workers=workers,
            log_level=cast("str", args.log_level),
            access_log=bool(args.access_log),
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
            # Left to itself, uvicorn believes what any program of this machine says of whom it speaks for.
            proxy_headers=_TRUSTED_PROXIES in os.environ,
        )
    return 0


@contextmanager
def _counting_together(workers: int) -> Generator[None]:
    """Give worker processes a place where each one's counters are seen by all: any of them may be asked."""
    from supertokens_py.server.metrics import DIRECTORY  # noqa: PLC0415

    if workers == 1 or os.environ.get(DIRECTORY):
        yield
        return
    with TemporaryDirectory(prefix="supertokens-metrics-") as directory:
        os.environ[DIRECTORY] = directory
        try:
            yield
        finally:
            del os.environ[DIRECTORY]


def _check_database(uri: str, workers: int) -> None:
    if is_remote(uri):
        raise ConfigError("serve needs a database, not the address of another core")
    if workers > 1 and uri.startswith("sqlite") and sqlite_file(uri) is None:
        raise ConfigError("with --workers above 1 every process would have an in-memory database of its own")


def _api_keys(args: argparse.Namespace) -> list[str]:
    """Return the API keys that callers must show; none only where nobody else can reach the server."""
    from supertokens_py.server import environment  # noqa: PLC0415
    from supertokens_py.server.auth import ApiKeys, parse_api_keys  # noqa: PLC0415

    given = cast("list[str] | None", args.api_key) or []
    keys = parse_api_keys(",".join(given) or os.environ.get(environment.API_KEYS))
    ApiKeys(keys)  # raises ConfigError for one that cannot work
    host = cast("str", args.host)
    allowed = args.allow_no_api_key or os.environ.get(environment.ALLOW_NO_API_KEY, "").strip() == "1"
    if not keys and not _is_loopback(host) and not allowed:
        raise ConfigError(
            f"anyone who reaches {host} could create sessions: set --api-key or $SUPERTOKENS_API_KEYS "
            "(or say --allow-no-api-key, where a firewall or a proxy keeps strangers out)"
        )
    return keys


def _prepare_store(args: argparse.Namespace, *, keeps_users: bool) -> None:
    """Make tables and keys once, before there are several processes, and fail early with a clear message."""
    engine = open_store(args, may_create=True, keeps_users=keeps_users)
    try:
        engine.tenants.find(DEFAULT_TENANT_ID)
        engine.keys.jwks()
    except ConfigError as error:
        if not keeps_users:
            raise
        raise ConfigError(f"{error} (--sessions-only serves a database without its users)") from error
    finally:
        engine.close()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number


def _workers(text: str) -> int:
    number = int(text)
    if not 0 < number <= 1024:
        raise argparse.ArgumentTypeError(f"{text} is no number of processes")
    return number
