"""Responses with the content types of the interface."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, PlainTextResponse

from supertokens_py.tokens.encoding import to_json

_NO_PAGE = {"content-security-policy": "default-src 'none'", "x-content-type-options": "nosniff"}


class TextResponse(PlainTextResponse):
    """Text the way the interface labels it: SDKs tell JSON from text by the content type."""

    media_type = "text/html"
    charset = "UTF-8"

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        # Texts may quote a request, and are no page.
        super().init_headers({**_NO_PAGE, **(headers or {})})

    def render(self, content: str) -> bytes:
        return content.encode(errors="backslashreplace")  # what it quotes may have no form in UTF-8


class JsonResponse(JSONResponse):
    """A JSON object with the content type of the interface."""

    media_type = "application/json; charset=UTF-8"

    def render(self, content: object) -> bytes:
        return to_json(content).encode()
