"""A look for the session of a request, by what runs before a route or beside it: middlewares, templates.

Nobody has said there that the route asks for a session, so this refuses less than
`verify_session(session_required=False)`: with `pages`, to it a form of another origin is a visitor's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from .adapter import BaseRequest, SessionCheck


def is_looked_for(request: BaseRequest) -> bool:
    """Return whether the session of a request has been looked for, so that `get_session` has the result.

    What a route with `vary=False` has verified is it, too; whoever asks here makes the response depend on it.
    """
    if request.get_session() is not None:
        request.session_sought = True
    return request.session_sought


class _Look(SessionCheck):
    def __init__(self) -> None:
        super().__init__(session_required=False)
        self._options = replace(self._options, looks=True)


#: Finds the session, or None. An invalid one raises as an optional session does, so that frontends refresh.
IF_THERE: Final[SessionCheck] = _Look()
