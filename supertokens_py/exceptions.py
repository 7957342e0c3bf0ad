"""The error tree. Each error has a `code` that is never renamed (docs/errors.md).

SuperTokensError
├── GeneralError                 misuse; never turned into a response
│   ├── ConfigError              a bad argument of `init` or of a recipe (also a ValueError)
│   ├── ProtectedClaimError      a payload names a claim that only the SDK may write (also a ValueError)
│   ├── PayloadTooLargeError     the custom claims do not fit a cookie (also a ValueError)
│   └── PayloadTypeError         a payload is not what `verify_session(payload=)` asks for (also a TypeError)
├── BadInputError                a malformed request or argument: HTTP 400
│   ├── UnknownTenantError       a tenant that does not exist (`engine.interface`)
│   └── ClientTypeNotFoundError  a provider has no such client (`recipe.thirdparty.exceptions`)
├── AnsweredError                a frontend shows it to people: HTTP 400; by the SDK's routes, 200
│   ├── FieldError               fields of a form are wrong (`recipe.emailpassword.exceptions`)
│   └── ProviderError            signing in with a provider failed (`recipe.thirdparty.exceptions`)
├── TooManyAttemptsError         a password or code was guessed too often: HTTP 429; by the SDK's routes, 200
│   └── TooBusyError             more passwords are to be hashed than may wait
├── EngineUnavailableError       database or core out of reach: HTTP 503, tokens stay
├── UnreadableDatabaseError      a command cannot read a database (`engine.embedded.inspection`)
├── SuperTokensSessionError      no session, or claims fail (`recipe.session.exceptions`)
└── SuperTokensJWTError, SuperTokensOpenIdError, SuperTokensUserMetadataError, SuperTokensUserRolesError,
    SuperTokensEmailVerificationError, SuperTokensPasswordlessError, MultitenancyError
                                 base classes of 0.24, never raised (`FieldError` and `ProviderError` have
                                 those of their recipes besides)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, NoReturn

from .formatting import waiting


class SuperTokensError(Exception):
    """Base class of every error that this package raises on purpose."""

    code: str = "error"  #: stable and machine-readable


class GeneralError(SuperTokensError):
    """The SDK was used wrongly; the message says how to use it."""

    code = "misuse"


class ConfigError(GeneralError, ValueError):
    """An argument given to `init` or to a recipe cannot work; the message names it."""

    code = "config"


class ProtectedClaimError(GeneralError, ValueError):
    """A session payload names claims that only the SDK may write; nothing was written."""

    code = "protected_claim"

    def __init__(self, names: Iterable[str]) -> None:
        self.names: tuple[str, ...] = tuple(names)
        listed = ", ".join(repr(name) for name in self.names)
        super().__init__(
            f"the payload contains protected claims: {listed}. "
            "They belong to the SDK; choose other names for your own claims."
        )


class PayloadTooLargeError(GeneralError, ValueError):
    """The custom claims are too large for a cookie; nothing was written."""

    code = "payload_too_large"

    def __init__(self, length: int, limit: int) -> None:
        self.length = length
        self.limit = limit
        super().__init__(
            f"the access token would be about {length} bytes long, and browsers drop cookies above {limit}. "
            "Keep less in the access token payload: session data in the database has room for more."
        )


class PayloadTypeError(GeneralError, TypeError):
    """The payload of a valid session is not what the application says that it is: its own data, so HTTP 500.

    Attributes:
        field: the first field that does not fit, such as "cart.items.0"; "" is the payload itself.
    """

    code = "payload_type"

    def __init__(self, kind: str, field: str, problem: str) -> None:
        self.field = field
        super().__init__(f"the payload of the session is not a valid {kind}: {field or 'payload'}: {problem}")


class BadInputError(SuperTokensError):
    """A request cannot be understood; answered with 400 and this message."""

    code = "bad_input"


class RequestTooLargeError(BadInputError):
    """A request has a longer body than the SDK reads; answered with 413 and this message."""

    code = "request_too_large"


class AnsweredError(SuperTokensError, ABC):
    """What a frontend shows to people: answered with a `status` and 200; in a view of one's own with 400."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return the body of the answer."""


class TooManyAttemptsError(SuperTokensError):
    """Too many wrong passwords or codes were given for an account; another may be after `retry_after_ms`.

    `attempts` has, of a one-time code, how many failed and how many may at this attempt to sign in.
    """

    code = "too_many_attempts"
    reason = "Too many attempts"

    def __init__(self, retry_after_ms: int, *, attempts: tuple[int, int] = (0, 0)) -> None:
        self.retry_after_ms = retry_after_ms
        self.attempts = attempts
        super().__init__(f"{self.reason}. Please try again in {waiting(-(-retry_after_ms // 1000))}")


class TooBusyError(TooManyAttemptsError):
    """As many password hashes as `argon2_hashing_queue_size` wait for their turn; nothing was counted."""

    code = "too_busy"
    reason = "Too many people are signing in at this moment"


class EngineUnavailableError(SuperTokensError):
    """The database or the core cannot be reached right now. Nobody is logged out because of it."""

    code = "engine_unavailable"


def raise_general_exception(msg: str | Exception, previous: Exception | None = None) -> NoReturn:
    """Raise `msg` as a `GeneralError`; a `SuperTokensError` is raised as it is."""
    if isinstance(msg, SuperTokensError):
        raise msg
    raise GeneralError(msg) from (msg if isinstance(msg, Exception) else previous)


def raise_bad_input_exception(msg: str) -> NoReturn:
    """Raise `BadInputError(msg)`."""
    raise BadInputError(msg)
