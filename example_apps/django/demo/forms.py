"""What a log-in request must look like."""

import json

from django.http import HttpRequest


class BadInputError(ValueError):
    """The request cannot be understood; the text says why."""


def user_name(request: HttpRequest) -> str:
    """Return the user name that the JSON body of `request` gives."""
    try:
        body = json.loads(request.body)
    except ValueError:
        raise BadInputError("the body must be JSON") from None
    user = body.get("user") if isinstance(body, dict) else None
    user = user.strip() if isinstance(user, str) else ""
    if not (1 <= len(user) <= 64 and user.isprintable()):
        raise BadInputError("user: a name of 1 to 64 printable characters is needed")
    return user
