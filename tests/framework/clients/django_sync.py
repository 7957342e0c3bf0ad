"""Django under WSGI, with sync views."""

from __future__ import annotations

import sys
from typing import Any

from django.core.signals import got_request_exception

from tests.framework.script import World

from . import django_settings  # noqa: F401  must be first
from .transport import WsgiClient


def client(world: World) -> WsgiClient:
    from django.core.handlers.wsgi import WSGIHandler

    from .django_urls import current

    current.world = world
    sender = WsgiClient(WSGIHandler())
    watch(sender)
    return sender


def watch(sender: Any) -> None:
    """Note the exceptions that became a 500."""

    def note(**extra: Any) -> None:
        sender.error = sys.exc_info()[1]

    got_request_exception.connect(note, weak=False, dispatch_uid="tests.framework")
    close = sender.close

    def closed() -> None:
        got_request_exception.disconnect(dispatch_uid="tests.framework")
        close()

    sender.close = closed
