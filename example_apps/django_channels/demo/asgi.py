"""For ASGI servers: daphne demo.asgi:application."""

import os

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
http = get_asgi_application()  # before the imports that need the settings

from django.urls import path  # noqa: E402

from demo.consumers import Echo  # noqa: E402
from supertokens_py.framework.django.channels import SessionAuthMiddleware  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": http,
        "websocket": SessionAuthMiddleware(URLRouter([path("ws/echo", Echo.as_asgi())])),
    }
)
