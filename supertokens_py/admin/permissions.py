"""Who may do what on the admin page, and what is said to whoever may not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from supertokens_py.recipe.session import SessionContainer
from supertokens_py.types.base import MaybeAwaitable

#: What is asked of `authorize`: "read" is every page, "read_payload" the payload and the data of sessions,
#: "revoke" ends sessions, "rotate_keys" replaces keys.
AdminAction: TypeAlias = Literal["read", "read_payload", "revoke", "rotate_keys"]

#: Decides whether a session may do something; sync or async. Only True lets it.
Authorize: TypeAlias = Callable[[SessionContainer, AdminAction], MaybeAwaitable[bool]]

READS: Final[tuple[AdminAction, ...]] = ("read", "read_payload")
WRITES: Final[tuple[AdminAction, ...]] = ("revoke", "rotate_keys")

#: How long ago an administrator may have authenticated who changes something (seconds).
FRESH_S = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Whoever looks at the page.

    Args:
        actor_id: named in the events of what they do.
        form_key: what the anti-CSRF tokens of their forms are tied to.
        allowed: what they may do.
        is_fresh: whether they authenticated recently enough to change something.
        handle: of their own session, where they have one.
    """

    actor_id: str
    form_key: str
    allowed: frozenset[AdminAction]
    is_fresh: bool
    handle: str | None = None


class Refused(Exception):  # noqa: N818  (an answer, not a failure)
    """A request is answered with a page that says why it was refused.

    Args:
        status: of the response.
        title: in a few words.
        text: what is the matter, and what to do.
        offers_sign_in: whether signing in (again) is what helps.
    """

    def __init__(self, status: int, title: str, text: str, *, offers_sign_in: bool = False) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.offers_sign_in = offers_sign_in
        self.headers: Sequence[tuple[bytes, bytes]] = ()  #: of the response, besides its own


NOT_ALLOWED: Final = "You may not do this"
NO_WRITES: Final = "This page only shows: create_admin(writes=True) would let it change something."
NOT_AUTHORIZED: Final = "Your account is not allowed to."
STALE: Final = "Sign in again"
WHY_STALE: Final = (
    f"Whoever changes something must have signed in within the last {FRESH_S // 60} minutes. "
    "(Sessions say when that was if session.init has step_up=True.)"
)


def check_allowed(viewer: Viewer, action: AdminAction, *, writes: bool) -> None:
    """Let a viewer go on, or raise.

    Raises:
        Refused: the viewer may not do it, or has to authenticate again before.
    """
    is_write = action in WRITES
    if is_write and not writes:
        raise Refused(403, NOT_ALLOWED, NO_WRITES)
    if action not in viewer.allowed:
        raise Refused(403, NOT_ALLOWED, NOT_AUTHORIZED)
    if is_write and not viewer.is_fresh:
        raise Refused(403, STALE, WHY_STALE, offers_sign_in=True)
