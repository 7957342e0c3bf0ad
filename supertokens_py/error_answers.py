"""The responses of errors that belong to no recipe: bad input is 400, an engine out of reach 503."""

from __future__ import annotations

import logging
import sys
import traceback

from .events import EngineUnavailable, emit
from .exceptions import BadInputError, EngineUnavailableError
from .framework.response import BaseResponse

log: logging.Logger = logging.getLogger(__name__)


def answer(error: Exception) -> BaseResponse | None:
    """Return the response of an error, which clears no token; None: it is the application's to see."""
    if isinstance(error, BadInputError):
        if _passed_through_application(error):
            log.warning(
                "the application's own call was refused, and its request is answered with 400: %s",
                error,
                exc_info=error,
            )
        else:
            log.debug("answering 400: %s", error)
        return BaseResponse({"message": str(error)}, 400)
    if isinstance(error, EngineUnavailableError):
        log.error("the session engine is out of reach: %s", error)
        emit(EngineUnavailable())
        response = BaseResponse({"message": "session store unavailable"}, 503)
        response.set_header("Retry-After", "1")
        return response
    return None


def _passed_through_application(error: Exception) -> bool:
    """Return whether an error was raised below code that is neither ours nor Python's own."""
    ours = sys.stdlib_module_names | {__name__.partition(".")[0]}
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").partition(".")[0] not in ours for frame in frames)
