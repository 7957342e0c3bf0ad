"""Flask's request as a `BaseRequest`."""

from __future__ import annotations

import json
from typing import Any, cast

from flask import Request, current_app, g
from werkzeug.local import LocalProxy

from supertokens_py.framework.request import BaseRequest, wsgi_header

ENVIRON_KEY = "supertokens.request"
EXTENSION = "supertokens"  #: where Flask knows that the middleware is there


class FlaskRequest(BaseRequest):
    """One request, kept in the WSGI environ: `flask.g` may outlive a request, the environ never does."""

    request: Request
    how_to_deliver = "Middleware(app), of supertokens_py.framework.flask"

    def __init__(self, req: Request) -> None:
        if isinstance(req, LocalProxy):
            req = cast("Request", req._get_current_object())  # pyright: ignore[reportPrivateUsage]
        known: FlaskRequest | None = req.environ.get(ENVIRON_KEY)
        if known is not None:
            self.share(known)
            return
        super().__init__(req)
        req.environ[ENVIRON_KEY] = self
        self.delivers: bool = EXTENSION in current_app.extensions

    @classmethod
    def of(cls, native: Request) -> FlaskRequest:
        """Return the one neutral request of a Flask request."""
        known: FlaskRequest | None = native.environ.get(ENVIRON_KEY)
        return cls(native) if known is None else known

    def method(self) -> str:
        return self.request.environ["REQUEST_METHOD"]

    def get_path(self) -> str:
        return self.request.root_path + self.request.path

    def mount_path(self) -> str:
        return self.request.root_path

    def get_header(self, key: str) -> str | None:
        return wsgi_header(self.request.environ, key)

    def cookie_header(self) -> str:
        return self.request.environ.get("HTTP_COOKIE", "")

    def get_original_url(self) -> str:
        return self.request.url

    def get_query_params(self) -> dict[str, Any]:
        return dict(self.request.args.items(multi=True))

    async def json(self) -> Any:
        try:
            return json.loads(self.request.get_data())
        except (ValueError, RecursionError):
            return {}

    async def form_data(self) -> dict[str, Any]:
        return dict(self.request.form.items(multi=True))

    def _keep_session(self, session: Any) -> None:
        g.supertokens = session
