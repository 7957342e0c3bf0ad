"""What frontends send to the routes of this recipe, checked before anything is done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from supertokens_py.engine.validation import is_storable
from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import SecretDict, masked
from supertokens_py.types.providers import MAX_THIRD_PARTY_ID

from .provider import RedirectUriInfo

LONGEST_URI = 2000
_LONGEST_CLIENT_TYPE = 256
_LONGEST_VERIFIER = 512
#: Codes and tokens may be long; a frontend's whole redirect has to fit in a URL, tokens of native apps not.
_LONGEST_VALUE = 64 * 1024
_MOST_VALUES = 64

BODY, PARAM = "in request body", "as a GET param"


@dataclass(frozen=True)
class SignInUpBody:
    """The body of POST /signinup: either what a redirect brought, or tokens that a native app got."""

    third_party_id: str
    client_type: str | None
    redirect_uri_info: RedirectUriInfo | None
    oauth_tokens: dict[str, Any] | None


def sign_in_up_body(body: dict[str, Any]) -> SignInUpBody:
    """Return what a body says.

    Raises:
        BadInputError: says what is missing or of another kind.
    """
    third_party_id = required_text(body.get("thirdPartyId"), "thirdPartyId", BODY, MAX_THIRD_PARTY_ID)
    client_type = optional_text(body.get("clientType"), "clientType", _LONGEST_CLIENT_TYPE)
    redirect, tokens = body.get("redirectURIInfo"), body.get("oAuthTokens")
    if redirect is not None:
        return SignInUpBody(third_party_id, client_type, _redirect_uri_info(redirect), None)
    if tokens is None:
        raise BadInputError("Please provide one of redirectURIInfo or oAuthTokens in the request body")
    return SignInUpBody(third_party_id, client_type, None, _short_texts(tokens, "oAuthTokens"))


def required_text(value: Any, name: str, where: str, longest: int) -> str:
    """Return a text that a request must have.

    Raises:
        BadInputError: it is missing, no text, or too long.
    """
    if value is None or value == "":
        raise BadInputError(f"Please provide the {name} {where}")
    return _text(value, name, longest)


def optional_text(value: Any, name: str, longest: int = _LONGEST_CLIENT_TYPE) -> str | None:
    """Return a text that a request may leave out; "" counts as left out.

    Raises:
        BadInputError: it is no text, or too long.
    """
    return None if value is None or value == "" else _text(value, name, longest)


def _text(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise BadInputError(f"{name} must be a string of at most {longest} characters")
    if not is_storable(value):
        raise BadInputError(f"{name} has characters that no text has")
    return value


def _redirect_uri_info(given: Any) -> RedirectUriInfo:
    if not isinstance(given, dict):
        raise BadInputError("redirectURIInfo must be an object")
    info = cast("dict[str, Any]", given)
    name = "redirectURIOnProviderDashboard"
    uri = info.get(name)
    if uri != "":  # of a code that an app on a phone got without a redirect; the provider's client decides
        uri = required_text(uri, name, BODY, LONGEST_URI)
    query = info.get("redirectURIQueryParams")
    if query is None:
        raise BadInputError("Please provide the redirectURIQueryParams in request body")
    return RedirectUriInfo(
        uri,
        _short_texts(query, "redirectURIQueryParams"),
        optional_text(masked(info.get("pkceCodeVerifier")), "pkceCodeVerifier", _LONGEST_VERIFIER),
    )


def _short_texts(given: Any, name: str) -> SecretDict:
    if not isinstance(given, dict):
        raise BadInputError(f"{name} must be an object")
    values = cast("dict[str, Any]", given)
    if len(values) > _MOST_VALUES:
        raise BadInputError(f"{name} must have at most {_MOST_VALUES} members")
    kept = SecretDict()
    for key in values:
        value = masked(values[key])
        # Token endpoints also answer with numbers, such as `expires_in`; nothing else is read from here.
        if isinstance(value, str | int | float | bool) and len(str(value)) <= _LONGEST_VALUE:
            if isinstance(value, str) and not is_storable(value):
                raise BadInputError(f"a member of {name} has characters that no text has")
            kept[key] = value
        elif value is not None:
            raise BadInputError(
                f"the members of {name} must be strings of at most {_LONGEST_VALUE} characters"
            )
    return kept
