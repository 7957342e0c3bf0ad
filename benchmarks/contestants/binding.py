"""One verification with `device_binding` on and off, of a session that is bound and of one that is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from support import tokens
from support.rounds import require_measured_package
from support.servers import request_headers

DISTINCT = 256
HOUR_MS = 3_600_000


def _start(**settings: Any) -> Any:
    """Make an application, and forget it as the current one: several take turns here."""
    from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
    from supertokens_py.recipe import session

    Supertokens._current = None
    init(
        InputAppInfo("benchmark", "https://localhost:8000", website_domain="https://localhost:3000"),
        supertokens_config=SupertokensConfig("sqlite://", engine=EngineConfig(clean_up_interval=0)),
        recipe_list=[session.init(**settings)],
    )
    return Supertokens.get_instance()


def _tokens(app: Any, thumbprint: str | None) -> list[tuple[str, str]]:
    """Return access tokens with their bound cookies, as browsers would have them."""
    from supertokens_py.engine.records import NewSession
    from supertokens_py.recipe.session.device_binding.bound_cookie import PURPOSE, bound_cookie

    [secret, *_] = app.engine.keys.shared_secrets(PURPOSE)
    payload = {"iss": "https://localhost:8000/auth"} | ({"cnf": {"jkt": thumbprint}} if thumbprint else {})
    made: list[tuple[str, str]] = []
    for n in range(DISTINCT):
        new = NewSession(
            user_id=f"user-{n}",
            tenant_id="public",
            payload=payload,
            data={},
            anti_csrf=False,
            dynamic_key=True,
        )
        issued = app.engine.sessions.create(new)
        cookie = bound_cookie(
            secret, issued.handle, thumbprint or "", expires_ms=app.now_ms() + HOUR_MS, nonce="a1b2c3d4"
        )
        made.append((issued.access_token.text, cookie))
    return made


async def verify_cases() -> dict[str, Any]:
    """Verify known tokens of requests in one process: two processes differ by more than that."""
    require_measured_package()
    from starlette.requests import Request

    from supertokens_py import Supertokens
    from supertokens_py.recipe.session.asyncio import get_session

    def case(app: Any, thumbprint: str | None = None) -> Callable[[int], Any]:
        made = _tokens(app, thumbprint)
        scopes = {text: _scope(text, cookie if thumbprint else "") for text, cookie in made}

        async def call(text: str) -> None:
            session = await get_session(Request(dict(scopes[text])))
            assert session is not None

        prepared = tokens.repeated_async(call, list(scopes))

        def prepare(n: int) -> Any:
            Supertokens._current = app
            return prepared(n)

        return prepare

    off, on = _start(), _start(device_binding="auto")
    return {
        "ours: device_binding off": case(off),
        "ours: device_binding on, not bound": case(on),
        "ours: device_binding on, bound": case(on, "t" * 43),
    }


def _scope(text: str, bound: str) -> dict[str, Any]:
    cookies = [f"sAccessToken={text}; Path=/", *([f"__Host-sDevice={bound}; Path=/"] if bound else [])]
    headers = request_headers(cookies, text, "cookie")
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": "/me",
        "raw_path": b"/me",
        "query_string": b"",
        "root_path": "",
        "scheme": "https",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 40000),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
