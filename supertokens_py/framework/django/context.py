"""A template context processor: `"supertokens_py.framework.django.context.session"`."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from supertokens_py.framework.adapter import ConfigError, SessionContainer

from .session import optional_session, would_block

_IN_A_LOOP: Final = (
    "in an async view a template would block looking for the session: guard the view by "
    "verify_session(session_required=False), which looks before"
)


def session(request: HttpRequest) -> dict[str, Any]:
    """Return `session` for templates: verified where a template asks for it, falsy for visitors.

    A template of an async view, which cannot wait, finds what the view has verified: a ConfigError says so.
    """
    return {"session": SimpleLazyObject(lambda: _session_of(request))}


def _session_of(request: HttpRequest) -> SessionContainer | None:
    if would_block(request):
        raise ConfigError(_IN_A_LOOP)
    return optional_session(request)
