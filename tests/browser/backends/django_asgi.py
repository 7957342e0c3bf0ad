"""The Django backend for ASGI servers."""

from __future__ import annotations

import django_app  # noqa: F401 it configures Django
from django.core.asgi import get_asgi_application

application = get_asgi_application()
