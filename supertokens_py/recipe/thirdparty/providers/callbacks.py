"""What browsers come back with from a provider (RFC 6749 4.1.2, RFC 9207). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from supertokens_py.secret import SecretText
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
    return SecretText(code)


def shown_error(error: object) -> str:
    """Return an error code of a provider, which may be shown in a log."""
    return (
        f"error={error}" if isinstance(error, str) and _ERROR.fullmatch(error) else "an error without a name"
    )


def nonce_is_ours(config: ProviderConfigForClient, checks: Checks) -> bool:
    """Return whether the authorisation URL has a nonce of ours, which the ID token repeats."""
    own = "nonce" in (config.authorization_endpoint_query_params or {})
    return checks.nonce and not own and "openid" in (config.scope or ())
