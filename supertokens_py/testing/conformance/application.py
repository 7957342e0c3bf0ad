"""The driver's application on a database of its own, and the clock that the SDK goes by."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.config import EngineConfig
from supertokens_py.recipe import session
from supertokens_py.recipe.session import syncio
from supertokens_py.runtime.clock import now_ms as system_now_ms

from .driver import Client, Driver
from .replies import Headers, Reply
from .routes import ROUTES, USER
from .visitor import Visitor

WEBSITE = "https://example.com"
GRACE_SECONDS = 10
VALIDITY_SECONDS = 3600  # of an access token


def start(uri: str, **more: Any) -> None:
    """(Re)configure the SDK, on a database."""
    now_ms: Callable[[], int] = more.pop("now_ms", system_now_ms)
    override: session.InputOverrideConfig | None = more.pop("override", None)
    engine = EngineConfig(
        now_ms=now_ms,
        access_token_validity=VALIDITY_SECONDS,
        access_token_validity_jitter=0,
        refresh_token_rotation_grace_period=GRACE_SECONDS,
        clean_up_interval=0,
    )
    Supertokens.reset()
    init(
        app_info=InputAppInfo("Conformance", "https://api.example.com", website_domain=WEBSITE),
        supertokens_config=SupertokensConfig(uri, engine=engine),
        recipe_list=[session.init(anti_csrf="VIA_CUSTOM_HEADER", override=override)],
        **more,
    )


class Application:
    """`init` was called for it, and its clock stands still until it is told to go on."""

    def __init__(self, driver: Driver, uri: str, *, middleware: bool = True) -> None:
        driver.middleware = middleware
        self._driver = driver
        self._now_ms = system_now_ms()
        self.start(uri)
        wanted = (
            route
            for route in ROUTES
            if (driver.streams or not route.stream) and (driver.websockets or not route.websocket)
        )
        self.client: Client = driver.build(list(wanted))

    def start(self, uri: str, override: session.InputOverrideConfig | None = None) -> None:
        """(Re)configure the SDK, on a database."""
        start(
            uri,
            now_ms=lambda: self._now_ms,
            override=override,
            framework=self._driver.framework,
            mode=self._driver.mode,
        )

    def close(self) -> None:
        """End the client, the driver and the SDK."""
        self.client.close()
        self._driver.close()
        Supertokens.reset()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self._now_ms += int(seconds * 1000)

    def request(self, method: str, path: str, headers: Headers = (), **options: Any) -> Reply:
        """Send a request as it is."""
        return self.client.request(method, path, headers, **options)

    def log_in(self, mode: str, path: str = "/login") -> Visitor:
        """Return a visitor with a new session; "/visit" makes it the one of a guest."""
        visitor = Visitor(self, mode)
        visitor.first = visitor.post(path)
        assert (visitor.first.status, sorted(visitor.first.json)) == (200, ["handle"])
        visitor.handle = visitor.first.json["handle"]
        return visitor

    @staticmethod
    def check_undelivered(error: str | None) -> None:
        """Fail unless tokens that nobody would deliver were refused with this error."""
        assert error is not None, "tokens were made that nobody delivers; does is_delivered() say so?"
        assert re.fullmatch(r"the SuperTokens middleware is missing\. Add it: .+", error)
        assert syncio.get_all_session_handles_for_user(USER) == []
