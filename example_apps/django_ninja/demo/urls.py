"""The API, which brings /openapi.json, and the page."""

import mimetypes
from pathlib import Path

from django.http import Http404, HttpResponse
from django.urls import path
from django.views.decorators.http import require_GET

from demo.api import api

PAGE = Path(__file__).parents[2] / "page"
FILES = {file.name: file for file in PAGE.iterdir()}


@require_GET
def page(request, name="index.html"):
    if name not in FILES:
        raise Http404(name)
    return HttpResponse(FILES[name].read_bytes(), content_type=mimetypes.guess_type(name)[0])


urlpatterns = [
    path("", page),
    path("", api.urls),
    path("<str:name>", page),
]
