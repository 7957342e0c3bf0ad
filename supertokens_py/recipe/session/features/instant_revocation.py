"""How fast a revoked session is refused by every process, and what happens where that cannot be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from supertokens_py.exceptions import ConfigError

#: What a process does that has not been able to read of revocations for `max_staleness`.
WhenStale: TypeAlias = Literal["check", "open", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantRevocation:
    """`session.init(instant_revocation=True)`, or with settings `instant_revocation=InstantRevocation(...)`.

    Args:
        max_staleness: seconds for which a process relies on what it has read of revoked sessions, 2 or more.
        when_stale: what a request does after that. "check" has the database asked first, and accepts the
            access token where that cannot be reached; "open" accepts it without asking; "closed" answers 503
            where it cannot be reached. None of them answers 401.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    max_staleness: float = 5
    when_stale: WhenStale = "check"

    @property
    def max_staleness_ms(self) -> int:
        """`max_staleness` in milliseconds."""
        return int(self.max_staleness * 1000)

    def __post_init__(self) -> None:
        given: Any = self.max_staleness
        if isinstance(given, bool) or not isinstance(given, int | float) or not 2 <= given <= 86_400:
            raise ConfigError(
                f"InstantRevocation: max_staleness must be 2 to 86400 seconds, not {self.max_staleness!r}"
            )
        if self.when_stale not in get_args(WhenStale):
            raise ConfigError(
                f'InstantRevocation: when_stale must be "check", "open" or "closed", not {self.when_stale!r}'
            )
