"""The package's logger, and the debug log that `init(debug=True)` or `SUPERTOKENS_DEBUG=1` switches on.

Every module logs to `logging.getLogger(__name__)`, below `NAMESPACE`. Without any logging set-up, Python
prints warnings and errors to stderr: an unreachable database or a theft must not pass in silence.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime

from .constants import VERSION

NAMESPACE = "supertokens_py"
DEBUG_ENV_VAR = "SUPERTOKENS_DEBUG"

_logger = logging.getLogger(NAMESPACE)


class _JsonLine(logging.Formatter):
    """One JSON object per record, made after the message is complete, so that no argument can break it."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        entry = {
            "t": moment.replace("+00:00", "Z"),
            "sdkVer": VERSION,
            "message": record.getMessage(),
            "file": f"{record.name}:{record.lineno}",
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return f"{record.name} {json.dumps(entry)}\n"


def enable_debug_logging() -> None:
    """Write every decision of the SDK to stderr; a second call changes nothing."""
    _logger.setLevel(logging.DEBUG)
    if not any(isinstance(handler.formatter, _JsonLine) for handler in _logger.handlers):
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_JsonLine())
        _logger.addHandler(handler)


def log_debug_message(message: str, *args: object) -> None:
    """Log at DEBUG; arguments are formatted into `message` only if the level is enabled."""
    _logger.debug(message, *args, stacklevel=2)


def enable_debugging_if_asked(debug: bool | None = None) -> bool:
    """Switch the debug log on if the argument of `init` or the environment asks for it; return whether."""
    if debug or os.environ.get(DEBUG_ENV_VAR) == "1":
        enable_debug_logging()
        return True
    return False


enable_debugging_if_asked()
