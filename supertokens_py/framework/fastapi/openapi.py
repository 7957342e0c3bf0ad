"""Sessions in the OpenAPI document, and so on the page `/docs`."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from supertokens_py.framework.openapi import complete_document

from .session import SCHEME


def document_routes(app: FastAPI) -> None:
    """Have `app.openapi()` say all that clients should know of sessions.

    That is, for each guarded route, that the cookie is as good as the bearer token, and what it is refused
    with (401, 403, 503); and the SDK's routes: the refresh, the sign-out, and those of the sign-in recipes in
    use. What the application itself says of a response or of a path stays. Call it once, for each application
    that has a document.
    """
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        return complete_document(plain(), SCHEME)

    app.openapi = openapi
