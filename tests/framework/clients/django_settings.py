"""Django, set up once per process with the least that it needs."""

from __future__ import annotations

import django
from django.conf import settings

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DEBUG=False,
        SECRET_KEY="only for tests",
        ROOT_URLCONF="tests.framework.clients.django_urls",
        MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"],
        INSTALLED_APPS=[],
        DATABASES={},
        USE_TZ=True,
        APPEND_SLASH=False,
        LOGGING_CONFIG=None,
        DEFAULT_CHARSET="utf-8",
        REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},  # there is no django.contrib.auth
    )
    django.setup()
