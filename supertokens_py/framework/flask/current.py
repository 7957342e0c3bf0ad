"""The session as Flask users expect it: `current_session`, and `@session_required`."""

from __future__ import annotations

from typing import cast

from flask import request
from werkzeug.local import LocalProxy

from supertokens_py.framework.adapter import ConfigError, SessionContainer, running_loop
from supertokens_py.framework.session_look import IF_THERE, is_looked_for
from supertokens_py.framework.session_required import SessionRequired, session_required_by

from .flask_request import FlaskRequest
from .session import verify_session


def _found() -> SessionContainer | None:
    base = FlaskRequest.of(request)
    if is_looked_for(base):  # by a decorator, or here
        return base.get_session()
    if running_loop() is not None:  # a RuntimeError would make the proxy falsy, and the user a visitor
        raise ConfigError("in an async view current_session needs @verify_session(), or @session_required")
    base.forbid_caching()
    return IF_THERE.verify_blocking(base)


#: The session of the request, verified at the first use; falsy for visitors. An access token that has expired
#: raises the same error as an optional session does, so that the frontend refreshes. In an `async` view it is
#: there after `@verify_session()` or `@session_required` only: verifying it here would block the event loop.
current_session: SessionContainer = cast("SessionContainer", LocalProxy(_found))


#: Requires a session for a view.
session_required: SessionRequired = session_required_by(verify_session)
