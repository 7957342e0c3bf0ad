"""What browsers come back with from a provider (RFC 6749 4.1.2, RFC 9207). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from supertokens_py.secret import SecretText, masked
from supertokens_py.types.providers import ProviderConfigForClient

from .checks import Checks
from .documents import Metadata
from .failures import SignInFailedError

_LONGEST_CODE = 8192
_ERROR = re.compile("[A-Za-z0-9_.-]{1,64}")


def check_callback(query: Mapping[str, Any], metadata: Metadata | None, checks: Checks) -> str:
    """Return the code.

    Raises:
        SignInFailedError: the provider refused, or another one answered (mix-up).
    """
    issuer = query.get("iss")
    if checks.issuer and metadata is not None:
        if issuer is None and metadata.names_itself:
            raise SignInFailedError("the callback does not name the provider, which always does")
        if issuer is not None and issuer != metadata.issuer:
            raise SignInFailedError("the callback is of another provider")
    if query.get("error") is not None:
        raise SignInFailedError(f"the provider answered {shown_error(query['error'])}")
    code = query.get("code")
    if not isinstance(code, str) or not 0 < len(code) <= _LONGEST_CODE:
        raise SignInFailedError("the callback has no code")
    if not _is_visible(code):
        raise SignInFailedError("the code has characters that codes do not have")
    return SecretText(code)


def token_texts(tokens: Mapping[str, Any], *names: str) -> list[str | None]:
    """Return tokens of an answer or a request, which are put into headers and forms; None: not there.

    Raises:
        SignInFailedError: what is there cannot be a token.
    """
    found = [masked(tokens.get(name)) for name in names]
    if not all(value is None or (isinstance(value, str) and value) for value in found):
        raise SignInFailedError("a token is no string")
    if not all(value is None or _is_visible(value) for value in found):
        raise SignInFailedError("a token has characters that tokens do not have")
    return found


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable()  # RFC 6749, appendix A: VSCHAR


def shown_error(error: object) -> str:
    """Return an error code of a provider, which may be shown in a log."""
    return (
        f"error={error}" if isinstance(error, str) and _ERROR.fullmatch(error) else "an error without a name"
    )


def nonce_is_ours(config: ProviderConfigForClient, checks: Checks) -> bool:
    """Return whether the authorisation URL has a nonce of ours, which the ID token repeats."""
    own = "nonce" in (config.authorization_endpoint_query_params or {})
    return checks.nonce and not own and "openid" in (config.scope or ())
