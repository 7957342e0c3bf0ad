"""The suite that every adapter passes, for adapters of your own.

A driver says how an application of your framework is made; a subclass of `Conformance` in a test file is the
suite:

    class TestMine(Conformance):
        driver = MyDriver

It needs pytest.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"supertokens_py.testing.conformance.{name}" for name in ("application", "replies", "suite"))
)

from .clients import AsgiClient, WsgiClient  # noqa: E402  what is imported before is not rewritten
from .driver import Client, Driver, Handshake  # noqa: E402
from .replies import EPOCH, Headers, Reply, SetCookie, cookie_pairs  # noqa: E402
from .routes import Answer, Route  # noqa: E402
from .sockets import SocketClient  # noqa: E402
from .suite import Conformance  # noqa: E402

__all__ = [
    "EPOCH",
    "Answer",
    "AsgiClient",
    "Client",
    "Conformance",
    "Driver",
    "Handshake",
    "Headers",
    "Reply",
    "Route",
    "SetCookie",
    "SocketClient",
    "WsgiClient",
    "cookie_pairs",
]
