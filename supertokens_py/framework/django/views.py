"""`session_required` for both kinds of views, and `SessionRequiredMixin` for classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from asgiref.sync import iscoroutinefunction

from supertokens_py.framework.session_required import SessionRequired, session_required_by

from .session import verify_session_async, verify_session_sync


def _verified(**options: Any) -> Callable[[Any], Any]:
    def guard(view: Callable[..., Any]) -> Callable[..., Any]:
        # Deprecated on 3.14, but on 3.11 only asgiref sees its own mark, which `as_view()` sets.
        is_async = iscoroutinefunction(view)  # pyright: ignore[reportDeprecated]
        return (verify_session_async if is_async else verify_session_sync)(**options)(view)

    return guard


#: Requires a session for a view, be it `def` or `async def`; the session is `request.supertokens`.
session_required: SessionRequired = session_required_by(_verified)


class SessionRequiredMixin:
    """Requires a session for every method of a view class; stands before `View` in its bases.

    `session_options` are those of `verify_session`.
    """

    session_options: ClassVar[dict[str, Any]] = {}

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the guarded view."""
        above: Any = super()
        return session_required(**cls.session_options)(above.as_view(**initkwargs))
