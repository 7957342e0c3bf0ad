"""What the embedded engine keeps of users of sign-in recipes, by service."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from .id_mappings import IdMappingStore
from .signin.attempts import Attempts
from .signin.email_password import EmailPasswordStore
from .signin.email_verification import EmailVerificationStore
from .signin.hash_import import HashImportStore
from .signin.message_limits import MessageLimits
from .signin.passwordless import PasswordlessStore
from .signin.passwords import Passwords
from .signin.third_party import ThirdPartyStore

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

    from .accounts.accounts import Accounts
    from .accounts.user_ids import UserIds
    from .session_state.session_changes import SessionChanges
    from .signin.client_limits import ClientLimits
    from .storage.database import Database
    from .tenants import TenantStore


class UserStores:
    """The services, which share what they count by and read users with.

    Each is made when it is first asked for: the statements of all of them are a good part of what a start
    takes, and most processes ask for one or two. Two threads may make the same one, which holds no state.
    """

    def __init__(
        self,
        accounts: Accounts,
        database: Database,
        tenants: TenantStore,
        user_ids: UserIds,
        client_limits: ClientLimits,
        settings: ResolvedEngineConfig,
        changes: SessionChanges,
    ) -> None:
        self.accounts: Accounts = accounts
        self._database, self._settings, self._changes = database, settings, changes
        self._user_ids, self._client_limits = user_ids, client_limits
        self._passwords, self._attempts = Passwords(settings), Attempts(database, settings)
        self._messages = MessageLimits(database, settings)
        self._common = (tenants, user_ids, settings)

    @cached_property
    def email_password(self) -> EmailPasswordStore:
        """Users with an e-mail address and a password."""
        counted = (self._attempts, self._messages)
        return EmailPasswordStore(
            self._database, self.accounts, self._passwords, *counted, *self._common, self._changes
        )

    @cached_property
    def email_verification(self) -> EmailVerificationStore:
        """Which addresses were verified."""
        return EmailVerificationStore(self._database, self.accounts, self._messages, *self._common)

    @cached_property
    def passwordless(self) -> PasswordlessStore:
        """Users who sign in with one-time codes and links."""
        return PasswordlessStore(
            self._database, self.accounts, self._messages, self._client_limits, *self._common
        )

    @cached_property
    def third_party(self) -> ThirdPartyStore:
        """Users who sign in with an account at a provider."""
        return ThirdPartyStore(self._database, self.accounts, self._user_ids, self._settings)

    @cached_property
    def hash_import(self) -> HashImportStore:
        """Hashes of passwords that were made elsewhere."""
        return HashImportStore(self._database, self.accounts, self._settings)

    @cached_property
    def id_mappings(self) -> IdMappingStore:
        """Ids by which the application knows users."""
        return IdMappingStore(self._database)
