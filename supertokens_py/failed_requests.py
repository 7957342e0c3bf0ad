"""What happens to the tokens and sessions of a request that fails."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from .engine.call import call_engine
from .exceptions import EngineUnavailableError
from .framework.request import BaseRequest
from .recipe_module import App
from .types.base import UserContext

log: logging.Logger = logging.getLogger(__name__)


async def withdraw(app: App, request: BaseRequest, user_context: UserContext) -> None:
    """Take back the tokens that a request would deliver, and revoke the sessions that it created."""
    await revoke_undelivered(app, request.withdraw(), user_context)


async def revoke_undelivered(app: App, handles: Sequence[str], user_context: UserContext) -> None:
    """Revoke sessions whose tokens no client receives, so that they do not stay open."""
    if not handles:
        return
    try:
        await call_engine(user_context, app.engine.sessions.revoke, handles)
    except EngineUnavailableError as error:
        # The client must still get its answer; an unused session expires.
        log.error("a session could not be revoked: %s", error)
