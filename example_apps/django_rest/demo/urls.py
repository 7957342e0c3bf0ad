"""The API, its OpenAPI description at /schema, and the page."""

import mimetypes
from pathlib import Path

from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET
from drf_spectacular.views import SpectacularAPIView

from demo import views
from supertokens_py.framework.django import spectacular  # noqa: F401  so that the schema knows sessions

PAGE = Path(__file__).parents[2] / "page"
FILES = {file.name: file for file in PAGE.iterdir()}


@require_GET
def page(request, name="index.html"):
    if name not in FILES:
        raise Http404(name)
    return HttpResponse(FILES[name].read_bytes(), content_type=mimetypes.guess_type(name)[0])


urlpatterns = [
    path("login", views.Login.as_view()),
    path("api/me", views.Me.as_view()),
    path("api/visits", views.Visits.as_view()),
    path("api/verified", views.Verified.as_view()),
    path("api/signout-everywhere", views.SignOutEverywhere.as_view()),
    path("schema", SpectacularAPIView.as_view(authentication_classes=(), permission_classes=())),
    path("", page),
    path("<str:name>", page),
]
