"""Acting as another user, for support: who may, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import MaybeAwaitable

if TYPE_CHECKING:
    from ..container import SessionContainer

#: `(actor's session, user_id, user_context)` to whether the actor may act as the user.
MayImpersonate: TypeAlias = "Callable[[SessionContainer, str, dict[str, Any]], MaybeAwaitable[bool]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impersonation:
    """`session.init(impersonation=Impersonation(may=...))`: let some users act as others.

    Args:
        may: says whether an actor may act as a user; nobody may unless it returns True. It gets the user id
            that the session is to have, whichever id of the user was passed.
        max_age: seconds after which it ends, whatever is refreshed.
        fresh: seconds since the actor's authentication within which it must begin.
        routes: serve `POST {base}/impersonation/end`.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    may: MayImpersonate
    max_age: int = 1800
    fresh: int = 900
    routes: bool = False

    def __post_init__(self) -> None:
        if not callable(self.may):
            raise ConfigError("Impersonation: may must be a function (actor, user_id, user_context)")
        for name in ("max_age", "fresh"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"Impersonation: {name} must be a whole number of seconds, not {value!r}")
