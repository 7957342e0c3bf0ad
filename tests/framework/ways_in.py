"""The routes that begin sessions, of one application with every sign-in recipe, as its pages use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from supertokens_py.recipe import emailpassword, multitenancy, thirdparty
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig
from supertokens_py.testing.conformance import Reply
from tests.recipe.thirdparty.site.conftest import Account, shop

from . import test_email_password as passwords
from . import test_passwordless as codes
from .site import Site, Visitor


@dataclass
class Application:
    """One that signs people in by password, code and provider."""

    site: Site
    outbox: codes.AsyncOutbox

    def use(self, visitor: Visitor, way: Way, *, tenant: str = "", fdi: str = "4.0", **more: Any) -> Reply:
        """Sign in by a way; `more` is posted besides."""
        body = way.body(self, visitor, tenant)
        headers = (("content-type", "application/json"), ("fdi-version", fdi))
        return visitor.post(
            f"/auth{tenant}{way.path}", headers=headers, body=json.dumps({**body, **more}).encode()
        )


@dataclass(frozen=True)
class Way:
    """A route; `body` returns what is posted to it in the end, and `email` is the address of its user."""

    path: str
    email: str
    body: Callable[[Application, Visitor, str], dict[str, Any]]


def _password(application: Application, visitor: Visitor, tenant: str) -> dict[str, Any]:
    fields = {"email": SIGN_IN.email, "password": passwords.PASSWORD}
    return {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}


def _code(application: Application, visitor: Visitor, tenant: str) -> dict[str, Any]:
    application.site.clock.advance(minutes=1)  # or the address gets no other code
    body = json.dumps({"email": CODE.email}).encode()
    asked = visitor.post(
        f"/auth{tenant}/signinup/code", headers=(("content-type", "application/json"),), body=body
    )
    device = {name: asked.json[name] for name in ("deviceId", "preAuthSessionId")}
    return {**device, "userInputCode": application.outbox.sent[-1].user_input_code}


def _provider(application: Application, visitor: Visitor, tenant: str) -> dict[str, Any]:
    page = "https://example.com/auth/callback/shop"
    info = {"redirectURIOnProviderDashboard": page, "redirectURIQueryParams": {"code": "c", "state": "s"}}
    return {"thirdPartyId": "shop", "redirectURIInfo": info}


SIGN_UP = Way("/signup", "ada@example.com", _password)
SIGN_IN = Way("/signin", "ada@example.com", _password)
CODE = Way("/signinup/code/consume", "bob@example.com", _code)
PROVIDER = Way("/signinup", "cyd@example.com", _provider)


def served(
    site: Site, *, override: Any = None, engine: Mapping[str, Any] | None = None, **settings: Any
) -> Application:
    """Serve such an application; `override` is of passwords, `settings` are of `session.init`."""
    outbox = codes.AsyncOutbox()
    mails = EmailDeliveryConfig(passwords.AsyncOutbox())
    provider = shop(Account(email=PROVIDER.email))
    provider.include_in_non_public_tenants_by_default = True
    recipes = [
        emailpassword.init(email_delivery=mails, override=override),
        codes.recipe(outbox),
        thirdparty.init(thirdparty.SignInAndUpFeature([provider])),
        multitenancy.init(),
    ]
    site.init(engine={**passwords.QUICK, **(engine or {})}, recipes=recipes, **settings)
    return Application(site, outbox)
