"""The example website with the prebuilt screens, in front of an example API, and what people do on it."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.packages import install
from tests.browser.vite import built_and_served, served
from tests.servers.harness import EXAMPLES, Kind, Server, running
from tests.support.databases import TestDatabase
from tests.support.ports import free_port

FRONTEND = EXAMPLES / "react_login"
_MAKE_TENANTS = """
import json, sys
from supertokens_py import InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import multitenancy, session
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.multitenancy.syncio import create_or_update_tenant

here = "http://localhost:8000"
init(
    app_info=InputAppInfo(app_name="Example", api_domain=here, website_domain=here),
    supertokens_config=SupertokensConfig(connection_uri=sys.argv[1]),
    recipe_list=[session.init(), multitenancy.init()],
)
for tenant_id, factors in json.loads(sys.argv[2]).items():
    create_or_update_tenant(tenant_id, TenantConfigCreateOrUpdate(first_factors=factors))
"""


@dataclass(frozen=True)
class Site:
    """The example website, with the API behind it."""

    origin: str
    server: Server
    database: TestDatabase


@contextlib.contextmanager
def website(
    kind: Kind,
    folder: Path,
    builds: Path,
    environ: Mapping[str, str],
    *,
    tenants: Mapping[str, list[str]] | None = None,
    development: bool = False,
) -> Iterator[Site]:
    """Run the React log-in example in front of an API, with a database in `folder`.

    `tenants` are further ones, each with the ways to sign in (`first_factors`) that it offers. In
    `development` it is served unbuilt: React's StrictMode does what it does only there.
    """
    database = f"sqlite:///{folder}/users.db"
    if tenants:
        program = [sys.executable, "-c", _MAKE_TENANTS, database, json.dumps(tenants)]
        subprocess.run(program, check=True, stdin=subprocess.DEVNULL)
    port = free_port()
    with contextlib.ExitStack() as stack:
        own = {"WEBSITE_DOMAIN": f"http://localhost:{port}", **environ}
        server = stack.enter_context(running(kind, database, own))
        if development:
            install(FRONTEND)
            serving = served(FRONTEND, server, port=port)
        else:
            serving = built_and_served(FRONTEND, server, builds / "react_login", port=port)
        yield Site(stack.enter_context(serving), server, TestDatabase("sqlite-file", database))


def fill(page: Page, button: str, **fields: str) -> None:
    """Fill in a prebuilt form (in its shadow DOM) and send it."""
    for name, value in fields.items():
        page.locator(f"input[name={name}]").fill(value)
    page.get_by_role("button", name=button, exact=True).click()


def says(page: Page, part: str, text: str) -> None:
    """Wait until a part of the prebuilt screens says exactly this."""
    expect(page.locator(f"[data-supertokens~={part}]")).to_have_text(text)


def dashboard(page: Page) -> None:
    """Wait for the protected page, with what the API answers."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
    expect(page.locator("#user")).to_have_text(re.compile("^[0-9a-f-]{36}$"))
