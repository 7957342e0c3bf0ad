"""What a core cannot do with sessions, or only in several calls: CDI has no words for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from supertokens_py.engine.records import NewSession, StoredSession
from supertokens_py.engine.session_records import ListedSession
from supertokens_py.exceptions import ConfigError

#: How many sessions of a user `listed` asks a core for.
MAX_LISTED = 100
NO_LIFETIMES = "a SuperTokens core has one lifetime for all sessions, its own: use the embedded engine"
_NO_EXTRAS = (
    "a SuperTokens core cannot create a session with {name}: leave it out, or use the embedded engine "
    "(a postgresql:// or sqlite:// connection_uri)"
)


def require_plain(new: NewSession) -> None:
    """Refuse what only tables of ours can keep; what a client showed of itself is merely left out."""
    asked = {"a lifetime": new.lifetime, "a limit": new.limit, "an actor": new.actor}
    for name, value in asked.items():
        if value is not None:
            raise ConfigError(_NO_EXTRAS.format(name=name))


def listed(handles: Sequence[str], information: Callable[[str], StoredSession | None]) -> list[ListedSession]:
    """Return the last `MAX_LISTED` of them, the newest first; a core is asked for each by itself."""
    found = [information(handle) for handle in handles[-MAX_LISTED:]]
    return [
        ListedSession(
            handle=one.handle,
            user_id=one.user_id,
            recipe_user_id=one.recipe_user_id,
            tenant_id=one.tenant_id,
            payload=one.payload,
            created_ms=one.created_ms,
            expires_ms=one.expires_ms,
        )
        for one in sorted((one for one in found if one), key=lambda one: -one.created_ms)
    ]
