"""Changes of a user's address and password."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from supertokens_py.engine.session_records import SessionKey
from supertokens_py.engine.user_records import ConsumedToken, PasswordProof
from supertokens_py.events import EmailChanged, PasswordChanged, emit
from supertokens_py.secret import SecretText


@dataclass(frozen=True, slots=True)
class Change:
    """What a user is to have; None stays as it is."""

    email: str | None
    hashed: str | None = field(repr=False)
    revokes: bool
    proof: PasswordProof | None
    link: ConsumedToken | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """What was changed, for the events after the commit."""

    user_id: str
    has_new_email: bool
    ended: list[SessionKey]

    def emit_events(self, change: Change) -> None:
        """Emit what happened to the user, once it is committed; `SessionChanges` tells of sessions."""
        if self.has_new_email:
            emit(EmailChanged(user_id=self.user_id))
        if change.hashed is not None:
            emit(PasswordChanged(user_id=self.user_id, sessions_revoked=change.revokes))


class StoredHash:
    """The hash of a user; no variable shows it."""

    __slots__ = ("password_hash", "user_id")

    def __init__(self, row: Any) -> None:
        self.user_id: str = row.user_id
        self.password_hash: SecretText = SecretText(row.password_hash)
        row = None  # its `repr` has the hash
