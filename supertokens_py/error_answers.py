"""The responses of all errors but those of sessions: bad input, an engine out of reach, too many attempts."""

from __future__ import annotations

import logging
import sys
import traceback

from .events import EngineUnavailable, emit
from .exceptions import AnsweredError, BadInputError, EngineUnavailableError, TooManyAttemptsError
from .framework.response import BaseResponse
from .runtime.callers import PACKAGE, package_of
from .types.response import GeneralErrorResponse

log: logging.Logger = logging.getLogger(__name__)


def answer(error: Exception, *, of_sdk: bool) -> BaseResponse | None:
    """Return the response of an error, which clears no token; None: it is the application's to see.

    Args:
        of_sdk: whether the request is for one of the SDK's own routes.
    """
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
    if isinstance(error, AnsweredError):
        return BaseResponse(error.to_json(), 200)
    return _too_many_attempts(error, of_sdk=of_sdk) if isinstance(error, TooManyAttemptsError) else None


def _too_many_attempts(error: TooManyAttemptsError, *, of_sdk: bool) -> BaseResponse:
    """Return the answer to somebody who has to wait.

    At the SDK's routes a frontend shows the message of a 200; of a 429 it says that something went wrong. At
    an application's own route a 200 would be a success.
    """
    response = BaseResponse({"message": str(error)}, 429)
    if of_sdk:
        response = BaseResponse(GeneralErrorResponse(str(error)).to_json(), 200)
    response.set_header("Retry-After", str(-(-error.retry_after_ms // 1000)))
    return response


def _passed_through_application(error: Exception) -> bool:
    """Return whether an error was raised below code that is neither ours nor Python's own."""
    ours = sys.stdlib_module_names | {PACKAGE}
    return any(package_of(frame) not in ours for frame, _ in traceback.walk_tb(error.__traceback__))
