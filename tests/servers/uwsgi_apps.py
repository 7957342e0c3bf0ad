"""Applications for uWSGI that use sessions while they are loaded, before the workers are forked.

`uwsgi_apps:flask_app` and `uwsgi_apps:django_app`; $SUPERTOKENS_CONNECTION_URI says where sessions are kept.
"""

from __future__ import annotations

import json
import os
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path
from flask import Flask, jsonify, request

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe import session, userroles
from supertokens_py.recipe.session.syncio import (
    create_new_session,
    create_new_session_without_request_response,
    get_session,
)
from supertokens_py.recipe.userroles.syncio import create_new_role_or_add_permissions

HERE = "http://localhost:8000"

init(
    app_info=InputAppInfo(app_name="Shop", api_domain=HERE, website_domain=HERE),
    supertokens_config=SupertokensConfig(os.environ["SUPERTOKENS_CONNECTION_URI"]),
    recipe_list=[session.init(), userroles.init()],
)
create_new_role_or_add_permissions("admin", ["all"])
create_new_session_without_request_response("public", "seed")

flask_app = Flask(__name__)
Middleware(flask_app)


@flask_app.post("/login")
def login() -> Any:
    create_new_session(request, "public", request.get_json()["user"])
    return jsonify({"pid": os.getpid()})


@flask_app.get("/me")
def me() -> Any:
    return jsonify({"user": get_session(request).get_user_id(), "pid": os.getpid()})


def django_login(request: HttpRequest) -> JsonResponse:
    create_new_session(request, "public", json.loads(request.body)["user"])
    return JsonResponse({"pid": os.getpid()})


def django_me(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"user": get_session(request).get_user_id(), "pid": os.getpid()})


urlpatterns = [path("login", django_login), path("me", django_me)]
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="of no use here",
    MIDDLEWARE=["supertokens_py.framework.django.django_middleware.middleware"],
)
django.setup()
django_app = WSGIHandler()
