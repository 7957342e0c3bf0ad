"""The responses of all errors but those of sessions: bad input, an engine out of reach, too many attempts."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable

from .events import EngineUnavailable, emit
from .exceptions import (
    AnsweredError,
    BadInputError,
    EngineUnavailableError,
    RequestTooLargeError,
    TooManyAttemptsError,
)
from .framework.response import BaseResponse
from .runtime.callers import PACKAGE, package_of
from .types.response import GeneralErrorResponse

log: logging.Logger = logging.getLogger(__name__)

#: An outage fails every request for as long as it lasts: each cause is logged this often,
_QUIET_S = 10.0
#: and no more causes than these in that time: some say something else each time.
_MOST_CAUSES = 8


class OutageLog:
    """Logs errors of an engine out of reach, and counts those that come too soon after one of the same text.

    A class because requests share what it counts; without a lock, which a fork could copy while it is held.

    Args:
        monotonic_s: a clock that is never set back.
    """

    def __init__(self, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._monotonic_s = monotonic_s
        self._quiet_until: dict[str, float] = {}  # by text; replaced whole: another thread may read it
        self._left_out = 0

    def note(self, error: EngineUnavailableError) -> None:
        """Log an error, or count it."""
        now, text = self._monotonic_s(), str(error)
        quiet = {cause: until for cause, until in self._quiet_until.items() if now < until}
        if text in quiet or len(quiet) == _MOST_CAUSES:
            self._left_out += 1
            log.debug("the session engine is still out of reach: %s", text)
            return
        self._quiet_until = {**quiet, text: now + _QUIET_S}
        left_out, self._left_out = self._left_out, 0
        more = f" (and {left_out} more since the line before)" if left_out else ""
        log.error("the session engine is out of reach: %s%s", text, more)


_outages = OutageLog()


def answer(error: Exception, *, of_sdk: bool) -> BaseResponse:
    """Return the response of an error, which clears no token.

    Args:
        of_sdk: whether the request is for one of the SDK's own routes.

    Raises:
        Exception: the error itself, where it is the application's to see.
    """
    if isinstance(error, BadInputError):
        return _bad_input(error)
    if isinstance(error, EngineUnavailableError):
        _outages.note(error)
        emit(EngineUnavailable())
        response = BaseResponse({"message": "session store unavailable"}, 503)
        response.set_header("Retry-After", "1")
        return response
    if isinstance(error, AnsweredError):
        return BaseResponse(error.to_json(), 200 if of_sdk else 400)
    if isinstance(error, TooManyAttemptsError):
        return _too_many_attempts(error, of_sdk=of_sdk)
    raise error


def _bad_input(error: BadInputError) -> BaseResponse:
    status = 413 if isinstance(error, RequestTooLargeError) else 400
    if _passed_through_application(error):
        log.warning(
            "the application's own call was refused, and its request is answered with %s: %s",
            status,
            error,
            exc_info=error,
        )
    else:
        log.debug("answering %s: %s", status, error)
    return BaseResponse({"message": str(error)}, status)


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
