"""Apple posts its answer as a form to the API, which sends the browser on to the website. Pure."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlencode

from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import SecretText

#: Below the base path of the API; registered with Apple as redirect URI.
PATH = "/callback/apple"

#: Servers and browsers refuse longer addresses.
_LONGEST = 8 * 1024


def target_of(form: dict[str, Any], is_allowed: Callable[[str], bool]) -> str:
    """Return where to send the browser: the address that `state` names, with the whole form as its query.

    Args:
        form: what was posted.
        is_allowed: whether a browser may be sent to an address.

    Raises:
        BadInputError: the form names no address, or one that is not allowed.
    """
    address = _frontend_address(form.get("state"))
    if not is_allowed(address):
        raise BadInputError("frontendRedirectURI is neither on the website nor one of allowed_redirect_uris")
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    mark = "&" if "?" in address else "?"
    target = SecretText(f"{address}{mark}{SecretText(urlencode(fields))}")
    if len(target) > _LONGEST:
        raise BadInputError("the form is too long")
    return target


def _frontend_address(state: Any) -> str:
    """Return what the official frontends put into `state`: base64 of JSON, in either alphabet."""
    if not isinstance(state, str) or len(state) > _LONGEST:
        raise BadInputError("the form has no state of the official frontends")
    try:
        raw = urlsafe_b64decode(state.replace("+", "-").replace("/", "_") + "=" * (-len(state) % 4))
        found: Any = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise BadInputError("the form has no state of the official frontends") from error
    address = cast("dict[str, Any]", found).get("frontendRedirectURI") if isinstance(found, dict) else None
    if not isinstance(address, str):
        raise BadInputError("state has no frontendRedirectURI")
    return address
