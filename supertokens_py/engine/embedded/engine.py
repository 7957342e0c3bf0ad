"""The embedded engine: the services of `engine.interface` on one database."""

from __future__ import annotations

from collections.abc import Callable

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretText

from .accounts import Accounts
from .activity import Activity
from .all_tables import ALL_TABLES
from .background import USUAL_PACE, BackgroundThread, Pace
from .cleanup import CleanedUp, Cleaner
from .email_password import EmailPasswordStore
from .email_user_rows import expired_of_users
from .email_verification import EmailVerificationStore
from .hash_import import HashImportStore
from .id_mappings import IdMappingStore
from .key_material import new_key_text
from .keys import KeyRing
from .metadata import MetadataStore
from .passwordless import PasswordlessStore
from .rates import Rates
from .roles import RoleStore
from .sessions import SessionStore
from .storage.database import Database
from .tenants import TenantStore
from .third_party import ThirdPartyStore
from .user_ids import UserIds
from .user_stores import UserStores
from .user_tables import USER_TABLES, refuse_migrated_users
from .users import NO_USERS, UserStore


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
        keeps_users: bool = False,
        new_key: Callable[[], SecretText] = new_key_text,
    ) -> None:
        """`new_key` makes the RSA pairs that sign; `pace` is how long background work waits."""
        definitions = (*ALL_TABLES, *USER_TABLES) if keeps_users else ALL_TABLES
        check = refuse_migrated_users if keeps_users else None
        self.database: Database = Database(uri, settings, definitions, may_create=may_create, check=check)
        database = self.database
        self.keys: KeyRing = KeyRing(database, settings, new_key=new_key)
        others = expired_of_users(database.tables) if keeps_users else ()
        self._cleaner = Cleaner(database, self.keys, settings, others)
        self._activity = Activity(database, settings, on_note=lambda: None)
        self._background = BackgroundThread(
            flush=self._activity.flush,
            clean_up=self._cleaner.clean_up_if_first,
            clean_up_every_s=settings.clean_up_interval * 3600,
            pace=pace,
        )
        self._activity.on_note = self._background.wake
        user_ids, accounts = UserIds(database), Accounts(database) if keeps_users else None
        self.sessions: SessionStore = SessionStore(database, self.keys, self._activity, user_ids, settings)
        self.roles: RoleStore = RoleStore(database)
        self.metadata: MetadataStore = MetadataStore(database)
        self.clients: Rates = Rates(database, settings)
        self.tenants: TenantStore = TenantStore(database, settings, keeps_providers=keeps_users)
        self.users: UserStore = UserStore(database, user_ids, self._activity, accounts)
        self._stores: UserStores | None = None
        if accounts is not None:
            common = (database, self.tenants, user_ids, self.clients, settings)
            self._stores = UserStores.of(accounts, *common)
            self._cleaner.also(self._stores.passwordless.clean_up)

    @property
    def _users(self) -> UserStores:
        if self._stores is None:
            raise ConfigError(NO_USERS)
        return self._stores

    @property
    def email_password(self) -> EmailPasswordStore:
        """Users with an e-mail address and a password.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.email_password

    @property
    def email_verification(self) -> EmailVerificationStore:
        """Which addresses were verified.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.email_verification

    @property
    def passwordless(self) -> PasswordlessStore:
        """Users who sign in with one-time codes and links.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.passwordless

    @property
    def third_party(self) -> ThirdPartyStore:
        """Users who sign in with an account at a provider.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.third_party

    @property
    def hash_import(self) -> HashImportStore:
        """Hashes of passwords that were made elsewhere, one by one.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.hash_import

    @property
    def id_mappings(self) -> IdMappingStore:
        """Ids by which the application knows users of sign-in recipes.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.id_mappings

    @property
    def keeps_users(self) -> bool:
        """Whether users of sign-in recipes are kept."""
        return self._stores is not None

    def __repr__(self) -> str:
        return f"EmbeddedEngine({self.database.location.name})"

    def clean_up(self) -> CleanedUp:
        """Delete expired sessions and keys now; the engine also does so by itself, now and then."""
        return self._cleaner.clean_up()

    def flush(self) -> None:
        """Write what is pending, and clean up if it is time."""
        self._background.run_due()

    def close(self) -> None:
        """Write what is pending, end the background thread and close every connection.

        A database in memory ends with its connection.
        """
        self._background.stop()
        self.database.close()
        self.keys.forget()
