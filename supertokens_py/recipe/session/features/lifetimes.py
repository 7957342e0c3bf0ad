"""How long sessions live, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from supertokens_py.engine.session_records import Lifetime
from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import MaybeAwaitable

#: Seconds, or a timedelta.
Duration: TypeAlias = int | float | timedelta

#: What a session may live without a refresh where its cookies end with the browser: one that restores its
#: tabs at the next start restores these cookies, too, so that they alone end nothing.
IDLE_OF_BROWSER_SESSION = timedelta(hours=12)

#: Access tokens count in whole seconds, and live for a quarter of `idle`.
_LEAST_S = {"idle": 4, "absolute": 1}

#: A hundred years: what is longer was given in another unit.
_LONGEST_S = 100 * 366 * 24 * 3600


@dataclass(frozen=True, slots=True)
class SessionLifetime:
    """How long a session lives: `session.init(lifetime=)` for all, `create_new_session(lifetime=)` for one.

    Activity is seen when tokens are refreshed only, so a session ends between `idle` less one life of an
    access token and `idle` after its last request. An access token lives for a quarter of `idle` at most, and
    never beyond `absolute`.

    Args:
        idle: how long it lives without a refresh, in seconds or as a timedelta; None: as the engine is
            configured (`refresh_token_validity`), and 12 hours where it is not persistent.
        absolute: how long it lives in all, whatever is refreshed; None: without end.
        persistent: whether its cookies outlive the browser ("remember me"). Clients in header mode keep their
            tokens in any case: there, only the two limits count.

    Raises:
        ConfigError: a time is no number of seconds, or more than 100 years; `idle` is less than 4 seconds or
            `absolute` less than 1, so that no access token would live for a second; `persistent` is no bool.
    """

    idle: Duration | None = None
    absolute: Duration | None = None
    persistent: bool = True

    def __post_init__(self) -> None:
        for name, least_s in _LEAST_S.items():
            value: Any = getattr(self, name)
            if value is not None and not _is_duration(value, least_s):
                raise ConfigError(
                    f"SessionLifetime: {name} must be seconds or a timedelta, {least_s} s at least and 100 "
                    f"years at most, or None, not {value!r}"
                )
        if type(self.persistent) is not bool:
            raise ConfigError(f"SessionLifetime: persistent must be True or False, not {self.persistent!r}")

    @classmethod
    def aal1(cls, *, persistent: bool = True) -> SessionLifetime:
        """Return the limits for authenticator assurance level 1: 30 days in all.

        Source: NIST SP 800-63B-4, section 2.1.3: reauthentication after 30 days at most; an inactivity limit
        may be set.
        """
        return cls(absolute=timedelta(days=30), persistent=persistent)

    @classmethod
    def aal2(cls, *, persistent: bool = True) -> SessionLifetime:
        """Return the limits for authenticator assurance level 2: 24 hours in all, 1 hour idle.

        Source: NIST SP 800-63B-4, section 2.2.3. Section 5 adds that session secrets should not survive a
        restart of the browser: `persistent=False`.
        """
        return cls(idle=timedelta(hours=1), absolute=timedelta(hours=24), persistent=persistent)

    @classmethod
    def aal3(cls, *, persistent: bool = True) -> SessionLifetime:
        """Return the limits for authenticator assurance level 3: 12 hours in all, 15 minutes idle.

        Source: NIST SP 800-63B-4, section 2.3.3; see `aal2` for `persistent`.
        """
        return cls(idle=timedelta(minutes=15), absolute=timedelta(hours=12), persistent=persistent)

    @property
    def record(self) -> Lifetime:
        """The same in milliseconds, for an engine."""
        idle = self.idle
        if idle is None and not self.persistent:
            idle = IDLE_OF_BROWSER_SESSION
        return Lifetime(
            idle_ms=None if idle is None else _ms(idle),
            absolute_ms=None if self.absolute is None else _ms(self.absolute),
            persistent=self.persistent,
        )


def _seconds(value: Duration) -> int | float:
    return value.total_seconds() if isinstance(value, timedelta) else value


def _ms(value: Duration) -> int:
    return round(_seconds(value) * 1000)


def _is_duration(value: Any, least_s: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | timedelta):
        return False
    return least_s <= _seconds(value) <= _LONGEST_S


#: `(user_id, tenant_id, user_context)` to the lifetime of a new session.
LifetimeChoice: TypeAlias = Callable[[str, str, dict[str, Any]], MaybeAwaitable[SessionLifetime | None]]
