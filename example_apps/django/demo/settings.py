"""The smallest real Django project with sessions: no database of its own, no other application."""

import os
import secrets

from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.asyncio import get_user
from supertokens_py.recipe import emailpassword, emailverification, passwordless, session, thirdparty
from supertokens_py.recipe.emailverification.interfaces import EmailDoesNotExistError, UnknownUserIdError
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

DEBUG = os.environ.get("DJANGO_DEBUG") == "1"
SECRET_KEY = os.environ.get("DJANGO_SECRET_KEY") or secrets.token_urlsafe(50)  # signs nothing here
ALLOWED_HOSTS = os.environ.get("DJANGO_ALLOWED_HOSTS", "localhost,127.0.0.1").split(",")
ROOT_URLCONF = "demo.urls"
MIDDLEWARE = [
    "django.middleware.common.CommonMiddleware",
    "supertokens_py.framework.django.django_middleware.middleware",  # answers /auth/...
]
ASGI_APPLICATION = "demo.asgi.application"
WSGI_APPLICATION = "demo.wsgi.application"
USE_TZ = True
