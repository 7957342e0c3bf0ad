"""Noting that sessions are used, between refreshes as well."""

from __future__ import annotations

from typing import Any

from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe_module import App

from ..container import SessionContainer
from .verification import Verify, VerifyOptions


def tracking_activity(verify: Verify, app: App) -> Verify:
    """Return a verification that notes each session that passes, which costs a look into a dictionary."""

    async def noted(
        request: BaseRequest, options: VerifyOptions, user_context: dict[str, Any], *, guards: bool = True
    ) -> SessionContainer | None:
        session = await verify(request, options, user_context, guards=guards)
        if session is not None:
            app.engine.sessions.seen(session.session_handle)
        return session

    return noted
