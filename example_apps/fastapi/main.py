"""The smallest real FastAPI application with sessions. Run it: see README.md beside this file."""

import hmac
import os
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, field_validator

from supertokens_py import InputAppInfo, SupertokensConfig, get_request_from_user_context, init
from supertokens_py.asyncio import get_user
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import emailpassword, emailverification, passwordless, session, thirdparty
from supertokens_py.recipe.emailverification.interfaces import EmailDoesNotExistError, UnknownUserIdError
from supertokens_py.recipe.session import DeviceSettings, EventSettings, SessionContainer, SessionLifetime
from supertokens_py.recipe.session.asyncio import (
    create_new_session,
    explain_session,
    revoke_all_sessions_for_user,
)
from supertokens_py.recipe.session.framework.fastapi import verify_session
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
PAGE = Path(__file__).parent.parent / "page"
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


def remember_me(user_id, tenant_id, user_context):
    """The page has a checkbox, and says in a header what is chosen there."""
    request = get_request_from_user_context(user_context)
    return SessionLifetime(persistent=request is None or request.get_header("x-remember-me") != "no")


controls = {"devices": DeviceSettings(), "lifetime": remember_me, "events": EventSettings()}
recipes = [session.init(**controls), emailpassword.init()]
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

app = FastAPI(title="supertokens_py example")
app.add_middleware(get_middleware())  # answers /auth/signup, /auth/signin, /auth/session/refresh, …

Session = Annotated[SessionContainer, Depends(verify_session())]


class Login(BaseModel):
    user: str
    password: str

    @field_validator("user")
    @classmethod
    def name(cls, user: str) -> str:
        user = user.strip()
        if not (1 <= len(user) <= 64 and user.isprintable()):
            raise ValueError("a name of 1 to 64 printable characters is needed")
        return user


@app.post("/login")
async def login(request: Request, body: Login):
    if not hmac.compare_digest(body.password.encode(), PASSWORD.encode()):
        return JSONResponse({"message": "wrong password"}, 400)  # not 401, which makes frontends refresh
    await create_new_session(request, "public", body.user, {"visits": 0})
    return {"user": body.user}


@app.get("/api/me")
async def me(session: Session):
    return {
        "user": session.get_user_id(),
        "handle": session.get_handle(),
        "payload": session.get_access_token_payload(),
    }


@app.post("/api/visits")
async def count_visit(session: Session):
    visits = session.get_access_token_payload().get("visits", 0) + 1
    await session.merge_into_access_token_payload({"visits": visits})
    return {"visits": visits}


@app.get("/api/verified")
async def verified(session: Annotated[SessionContainer, Depends(verify_session(check_database=True))]):
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return {"user": session.get_user_id(), "checked": "database"}


@app.post("/api/signout-everywhere")
async def sign_out_everywhere(session: Session):
    await session.revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(session.get_user_id())
    return {"ended": 1 + len(others)}


class Ended(BaseModel):
    handle: str


@app.post("/api/why")
async def why(body: Ended):
    """For whoever knows the handle of a session, which is in its tokens and in no URL."""
    found = await explain_session(body.handle)
    return {"text": found.text, "reason": found.reason}


@app.exception_handler(RequestValidationError)
async def bad_input(request: Request, error: RequestValidationError):
    problem = error.errors()[0]
    where = ".".join(part for part in problem["loc"] if isinstance(part, str) and part != "body") or "body"
    return JSONResponse({"message": f"{where}: {problem['msg'].removeprefix('Value error, ')}"}, 400)


@app.get("/auth/reset-password")
@app.get("/auth/verify-email")
async def opened_by_a_link():
    """What the links of e-mails open."""
    return FileResponse(PAGE / "index.html")


app.mount("/", StaticFiles(directory=PAGE, html=True))
