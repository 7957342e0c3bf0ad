"""Django under ASGI, with async views."""

from __future__ import annotations

from tests.framework.script import World

from . import django_settings  # noqa: F401  must be first
from .django_sync import watch
from .transport import AsgiClient


def client(world: World) -> AsgiClient:
    from django.core.handlers.asgi import ASGIHandler
    from django.test import override_settings

    from .django_urls import current

    current.world = world
    urls = override_settings(ROOT_URLCONF="tests.framework.clients.django_async_urls")
    urls.enable()
    sender = AsgiClient(ASGIHandler())
    watch(sender)
    close = sender.close

    def closed() -> None:
        urls.disable()
        close()

    sender.close = closed
    return sender
