"""The Django backend for WSGI servers."""

from __future__ import annotations

import django_app  # noqa: F401 it configures Django
import shared
from cors import allow_origins
from django.core.wsgi import get_wsgi_application

application = allow_origins(get_wsgi_application(), shared.ALLOWED_ORIGINS)
