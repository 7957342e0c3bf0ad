"""The Django backend for ASGI servers."""

from __future__ import annotations

import django_app  # noqa: F401 it configures Django
import shared
from django.core.asgi import get_asgi_application
from starlette.middleware.cors import CORSMiddleware

from supertokens_py import get_all_cors_headers

application = CORSMiddleware(
    get_asgi_application(),
    allow_origins=shared.ALLOWED_ORIGINS,
    allow_credentials=True,
    allow_methods=["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"],
    allow_headers=["Content-Type", *get_all_cors_headers()],
)
