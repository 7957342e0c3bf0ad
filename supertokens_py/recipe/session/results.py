"""Values that session functions return."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.response import APIResponse, Shown

if TYPE_CHECKING:
    from supertokens_py.framework.request import BaseRequest

    from .constants import TokenTransferMethod
    from .exceptions import ClaimValidationError

_T = TypeVar("_T")


@dataclass
class TokenInfo:
    """A token with its times in Unix ms."""

    token: str = field(repr=False)
    expiry: int
    created_time: int


@dataclass
class AccessTokenObj(TokenInfo):
    """An access token just issued; `persistent`: whether its cookie outlives the browser."""

    persistent: bool = field(default=True, kw_only=True)


@dataclass
class SessionObj:
    """The session that a new access token speaks for."""

    handle: str
    user_id: str
    user_data_in_jwt: dict[str, Any]
    tenant_id: str


@dataclass
class RegenerateAccessTokenOkResult:
    """`access_token` is None when the presented one had expired: the new payload waits for the refresh."""

    session: SessionObj
    access_token: AccessTokenObj | None


@dataclass(frozen=True, kw_only=True)
class Device:
    """Where a session is used, as its user recognises it; for display only, since clients say what they like.

    None stands for what is not known: of a session that an official core made, or that has not been seen
    since `session.init(devices=...)`. Times are Unix ms.
    """

    label: str | None = None  #: such as "Chrome on Windows"
    user_agent: str | None = None  #: the header, as last seen
    ip: str | None = None  #: as last seen, as far as `DeviceSettings.ip` lets it be kept
    created_ip: str | None = None  #: the one from which the session was created
    last_seen: int | None = None  #: when it was created, refreshed, or used (`track_activity`)
    current: bool = False  #: whether it is the session that asks
    persistent: bool = True  #: whether its cookies outlive the browser
    impersonated: bool = False  #: whether somebody else acts as the user in it
    bound: bool = False  #: whether it is bound to the device (`device_binding`)


class SessionInformationResult:
    """A session as stored. Times are Unix ms; the claims exclude the protected ones.

    `device` is None unless it comes from a list of sessions, which leaves the session data out (`{}`).
    """

    def __init__(
        self,
        session_handle: str,
        user_id: str,
        session_data_in_database: dict[str, Any],
        expiry: int,
        custom_claims_in_access_token_payload: dict[str, Any],
        time_created: int,
        tenant_id: str,
        recipe_user_id: str | None = None,
        device: Device | None = None,
    ) -> None:
        self.session_handle = session_handle
        self.user_id = user_id
        self.device = device
        self.recipe_user_id: RecipeUserId = RecipeUserId(recipe_user_id or user_id)
        self.session_data_in_database = session_data_in_database
        self.expiry = expiry
        self.custom_claims_in_access_token_payload = custom_claims_in_access_token_payload
        self.time_created = time_created
        self.tenant_id = tenant_id

    def __repr__(self) -> str:
        """Show whose session it is, and when; not what the application keeps in it."""
        shown = ("session_handle", "user_id", "tenant_id", "time_created", "expiry", "device")
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    @property
    def access_token_payload(self) -> dict[str, Any]:
        """Older name of `custom_claims_in_access_token_payload`."""
        return self.custom_claims_in_access_token_payload

    @property
    def session_data(self) -> dict[str, Any]:
        """Older name of `session_data_in_database`."""
        return self.session_data_in_database


class SessionDoesNotExistError(Shown):
    """Returned, not raised: there is no such session."""


@dataclass
class GetClaimValueOkResult(Generic[_T]):
    """The value of a claim; None where it is absent."""

    value: _T | None


@dataclass
class ClaimsValidationResult:
    """Failures in order; `access_token_payload_update` is the changed payload if a claim was refetched."""

    invalid_claims: list[ClaimValidationError]
    access_token_payload_update: dict[str, Any] | None = None


class ClaimValidationResult(Shown):
    """What a validator answers; `reason` is `{}` when valid."""

    def __init__(self, is_valid: bool, reason: dict[str, Any] | str | None = None) -> None:
        self.is_valid = is_valid
        self.reason: dict[str, Any] | str | None = {} if is_valid else reason


class SignOutOkayResponse(Shown, APIResponse):
    """The session is over."""

    status = "OK"

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status}


@dataclass
class ReqResInfo:
    """The request that a session is attached to, and how its tokens travel."""

    request: BaseRequest
    transfer_method: TokenTransferMethod


class GetSessionTokensDangerouslyDict(TypedDict):
    """Every token of a session, for code that carries them to the client itself."""

    accessToken: str
    accessAndFrontTokenUpdated: bool
    refreshToken: str | None
    frontToken: str
    antiCsrfToken: str | None
