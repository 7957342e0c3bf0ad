"""What the embedded engine keeps of users of sign-in recipes, by service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .attempts import Attempts
from .email_password import EmailPasswordStore
from .email_verification import EmailVerificationStore
from .hash_import import HashImportStore
from .id_mappings import IdMappingStore
from .passwordless import PasswordlessStore
from .passwords import Passwords
from .sends import Sends
from .third_party import ThirdPartyStore

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

    from .accounts import Accounts
    from .rates import Rates
    from .storage.database import Database
    from .tenants import TenantStore
    from .user_ids import UserIds


@dataclass(frozen=True, slots=True)
class UserStores:
    """The services, which share what they count by and read users with."""

    email_password: EmailPasswordStore
    email_verification: EmailVerificationStore
    passwordless: PasswordlessStore
    third_party: ThirdPartyStore
    hash_import: HashImportStore
    id_mappings: IdMappingStore

    @staticmethod
    def of(
        accounts: Accounts,
        database: Database,
        tenants: TenantStore,
        user_ids: UserIds,
        rates: Rates,
        settings: ResolvedEngineConfig,
    ) -> UserStores:
        """Return the services of one database."""
        passwords, attempts = Passwords(settings), Attempts(database, settings)
        sends, common = Sends(database, settings), (tenants, user_ids, settings)
        return UserStores(
            EmailPasswordStore(database, accounts, passwords, attempts, sends, *common),
            EmailVerificationStore(database, accounts, sends, *common),
            PasswordlessStore(database, accounts, sends, rates, *common),
            ThirdPartyStore(database, accounts, user_ids, settings),
            HashImportStore(database, accounts, settings),
            IdMappingStore(database),
        )
