"""Applications whose users sign in by every recipe, and what the official frontends send them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from supertokens_py.recipe import emailpassword, emailverification, passwordless, thirdparty
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig, EmailDeliveryInterface
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.multitenancy.syncio import create_or_update_tenant
from supertokens_py.recipe.passwordless import (
    ContactEmailOrPhoneConfig,
    SMSDeliveryConfig,
    SMSDeliveryInterface,
    SMSTemplateVars,
)
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.visitor import Visitor
from tests.recipe.thirdparty.site.conftest import Account, shop
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

from .site import Site

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
PAGE = "https://example.com/auth/callback/shop"
PASSWORD = "correct horse 1"
FRAMEWORKS = ("fastapi", "flask", "django_sync", "django_async")
#: The routes that sign somebody up or in, by their recipes.
WAYS = {
    "/signup": "emailpassword",
    "/signin": "emailpassword",
    "/signinup/code/consume": "passwordless",
    "/signinup": "thirdparty",
}


def on_postgres(*drivers: str) -> list[Any]:
    """Return parameters of `bare_site`: applications of these frameworks on PostgreSQL."""
    return [
        pytest.param((name, "postgres"), id=f"{name}-postgres", marks=pytest.mark.postgres)
        for name in drivers
    ]


def also_on_postgres(each: Sequence[str], *drivers: str) -> pytest.MarkDecorator:
    """Run a test on an application of each framework, and of some on PostgreSQL as well."""
    return pytest.mark.parametrize("bare_site", [*each, *on_postgres(*drivers)], indirect=True)


#: Each framework on one database, each database under two: what an adapter does is the same on both.
PAIRS = ["fastapi", *on_postgres("flask"), "django_sync", *on_postgres("django_async")]


def site_with_users(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Site]:
    """Yield an application of the framework that is the parameter, with the tables of users.

    The parameter is the framework's name, or a pair of it and "postgres".
    """
    asked = request.param
    if isinstance(asked, str):
        files: Sqlite = request.getfixturevalue("sqlite_files")
        driver, database = asked, files.create(users=True)
    else:
        driver, database = asked[0], request.getfixturevalue("users_postgres_database")
    site = Site(driver, database.uri, clock)
    yield site
    site.close()


def database_of(site: Site) -> TestDatabase:
    """Return what an application writes to."""
    return TestDatabase("postgresql" if site.uri.startswith("postgres") else "sqlite-file", site.uri, True)


class Outbox(EmailDeliveryInterface[Any], SMSDeliveryInterface[SMSTemplateVars]):
    """Keeps what would be sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self.sent.append(template_vars)

    async def send_sms(self, template_vars: SMSTemplateVars, user_context: dict[str, Any]) -> None:
        self.sent.append(template_vars)


class Shop:
    """An application with every recipe, and the messages that it sends."""

    def __init__(self, site: Site, *, apis: Callable[[Any], Any] | None = None) -> None:
        self.outbox = Outbox()
        self.account = Account()
        provider = shop(self.account)
        provider.include_in_non_public_tenants_by_default = True
        mails: Any = EmailDeliveryConfig(self.outbox)
        texts = SMSDeliveryConfig(self.outbox)
        self.site = site.init(
            engine=QUICK,
            recipes=[
                emailpassword.init(
                    email_delivery=mails, override=emailpassword.InputOverrideConfig(apis=apis)
                ),
                emailverification.init(
                    "OPTIONAL", mails, override=emailverification.InputOverrideConfig(apis=apis)
                ),
                passwordless.init(
                    ContactEmailOrPhoneConfig(),
                    "USER_INPUT_CODE_AND_MAGIC_LINK",
                    email_delivery=mails,
                    sms_delivery=texts,
                    override=passwordless.InputOverrideConfig(apis=apis),
                ),
                thirdparty.init(
                    thirdparty.SignInAndUpFeature([provider]),
                    override=thirdparty.InputOverrideConfig(apis=apis),
                ),
            ],
        )

    def add_tenant(self, tenant_id: str, factors: Sequence[str] | None = None) -> None:
        """Make a tenant with the first factors that are named, or with all."""
        config = TenantConfigCreateOrUpdate(first_factors=None if factors is None else list(factors))
        create_or_update_tenant(tenant_id, config)

    def new_user(self, email: str = "old@example.com") -> tuple[Visitor, str]:
        """Return a visitor who has just signed up with a password, and their id."""
        visitor = Visitor(self.site, "cookie")
        reply = send(visitor, "/signup", form(email=email, password=PASSWORD))
        assert reply.json["status"] == "OK", reply.body
        return visitor, reply.json["user"]["id"]

    def ask_for_code(self, tenant: str = "", email: str = "ada@example.com") -> dict[str, str]:
        """Ask for a code as a visitor without a session does; return what the browser remembers."""
        reply = send(Visitor(self.site), f"{tenant}/signinup/code", {"email": email})
        assert reply.json["status"] == "OK", reply.body
        return {name: reply.json[name] for name in ("deviceId", "preAuthSessionId")}

    def body(self, path: str, tenant: str = "") -> dict[str, Any]:
        """Return what signs ada@example.com in at a route, after whatever has to come before it."""
        if path == "/signup":
            return form(email="ada@example.com", password=PASSWORD)
        if path == "/signin":
            signing_up = self.body("/signup")
            assert send(Visitor(self.site), f"{tenant}/signup", signing_up).json["status"] == "OK"
            return signing_up
        if path == "/signinup":
            info = {"redirectURIOnProviderDashboard": PAGE, "redirectURIQueryParams": {"code": "c"}}
            return {"thirdPartyId": "shop", "redirectURIInfo": info}
        device = self.ask_for_code(tenant)
        if path == "/signinup/code/resend":
            return device
        return opened(self.outbox.sent[-1].url_with_link_code)


def opened(link: str) -> dict[str, str]:
    """Return what the website's page posts when a link to sign in is opened."""
    parts = urlsplit(link)
    return {"preAuthSessionId": parse_qs(parts.query)["preAuthSessionId"][0], "linkCode": parts.fragment}


def form(**fields: Any) -> dict[str, Any]:
    """Return a form as the frontend sends it."""
    return {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}


def send(visitor: Visitor, path: str, body: Any = None, method: str = "POST") -> Reply:
    """Send what is JSON to a route of the SDK."""
    lines = (("content-type", "application/json"), ("fdi-version", "3.1,4.0,4.1,4.2"))
    content = b"" if body is None else json.dumps(body).encode()
    return visitor.request(method, f"/auth{path}", headers=lines, body=content)
