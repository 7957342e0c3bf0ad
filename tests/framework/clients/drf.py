"""Django REST framework under WSGI: authentication and permission classes instead of a decorator."""

from __future__ import annotations

from typing import Any, ClassVar

from supertokens_py.testing.conformance import Route

from . import django_sync
from .django_urls import native

# isort: split
from rest_framework.decorators import (
    api_view,
    authentication_classes,
    permission_classes,
    renderer_classes,
)
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from supertokens_py.framework.django.rest import HasSession, SessionAuthentication


def rest_view(route: Route) -> Any:
    def view(request: Any) -> Any:
        answer = route.blocking(request, request.auth)
        if route.stream or answer.headers:  # as everybody who needs more than JSON does
            return native(route, answer, answer.chunks)
        return Response(answer.body, answer.status)

    guard = dict(route.guard or {})
    required = guard.pop("session_required", route.guard is not None)
    classes = [] if route.guard is None else [SessionAuthentication.configured(**guard)]
    view = renderer_classes([JSONRenderer])(view)
    view = permission_classes([HasSession] if required else [])(view)
    return api_view(route.methods)(authentication_classes(classes)(view))


class Driver(django_sync.Driver):
    view: ClassVar[Any] = staticmethod(rest_view)
