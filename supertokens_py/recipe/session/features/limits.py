"""How many sessions a user may have at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from supertokens_py.engine.session_records import Limit
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import MaybeAwaitable

#: `(user_id, tenant_id, handles, user_context)`: what to do after a new session of a user ended others.
EvictedHook: TypeAlias = Callable[[str, str, list[str], dict[str, Any]], MaybeAwaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimit:
    """`session.init(limit=SessionLimit(max_sessions=5))`: what happens when a user signs in once more.

    Args:
        max_sessions: how many live sessions a user may have.
        when_reached: "end_oldest" ends the least recently seen ones; "refuse" raises `SessionLimitError`,
            which is answered with 409, and at routes of sign-in recipes with a message to the user.
        per: whether a user's sessions count in all tenants together ("user") or in each ("tenant").
        on_sessions_evicted: called with (user_id, tenant_id, handles, user_context) after a new session ended
            those of these handles: to tell the user, say. It may be sync or async; its errors are logged, and
            the sign-in goes on.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    max_sessions: int
    when_reached: Literal["end_oldest", "refuse"] = "end_oldest"
    per: Literal["user", "tenant"] = "user"
    on_sessions_evicted: EvictedHook | None = None

    def __post_init__(self) -> None:
        if type(self.max_sessions) is not int or self.max_sessions < 1:
            raise ConfigError(f"SessionLimit: max_sessions must be at least 1, not {self.max_sessions!r}")
        if self.when_reached not in ("end_oldest", "refuse"):
            raise ConfigError(
                f'SessionLimit: when_reached must be "end_oldest" or "refuse", not {self.when_reached!r}'
            )
        if self.per not in ("user", "tenant"):
            raise ConfigError(f'SessionLimit: per must be "user" or "tenant", not {self.per!r}')
        if self.on_sessions_evicted is not None and not callable(self.on_sessions_evicted):
            raise ConfigError("SessionLimit: on_sessions_evicted must be a function or None")

    @property
    def record(self) -> Limit:
        """The same for an engine."""
        return Limit(max_sessions=self.max_sessions, when_reached=self.when_reached, per=self.per)


#: `(user_id, tenant_id, user_context)` to the limit of a user, such as by their plan; None: none.
LimitChoice: TypeAlias = Callable[[str, str, dict[str, Any]], MaybeAwaitable[SessionLimit | None]]
