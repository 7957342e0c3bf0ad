"""What a log-in request must look like, and whose password is right."""

import hmac
import json
import os

from django.http import HttpRequest

PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user


class BadInputError(ValueError):
    """Answered with 400 and the text: a 401 for a wrong password would make frontends refresh."""


def checked_user(request: HttpRequest) -> str:
    """Return the user name that the JSON body of `request` gives, with the right password."""
    try:
        body = json.loads(request.body)
    except ValueError:
        raise BadInputError("the body must be JSON") from None
    body = body if isinstance(body, dict) else {}
    user = body.get("user")
    user = user.strip() if isinstance(user, str) else ""
    if not (1 <= len(user) <= 64 and user.isprintable()):
        raise BadInputError("user: a name of 1 to 64 printable characters is needed")
    if not hmac.compare_digest(str(body.get("password", "")).encode(), PASSWORD.encode()):
        raise BadInputError("wrong password")
    return user
