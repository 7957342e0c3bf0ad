"""What happens to the tokens and sessions of a request that fails."""

from __future__ import annotations

import logging
from typing import Final

from .bridge import blocking
from .engine.call import call_engine
from .exceptions import EngineUnavailableError
from .framework.request import BaseRequest
from .recipe_module import App
from .types.base import UserContext

log: logging.Logger = logging.getLogger(__name__)


async def settle(app: App, request: BaseRequest, status: int, user_context: UserContext) -> None:
    """Withdraw what a response of this status may not deliver; adapters ask before it starts."""
    if request.must_withdraw(status):
        await withdraw(app, request, user_context)


async def withdraw(app: App, request: BaseRequest, user_context: UserContext) -> None:
    """Take back the tokens that a request would deliver, and revoke the sessions that it created.

    The client never learns of these sessions, so they must not stay open.
    """
    handles = request.withdraw()
    if not handles:
        return
    try:
        await call_engine(user_context, app.engine.sessions.revoke, handles)
    except EngineUnavailableError as error:
        # The client must still get its answer; an unused session ends by itself.
        log.error("a session could not be revoked: %s", error)


settle_blocking: Final = blocking(settle)
