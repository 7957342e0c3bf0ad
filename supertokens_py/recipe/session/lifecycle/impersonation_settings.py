"""Acting as another user, for support: who may, and for how long."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.exceptions import ConfigError
from supertokens_py.types.base import MaybeAwaitable

if TYPE_CHECKING:
    from ..container import SessionContainer

#: A path that a cookie can be for, other than that of everything; it may end in a slash, as Django's do.
_PATH = re.compile(r"/[!-:<-~]*[!-.0-:<-~]/?")

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
        end_path: where your own route calls `end_impersonation`, such as "/stop-acting", instead of `routes`:
            cookies that lead back are sent there only, with and without a last slash. By default it is the
            path of the SDK's route.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    may: MayImpersonate
    max_age: int = 1800
    fresh: int = 900
    routes: bool = False
    end_path: str | None = None

    def __post_init__(self) -> None:
        if not callable(self.may):
            raise ConfigError("Impersonation: may must be a function (actor, user_id, user_context)")
        for name in ("max_age", "fresh"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigError(f"Impersonation: {name} must be a whole number of seconds, not {value!r}")
        path = self.end_path
        if path is None:
            return
        if self.routes:
            raise ConfigError("Impersonation: give either routes or end_path")
        if not isinstance(path, str) or not _PATH.fullmatch(path):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigError(f"Impersonation: end_path must be the path of one route, not {path!r}")
