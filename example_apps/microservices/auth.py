"""The service where people sign in, with supertokens_py. Others get JWTs that any library verifies."""

import hmac
import os

from flask import Flask, g, request

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe import session
from supertokens_py.recipe.session.framework.flask import verify_session
from supertokens_py.recipe.session.syncio import create_jwt, create_new_session

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user
TOKEN_S = int(os.environ.get("TOKEN_SECONDS", "300"))
SERVICES = ("orders", "invoices")  # for whom there are tokens

init(
    app_info=InputAppInfo(app_name="Shop", api_domain=DOMAIN, website_domain=DOMAIN),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    recipe_list=[session.init()],
)
app = Flask(__name__)
Middleware(app)


@app.post("/login")
def login():
    given = request.get_json()
    if not hmac.compare_digest(given["password"].encode(), PASSWORD.encode()):
        return {"message": "wrong password"}, 400
    create_new_session(request, "public", given["user"])
    return {"status": "OK"}


@app.post("/token/<service>")
@verify_session(check_database=True)  # a session that was revoked gets no new token
def token(service):
    """A token for one other service. It is none for this one: no session, and of another audience."""
    if service not in SERVICES:
        return {"message": "no such service"}, 404
    claims = {"sub": g.supertokens.get_user_id(), "aud": service}
    return {"token": create_jwt(claims, validity_seconds=TOKEN_S).jwt}
