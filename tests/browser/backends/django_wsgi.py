"""The Django backend for WSGI servers."""

from __future__ import annotations

import django_app  # noqa: F401 it configures Django
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
