"""Going through the sessions of a tenant, which not every engine can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from .session_records import ListedSession


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPage:
    """Some sessions of a tenant."""

    sessions: Sequence[ListedSession]  #: the live ones, in the order of their handles
    after: str | None  #: the handle after which there may be more; None: that was all


@runtime_checkable
class BrowsesSessions(Protocol):
    """Sessions that can be gone through; a core only finds those of a user."""

    def of_tenant(self, tenant_id: str, *, after: str = "", limit: int) -> TenantPage:
        """Return the live ones among the next `limit` sessions of a tenant, expired ones included.

        The order is that of the handles, which are random: it is the only one that an index has.

        Raises:
            BadInputError: there is no such tenant.
        """
        ...
