"""Flask's request as a `BaseRequest`."""

from __future__ import annotations

from typing import Any, cast

from flask import Request, Response, after_this_request, current_app, g
from werkzeug.local import LocalProxy

from supertokens_py.framework.adapter import PERSONAL, register
from supertokens_py.framework.wsgi import WsgiRequest

EXTENSION = "supertokens"  #: where Flask knows that the middleware is there

PERSONAL_NAMES = tuple(name for name, _ in PERSONAL.merged({}))


def mark_personal(response: Response) -> Response:
    """Add the headers of a response for which a session was looked for."""
    headers = response.headers
    present = {name.lower(): ", ".join(found) for name in PERSONAL_NAMES if (found := headers.getlist(name))}
    for name, value in PERSONAL.merged(present):
        if name.lower() not in present:
            headers.add(name, value)
        elif present[name.lower()] != value:
            headers[name] = value
    return response


class FlaskRequest(WsgiRequest):
    """One request, kept in the WSGI environ: `flask.g` may outlive a request, the environ never does."""

    request: Request
    how_to_deliver = "Middleware(app), of supertokens_py.framework.flask"

    def __init__(self, req: Request) -> None:
        if isinstance(req, LocalProxy):
            req = cast("Request", req._get_current_object())  # pyright: ignore[reportPrivateUsage]
        super().__init__(req)

    def is_delivered(self) -> bool:
        return EXTENSION in current_app.extensions

    def get_path(self) -> str:
        return self.request.root_path + self.request.path

    def mount_path(self) -> str:
        return self.request.root_path

    def get_original_url(self) -> str:
        return self.request.url

    async def body(self) -> bytes:
        return self.request.get_data()

    async def form_data(self) -> dict[str, Any]:
        if self.max_body is not None and (fields := await super().form_data()):
            return fields  # there are none where a hook of the application has read the form
        return dict(self.request.form.items(multi=True))

    def forbid_caching(self) -> None:
        if not self.delivers:  # the middleware does it, where there is one
            after_this_request(mark_personal)

    def keep_session(self, session: Any) -> None:
        g.supertokens = session


register(Request, FlaskRequest)
