"""The smallest real Flask application with sessions. Run it: see README.md beside this file."""

import hmac
import os
from pathlib import Path

from flask import Flask, g, request

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.asyncio import get_user
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe import emailpassword, emailverification, passwordless, session, thirdparty
from supertokens_py.recipe.emailverification.interfaces import EmailDoesNotExistError, UnknownUserIdError
from supertokens_py.recipe.session.framework.flask import verify_session
from supertokens_py.recipe.session.syncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput

DOMAIN = os.environ.get("API_DOMAIN", "http://localhost:8000")
WEBSITE = os.environ.get("WEBSITE_DOMAIN", DOMAIN)  # where the links of e-mails lead
# "REQUIRED": protected routes want a verified address; "OPTIONAL": sessions say whether it is
VERIFICATION = os.environ.get("EMAIL_VERIFICATION")
# How people sign in without a password: "USER_INPUT_CODE", "MAGIC_LINK" or "USER_INPUT_CODE_AND_MAGIC_LINK"
PASSWORDLESS = os.environ.get("PASSWORDLESS")
BY_PHONE = os.environ.get("PASSWORDLESS_BY_PHONE") == "1"  # by text message as well; needs the extra "phone"
# Other sign-ins: "name=https://login.example.com/.well-known/openid-configuration", any number of them
OPENID_PROVIDERS = dict(item.split("=", 1) for item in os.environ.get("OPENID_PROVIDERS", "").split())
DATABASE = os.environ.get("SUPERTOKENS_CONNECTION_URI", "sqlite:///supertokens.db")
PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user


async def own_users(user_id, user_context):
    """Users of /login have no address to verify; those who signed up are known to the recipes."""
    return UnknownUserIdError() if await get_user(user_id) else EmailDoesNotExistError()


def openid(name, document):
    """A provider of OpenID Connect; at each, this application is registered with the same id and secret."""
    ours = os.environ["OPENID_CLIENT_ID"], os.environ["OPENID_CLIENT_SECRET"]
    client = ProviderClientConfig(*ours, scope=["openid", "email"])
    return ProviderInput(
        ProviderConfig(name, name=name.capitalize(), clients=[client], oidc_discovery_endpoint=document)
    )


recipes = [session.init(), emailpassword.init()]
if VERIFICATION:
    recipes.append(emailverification.init(VERIFICATION, get_email_for_recipe_user_id=own_users))
if PASSWORDLESS:
    contacts = passwordless.ContactEmailOrPhoneConfig if BY_PHONE else passwordless.ContactEmailOnlyConfig
    recipes.append(passwordless.init(contacts(), PASSWORDLESS))
if OPENID_PROVIDERS:
    providers = [openid(name, document) for name, document in OPENID_PROVIDERS.items()]
    recipes.append(thirdparty.init(thirdparty.SignInAndUpFeature(providers)))

init(
    app_info=InputAppInfo(app_name="Example", api_domain=DOMAIN, website_domain=WEBSITE),
    supertokens_config=SupertokensConfig(connection_uri=DATABASE),
    recipe_list=recipes,
)

app = Flask(__name__, static_folder=Path(__file__).parent.parent / "page", static_url_path="")
Middleware(app)  # answers /auth/signup, /auth/signin, /auth/session/refresh, …


@app.get("/")
@app.get("/auth/reset-password")  # what the links of e-mails open
@app.get("/auth/verify-email")
def page():
    return app.send_static_file("index.html")


@app.post("/login")
def login():
    body = request.get_json(silent=True)
    body = body if isinstance(body, dict) else {}
    user = body.get("user")
    user = user.strip() if isinstance(user, str) else ""
    if not (1 <= len(user) <= 64 and user.isprintable()):
        return {"message": "user: a name of 1 to 64 printable characters is needed"}, 400
    if not hmac.compare_digest(str(body.get("password", "")).encode(), PASSWORD.encode()):
        return {"message": "wrong password"}, 400  # not 401, which makes frontends refresh and try again
    create_new_session(request, "public", user, {"visits": 0})
    return {"user": user}


@app.get("/api/me")
@verify_session()
def me():
    return {
        "user": g.supertokens.get_user_id(),
        "handle": g.supertokens.get_handle(),
        "payload": g.supertokens.get_access_token_payload(),
    }


@app.post("/api/visits")
@verify_session()
def count_visit():
    visits = g.supertokens.get_access_token_payload().get("visits", 0) + 1
    g.supertokens.sync_merge_into_access_token_payload({"visits": visits})
    return {"visits": visits}


@app.get("/api/verified")
@verify_session(check_database=True)
def verified():
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return {"user": g.supertokens.get_user_id(), "checked": "database"}


@app.post("/api/signout-everywhere")
@verify_session()
def sign_out_everywhere():
    g.supertokens.sync_revoke_session()  # this one, so that the response clears its tokens
    others = revoke_all_sessions_for_user(g.supertokens.get_user_id())
    return {"ended": 1 + len(others)}
