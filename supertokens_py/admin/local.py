"""The admin page without an application: for whoever has a shell on the machine, and the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from supertokens_py.doctor import Finding
from supertokens_py.engine.interface import Engine

from .application import STYLE_ADDRESS, application, guarded
from .backends import EngineBackend
from .link_access import LINK_S, LinkAccess, OnlyHosts
from .refusals import Refusals
from .visits import Desk

__all__ = ["LINK_S", "LocalAdmin", "local_admin"]

#: The address that is listened on: of this machine only.
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class LocalAdmin:
    """The application, and the link that opens it once."""

    app: ASGIApp
    link: str


def local_admin(
    engine: Engine, *, findings: Callable[[], list[Finding]], actor_id: str, port: int, writes: bool
) -> LocalAdmin:
    """Make the page for one engine.

    Args:
        findings: what there is to say of its database or core.
        actor_id: who started it; named in events.
        port: that it will be served on, on 127.0.0.1.
        writes: whether it may change anything.
    """
    access = LinkAccess(actor_id=actor_id, port=port, writes=writes)
    desk = Desk(
        backend=EngineBackend(engine, findings),
        access=access,
        writes=writes,
        sign_in=None,
        refusals=Refusals(),
        style=STYLE_ADDRESS,
    )
    page = application(desk, Route("/enter", guarded(desk, access.enter)))
    app = Starlette(routes=[Mount(access.place, page)])
    hosts = frozenset(f"{host}:{port}" for host in (HOST, "localhost"))
    return LocalAdmin(OnlyHosts(app, hosts), f"http://{HOST}:{port}{access.link}")
