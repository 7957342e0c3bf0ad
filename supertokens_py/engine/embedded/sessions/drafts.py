"""A session as it is asked for, and as it is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from supertokens_py.engine.records import NewSession
from supertokens_py.engine.session_records import Limit, SessionKey
from supertokens_py.exceptions import ConfigError

from ..session_state.refresh_tokens import RefreshToken
from ..session_state.session_terms import Terms

NEEDS_DETAILS = (
    "a session cannot have {name} here: nothing of the kind is kept. Pass session.init({argument}=...), so "
    "that there is a table for it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A session as it is asked for."""

    new: NewSession
    token: RefreshToken
    user_id: str  #: as rows have it: the recipe user id
    payload: str  #: as JSON
    data: str  #: as JSON
    now_ms: int

    @property
    def key(self) -> SessionKey:
        """What the session is called."""
        token = self.token
        return SessionKey(handle=token.handle, tenant_id=token.tenant_id, user_id=self.user_id)

    @property
    def limit(self) -> Limit | None:
        """The limit that the session is subject to."""
        return self.new.limit if self.new.counts and self.new.actor is None else None

    @property
    def parents(self) -> list[str]:
        """The handles of sessions in whose place, or out of which, it is made."""
        return [one.handle for one in (self.new.replaces, self.new.actor) if one is not None]

    @property
    def is_alone(self) -> bool:
        """Whether it has to do with no other session."""
        return self.limit is None and not self.parents and self.new.bind_like_handle is None

    @property
    def copies(self) -> bool:
        """Whether it takes over what the session had that it replaces."""
        return self.new.replaces is not None and self.new.replaces.copies

    @property
    def keeps_end(self) -> bool:
        """Whether it ends when that session would have ended."""
        return self.new.replaces is not None and self.new.replaces.keeps_end


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A session whose rows are written."""

    payload: str  #: as JSON
    data: str  #: as JSON
    expires_ms: int
    terms: Terms
    ended: Sequence[str] = ()  #: by the limit


def require_kept(new: NewSession, *, keeps_details: bool) -> None:
    """Refuse what only the table of details can keep, where there is none.

    Raises:
        ConfigError: it names the argument of `session.init` that makes the table.
    """
    if keeps_details:
        return
    if new.lifetime is not None:
        raise ConfigError(NEEDS_DETAILS.format(name="a lifetime of its own", argument="lifetime"))
    if new.actor is not None:
        raise ConfigError(NEEDS_DETAILS.format(name="an actor", argument="impersonation"))
