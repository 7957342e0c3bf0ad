"""The embedded engine: the services of `engine.interface` on one database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache, partial

from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.device_keys import DeviceKeys
from supertokens_py.engine.event_records import EVENTS_ARE_OFF, NoSessionEvents, SessionEvents
from supertokens_py.engine.records import ConnectionCounts
from supertokens_py.engine.session_records import NO_FEATURES, SessionFeatures
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretText

from .accounts.accounts import Accounts
from .accounts.email_user_rows import expired_of_users
from .accounts.user_ids import UserIds
from .accounts.user_layout import UserLayout
from .accounts.user_tables import USER_TABLES
from .all_tables import ALL_TABLES
from .background import USUAL_PACE, BackgroundThread, Pace
from .cleanup import CleanedUp, Cleaner
from .events.event_log import EVENTS, EventLog
from .events.webhook_rows import DeliveryRows
from .events.webhook_statements import DELIVERIES
from .events.webhooks import Webhooks
from .id_mappings import IdMappingStore
from .keys.key_material import new_key_text
from .keys.keys import KeyRing
from .metadata import MetadataStore
from .revocation.revocation_log import RevocationLog, RevocationWriter, revocation_log
from .revocation.revocation_rows import REVOCATIONS
from .roles import RoleStore
from .session_state.activity import Activity, RecentNotes
from .session_state.device_rows import BESIDE_SESSIONS, DEVICE_KEYS
from .session_state.session_changes import Recorder, SessionChanges
from .session_state.session_rows import SESSION_DETAILS
from .sessions.device_keys import DeviceKeyStore
from .sessions.lost_answers import LostAnswers
from .sessions.orphans import Orphans
from .sessions.session_activity import SessionActivity
from .sessions.sessions import SessionStore
from .signin.client_limits import ClientLimits
from .signin.email_password import EmailPasswordStore
from .signin.email_verification import EmailVerificationStore
from .signin.hash_import import HashImportStore
from .signin.passwordless import PasswordlessStore
from .signin.third_party import ThirdPartyStore
from .storage.database import Database
from .storage.tables import TableDefinition
from .tenants import TenantStore
from .user_stores import UserStores
from .users import NO_USERS, UserStore


def tables_of(features: SessionFeatures) -> tuple[TableDefinition, ...]:
    """Return the tables that are made because of the features that are on."""
    asked = {
        SESSION_DETAILS: features.details,
        EVENTS: features.events,
        REVOCATIONS: features.revocations,
        DELIVERIES: features.sends_events,
        DEVICE_KEYS: features.device_keys,
    }
    return tuple(one for one, is_on in asked.items() if is_on)


#: Tables that are kept up to date wherever they are found: another process on the database relies on them.
RECORDING_TABLES = (SESSION_DETAILS, EVENTS, REVOCATIONS, DEVICE_KEYS)


def _honouring(
    database: Database,
    users: UserIds,
    features: SessionFeatures,
    changes: SessionChanges,
    sessions: SessionStore,
) -> Callable[[], None]:
    """Return what has the tables of features honoured that are off here and used by another process.

    Not a method: the background thread knows the database, and must not keep the engine alive.
    """
    pending: list[tuple[TableDefinition, Callable[[], Recorder]]] = []
    if not features.events:
        # For how long, and whether to keep those of removed users, only the other application knows.
        kept = replace(features, events=True, events_retention_days=None, events_keep_audit=True)
        pending.append((EVENTS, lambda: EventLog(database, users, kept)))
    if not features.revocations:
        pending.append((REVOCATIONS, lambda: RevocationWriter(database, database.settings)))

    def honour() -> None:
        for one in [one for one in pending if one[0] in database.tables]:
            pending.remove(one)
            changes.add(one[1]())
        sessions.use_tables()

    return honour


def _event_log(
    database: Database, users: UserIds, features: SessionFeatures
) -> tuple[EventLog | None, Webhooks | None]:
    if not features.events:
        return None, None
    if not features.sends_events:
        return EventLog(database, users, features), None
    rows = DeliveryRows(database, features.webhooks)
    webhooks = Webhooks(features.webhooks, rows, database.settings)
    log = EventLog(database, users, features, rows, rows.register)
    log.is_ready, log.on_commit = rows.are_registered, webhooks.wake
    return log, webhooks


def _orphans(database: Database, features: SessionFeatures) -> list[Orphans]:
    return [Orphans(database, table) for table in tables_of(features) if table in BESIDE_SESSIONS]


def _device_keys(
    database: Database, keys: KeyRing, changes: SessionChanges, features: SessionFeatures
) -> DeviceKeyStore | None:
    if not features.device_keys:
        return None
    return DeviceKeyStore(database, keys, database.settings, changes)


def _clean_up_users(cleaner: Cleaner, stores: UserStores) -> None:
    def clean_up_codes(now_ms: int) -> None:
        stores.passwordless.clean_up(now_ms)

    cleaner.also(clean_up_codes)
    cleaner.also_everywhere(stores.accounts.learn_layout)


def _background(
    noted: Sequence[Activity | SessionActivity | LostAnswers],
    cleaner: Cleaner,
    settings: ResolvedEngineConfig,
    pace: Pace,
) -> BackgroundThread:
    """Return what writes notes and cleans up; it keeps nothing but them alive."""

    def flush() -> None:
        for one in noted:
            one.flush()

    return BackgroundThread(
        flush=flush,
        clean_up=cleaner.clean_up_if_first,
        clean_up_every_s=settings.clean_up_interval * 3600,
        pace=pace,
    )


def _waking(
    noted: Sequence[Activity | SessionActivity],
    lost: LostAnswers,
    background: BackgroundThread,
    webhooks: Webhooks | None,
) -> Sequence[RecentNotes]:
    """Have notes wake what works in the background; return those of what was active."""
    recent = [one.notes for one in noted]

    def wake() -> None:
        background.wake()
        if webhooks is not None:
            webhooks.wake()

    for one in (*recent, lost):
        one.on_note = wake
    return recent


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
        features: SessionFeatures = NO_FEATURES,
        new_key: Callable[[], SecretText] = new_key_text,
    ) -> None:
        """`new_key` makes the RSA pairs that sign; `pace` is how long background work waits."""
        definitions = (*ALL_TABLES, *(USER_TABLES if keeps_users else ()), *tables_of(features))
        self.database: Database = Database(
            uri, settings, definitions, may_create=may_create, optional=RECORDING_TABLES
        )
        database = self.database
        user_ids = UserIds(database)
        accounts = _accounts(database, settings) if keeps_users else None
        events, self._webhooks = _event_log(database, user_ids, features)
        self.events: SessionEvents = events or NoSessionEvents(EVENTS_ARE_OFF)
        self.revocations: RevocationLog | None = revocation_log(database, settings, features, pace)
        logs = [log for log in (events, self.revocations) if log is not None]
        changes = SessionChanges(logs, database.prepare)
        self.keys: KeyRing = KeyRing(database, settings, new_key=new_key, changes=changes)
        expired = expired_of_users(database.tables) if keeps_users else ()
        self._cleaner = Cleaner(database, self.keys, settings, expired, changes)
        for one in (*logs, *_orphans(database, features)):
            self._cleaner.also(one.clean_up)
        self._activity = Activity(database, settings)
        used = SessionActivity(database, settings) if features.details else None
        self.sessions: SessionStore = SessionStore(
            database, self.keys, self._activity, user_ids, settings, changes, used=used
        )
        noted, lost = [self._activity, *([] if used is None else [used])], self.sessions.lost_answers
        self._background = _background([*noted, lost], self._cleaner, settings, pace)
        self.recent_notes: Sequence[RecentNotes] = _waking(noted, lost, self._background, self._webhooks)
        self.device_keys: DeviceKeys | None = _device_keys(database, self.keys, changes, features)
        database.on_found = _honouring(database, user_ids, features, changes, self.sessions)
        self.roles: RoleStore = RoleStore(database)
        self.metadata: MetadataStore = MetadataStore(database)
        self.clients: ClientLimits = ClientLimits(database, settings)
        self.tenants: TenantStore = TenantStore(
            database, settings, keeps_providers=keeps_users, changes=changes
        )
        self._made_users = cache(partial(UserStore, database, user_ids, self._activity, accounts, changes))
        common = (database, self.tenants, user_ids, self.clients, settings, changes)
        self._stores: UserStores | None = None if accounts is None else UserStores(accounts, *common)
        if self._stores is not None:
            _clean_up_users(self._cleaner, self._stores)

    @property
    def users(self) -> UserStore:
        """What is known of users, of whichever recipe; made when it is first asked for."""
        return self._made_users()

    @property
    def _users(self) -> UserStores:
        if self._stores is None:
            raise ConfigError(NO_USERS)
        return self._stores

    @property
    def accounts(self) -> Accounts:
        """How users are read and their rows written, for who imports many.

        Raises:
            ConfigError: the engine was made for sessions alone.
        """
        return self._users.accounts

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

    def connection_counts(self) -> ConnectionCounts:
        """Return how many connections to the database are in use and idle right now. No I/O."""
        return self.database.connection_counts()

    def clean_up(self) -> CleanedUp:
        """Delete expired sessions and keys now; the engine also does so by itself, now and then."""
        return self._cleaner.clean_up()

    def flush(self) -> None:
        """Write what is pending, and clean up if it is time."""
        self._background.run_due()
        if self._webhooks is not None:
            self._webhooks.run_due()

    def close(self) -> None:
        """Write what is pending, end the background thread and close every connection.

        A database in memory ends with its connection.
        """
        if self.revocations is not None:
            self.revocations.close()
        if self._webhooks is not None:
            self._webhooks.close()
        self._background.stop()
        if self.sessions.replica is not None:
            self.sessions.replica.close()
        self.database.close()
        self.keys.forget()


def _accounts(database: Database, settings: ResolvedEngineConfig) -> Accounts:
    layout = UserLayout(database.tables, settings.migration_mode)
    database.also_check(layout.learn)
    return Accounts(database, layout)
