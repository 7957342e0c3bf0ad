"""The embedded engine: the services of `engine.interface` on one database."""

from __future__ import annotations

from supertokens_py.engine.config import ResolvedEngineConfig

from .activity import Activity
from .all_tables import ALL_TABLES
from .background import USUAL_PACE, Housekeeper, Pace
from .cleanup import Sweeper, Swept
from .keys import KeyRing
from .metadata import MetadataStore
from .roles import RoleStore
from .sessions import SessionStore
from .storage.database import Database
from .tenants import TenantStore
from .user_ids import UserIds
from .users import UserStore


class EmbeddedEngine:
    """Sessions in a SQLite or PostgreSQL database, in this process.

    Nothing is opened before the first use; `close()` and a fork are followed by a new opening.
    """

    def __init__(
        self,
        uri: str,
        settings: ResolvedEngineConfig,
        *,
        may_create: bool = True,
        pace: Pace = USUAL_PACE,
    ) -> None:
        self.database: Database = Database(uri, settings, ALL_TABLES, may_create=may_create)
        database = self.database
        self.keys: KeyRing = KeyRing(database, settings)
        self._sweeper = Sweeper(database, self.keys, settings)
        self._activity = Activity(database, settings, on_note=lambda: None)
        self._housekeeper = Housekeeper(
            flush=self._activity.flush,
            sweep=self._sweeper.sweep_if_first,
            sweep_every_s=settings.clean_up_interval * 3600,
            pace=pace,
        )
        self._activity.on_note = self._housekeeper.wake
        user_ids = UserIds(database)
        self.sessions: SessionStore = SessionStore(database, self.keys, self._activity, user_ids, settings)
        self.roles: RoleStore = RoleStore(database)
        self.metadata: MetadataStore = MetadataStore(database)
        self.tenants: TenantStore = TenantStore(database, settings)
        self.users: UserStore = UserStore(database, user_ids, self._activity)

    def __repr__(self) -> str:
        return f"EmbeddedEngine({self.database.location.name})"

    def sweep(self) -> Swept:
        """Delete expired sessions and keys now; the engine also does so by itself, now and then."""
        return self._sweeper.sweep()

    def flush(self) -> None:
        """Write what is pending, and sweep if it is time."""
        self._housekeeper.run_due()

    def close(self) -> None:
        """Write what is pending, end the housekeeping thread and close every connection.

        A database in memory ends with its connection.
        """
        self._housekeeper.stop()
        self.database.close()
        self.keys.forget()
