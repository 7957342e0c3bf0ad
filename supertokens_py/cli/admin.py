"""`supertokens admin`: the admin page, on this machine only, opened by a link that works once."""

from __future__ import annotations

import argparse
import getpass
import socket
from typing import cast

from supertokens_py.exceptions import ConfigError

from .output import Output
from .store import add_store_options, core_api_key, given_engine_config, given_uri, open_store, store_name

HELP = "look at sessions, events, keys and health in a browser on this machine"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_store_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--port", type=_port, default=0, help="port to listen on, on 127.0.0.1 [one that is free]"
    )
    parser.add_argument("--writes", action="store_true", help="let it revoke sessions and rotate keys")
    parser.add_argument(
        "--by", metavar="NAME", help="who does it, for the events that are kept [the user of this machine]"
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Serve the page until SIGINT or SIGTERM."""
    try:
        import uvicorn  # noqa: PLC0415

        from supertokens_py import doctor  # noqa: PLC0415
        from supertokens_py.admin import local  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("the admin page needs the extra 'admin' (docs/installation.md)") from error
    engine = open_store(args)

    def findings() -> list[doctor.Finding]:
        return doctor.run(
            connection_uri=given_uri(args),
            engine_config=given_engine_config(args),
            core_api_key=core_api_key(args),
        )

    try:
        with _listening(cast("int", args.port)) as listener:
            admin = local.local_admin(
                engine,
                findings=findings,
                actor_id=cast("str | None", args.by) or getpass.getuser(),
                port=listener.getsockname()[1],
                writes=bool(args.writes),
            )
            out.result({"link": admin.link, "valid_s": local.LINK_S, "store": store_name(args)})
            out.say(f"Sessions of {store_name(args)}; stop with Ctrl-C")
            out.say(f"Open within {local.LINK_S} seconds; it works once:")
            out.say(admin.link)
            # Its address has the token, so requests are not logged; no proxy is believed.
            config = uvicorn.Config(
                admin.app,
                log_level="warning",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                lifespan="off",
            )
            uvicorn.Server(config).run(sockets=[listener])
    finally:
        engine.close()
    return 0


def _listening(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise ConfigError(f"port {port} of 127.0.0.1 cannot be used: {error.strerror}") from error


def _port(text: str) -> int:
    number = int(text)
    if not 0 <= number < 65_536:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number
