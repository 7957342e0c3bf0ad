"""Tells drf-spectacular how requests authenticate. Import it where your URLs are: that registers it.

`SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"]` may have
`"supertokens_py.framework.django.spectacular.document_routes"` besides.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from supertokens_py.framework.openapi import complete_document

__all__ = ["SessionScheme", "document_routes"]


class SessionScheme(OpenApiAuthenticationExtension):
    """The access token as bearer or as cookie, either of which is enough."""

    target_class: str | type[object] | None = "supertokens_py.framework.django.rest.SessionAuthentication"
    match_subclasses = True
    name: str | list[str] = ["sessionBearer", "sessionCookie"]  # noqa: RUF012  # as the base class has it

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer"},
            {"type": "apiKey", "in": "cookie", "name": "sAccessToken"},
        ]


def document_routes(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add what views refuse with (401, 403, 503), and the SDK's routes, as the refresh.

    What the application itself says of a response or of a path stays.
    """
    return complete_document(result, "sessionBearer", "sessionCookie")
