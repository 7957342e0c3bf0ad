"""A whole API in one Lambda function: configure "function.handler" as its handler."""

import hmac
import json
import mimetypes
import os
from pathlib import Path

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.aws_lambda import middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session.framework.aws_lambda import verify_session
from supertokens_py.recipe.session.syncio import create_new_session, revoke_all_sessions_for_user

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")  # on Lambda: PostgreSQL
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
PAGE = {f"/{file.name}": file for file in (Path(__file__).parents[1] / "page").iterdir()}

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=DOMAIN),
    framework="aws_lambda",
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    recipe_list=[session.init()],
)


def answer(content, status=200):
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(content),
    }


def login(event, context):
    try:
        body = json.loads(event.get("body") or "{}")
        user = body["user"].strip()
    except (ValueError, TypeError, KeyError, AttributeError):
        user = ""
    if not (1 <= len(user) <= 64 and user.isprintable()):
        return answer({"message": "user: a name of 1 to 64 printable characters is needed"}, 400)
    if not hmac.compare_digest(str(body.get("password", "")).encode(), PASSWORD.encode()):
        return answer(
            {"message": "wrong password"}, 400
        )  # not 401, which makes frontends refresh and try again
    create_new_session(event, "public", user, {"visits": 0})
    return answer({"user": user})


@verify_session()
def me(event, context):
    payload = event.session.get_access_token_payload()
    user, handle = event.session.get_user_id(), event.session.get_handle()
    return answer({"user": user, "handle": handle, "payload": payload})


@verify_session()
def count_visit(event, context):
    visits = event.session.get_access_token_payload().get("visits", 0) + 1
    event.session.sync_merge_into_access_token_payload({"visits": visits})
    return answer({"visits": visits})


@verify_session(check_database=True)
def verified(event, context):
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return answer({"user": event.session.get_user_id(), "checked": "database"})


@verify_session()
def sign_out_everywhere(event, context):
    event.session.sync_revoke_session()  # this one, so that the response clears its tokens
    others = revoke_all_sessions_for_user(event.session.get_user_id())
    return answer({"ended": 1 + len(others)})


def page(event, context):
    path = event["rawPath"]
    file = PAGE.get("/index.html" if path == "/" else path)
    if file is None:
        return answer({"message": "not found"}, 404)
    kind = mimetypes.guess_type(file.name)[0] or "text/plain"
    return {
        "statusCode": 200,
        "headers": {"Content-Type": f"{kind}; charset=utf-8"},
        "body": file.read_text(),
    }


ROUTES = {
    ("POST", "/login"): login,
    ("GET", "/api/me"): me,
    ("POST", "/api/visits"): count_visit,
    ("GET", "/api/verified"): verified,
    ("POST", "/api/signout-everywhere"): sign_out_everywhere,
}


@middleware  # answers /auth/...
def handler(event, context):
    route = event["requestContext"]["http"]["method"], event["rawPath"]
    return ROUTES.get(route, page)(event, context)
