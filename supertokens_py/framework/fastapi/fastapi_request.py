"""FastAPI's request or WebSocket, which is Starlette's, as a `BaseRequest`."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from supertokens_py.framework.adapter import register
from supertokens_py.framework.starlette import StarletteRequest


class FastApiRequest(StarletteRequest):
    """One HTTP request or WebSocket; the session is where `request.state` shows it."""

    how_to_deliver = "app.add_middleware(get_middleware()), of supertokens_py.framework.fastapi"


register(HTTPConnection, FastApiRequest)
