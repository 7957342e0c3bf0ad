"""What the APIs of a user's devices answer with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from supertokens_py.types.response import APIResponse

from ..results import Device, SessionInformationResult


@dataclass(frozen=True, slots=True)
class LimitUsed:
    """How many sessions count, and how many there may be."""

    used: int
    max: int


@dataclass
class SessionsGetOkResult(APIResponse):
    """The live sessions of a user, the most recently seen first; `limit` is None where there is none."""

    sessions: Sequence[SessionInformationResult]
    limit: LimitUsed | None = None
    status: ClassVar[str] = "OK"

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"status": self.status, "sessions": [*map(_json, self.sessions)]}
        if self.limit is not None:
            found["limit"] = {"used": self.limit.used, "max": self.limit.max}
        return found


@dataclass
class SessionsRevokePostOkResult(APIResponse):
    """The handles of the sessions that were ended; of those that were asked for, the others did not exist."""

    revoked: Sequence[str]
    status: ClassVar[str] = "OK"

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status, "revoked": [*self.revoked]}


def _json(session: SessionInformationResult) -> dict[str, Any]:
    device = session.device or Device()
    return {
        "handle": session.session_handle,
        "tenantId": session.tenant_id,
        "current": device.current,
        "label": device.label,
        "userAgent": device.user_agent,
        "ip": device.ip,
        "createdIp": device.created_ip,
        "timeCreated": session.time_created,
        "lastSeen": device.last_seen,
        "expiry": session.expiry,
        "persistent": device.persistent,
        "impersonated": device.impersonated,
        "bound": device.bound,
    }
