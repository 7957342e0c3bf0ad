"""A small CORS layer for WSGI applications, outermost, as any CORS layer must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from supertokens_py import get_all_cors_headers

METHODS = "GET, PUT, POST, DELETE, PATCH, OPTIONS"


def allow_origins(app: Callable[..., Any], origins: list[str]) -> Callable[..., Iterable[bytes]]:
    """Wrap `app` so that pages of `origins` may call it with credentials."""
    allowed_headers = ", ".join(["Content-Type", *get_all_cors_headers()])

    def with_cors(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN")
        if origin not in origins:
            return app(environ, start_response)
        cors = [
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Allow-Credentials", "true"),
            ("Vary", "Origin"),
        ]
        if environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ:
            cors += [
                ("Access-Control-Allow-Methods", METHODS),
                ("Access-Control-Allow-Headers", allowed_headers),
            ]
            start_response("204 No Content", cors)
            return [b""]
        return app(environ, lambda status, headers, *rest: start_response(status, [*headers, *cors], *rest))

    return with_cors
