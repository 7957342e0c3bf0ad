"""What happened to sessions that are bound to devices; `supertokens_py.events` has these as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from .event_dispatch import Event


@dataclass(frozen=True, kw_only=True)
class DeviceBound(Event):
    """A session was bound to the key of a device: from now on its cookies alone are not enough."""

    name: ClassVar[str] = "device.bound"
    handle: str
    user_id: str
    tenant_id: str


@dataclass(frozen=True, kw_only=True)
class DeviceProofMissing(Event):
    """A refresh token of a bound session came without proof of its device; emitted once in 5 minutes at most.

    Somebody may have copied it. The session goes on where its device is.
    """

    name: ClassVar[str] = "device.proof_missing"
    handle: str
    user_id: str
    tenant_id: str
