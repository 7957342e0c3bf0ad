"""Tells drf-spectacular how requests authenticate. Import it where your URLs are: that registers it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

__all__ = ["SessionScheme"]


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
