"""The root of the error tree.

SuperTokensError
├── GeneralError                 misuse; never turned into a response
│   ├── ConfigError              a bad argument of `init` or of a recipe (also a ValueError)
│   └── ProtectedClaimError      a payload names a claim that only the SDK may write (also a ValueError)
├── BadInputError                a malformed request: HTTP 400
├── EngineUnavailableError       database or core out of reach: HTTP 503, tokens stay
└── recipe errors                see `supertokens_py.recipe.session.exceptions`
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn


class SuperTokensError(Exception):
    """Base class of every error that this package raises on purpose."""


class GeneralError(SuperTokensError):
    """The SDK was used wrongly; the message says how to use it."""


class ConfigError(GeneralError, ValueError):
    """An argument given to `init` or to a recipe cannot work; the message names it."""


class ProtectedClaimError(GeneralError, ValueError):
    """A session payload names claims that only the SDK may write; nothing was written."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(names)
        listed = ", ".join(repr(name) for name in self.names)
        super().__init__(
            f"the payload contains protected claims: {listed}. "
            "They belong to the SDK; choose other names for your own claims."
        )


class PayloadTooLargeError(GeneralError, ValueError):
    """The custom claims are too large for a cookie; nothing was written."""

    def __init__(self, length: int, limit: int) -> None:
        self.length = length
        self.limit = limit
        super().__init__(
            f"the access token would be about {length} bytes long, and browsers drop cookies above {limit}. "
            "Keep less in the access token payload: session data in the database has room for more."
        )


class BadInputError(SuperTokensError):
    """A request cannot be understood; answered with 400 and this message."""


class EngineUnavailableError(SuperTokensError):
    """The session store cannot be reached right now. Nobody is logged out because of it."""


def raise_general_exception(msg: str | Exception, previous: Exception | None = None) -> NoReturn:
    """Raise `msg` as a `GeneralError`; a `SuperTokensError` is raised as it is."""
    if isinstance(msg, SuperTokensError):
        raise msg
    raise GeneralError(msg) from (msg if isinstance(msg, Exception) else previous)


def raise_bad_input_exception(msg: str) -> NoReturn:
    """Raise `BadInputError(msg)`."""
    raise BadInputError(msg)
