"""One user with the hash of a password that was made elsewhere (engine: Importing users)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from supertokens_py.engine import validation
from supertokens_py.engine.user_records import EMAIL_PASSWORD, ImportedHash
from supertokens_py.events import PasswordChanged, UserSignedUp, emit
from supertokens_py.secret import masked

from ..accounts.email_user_rows import EmailUserRows
from ..storage.broken_rules import writing_in
from ..storage.database import UnitConflictError
from .password_hashes import importable_form

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..accounts.accounts import Accounts
    from ..storage.database import Database


class HashImportStore:
    """Writes hashes."""

    def __init__(self, database: Database, accounts: Accounts, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._accounts = accounts
        self._settings = settings
        self._statements = EmailUserRows(database, accounts)

    def put(self, tenant_id: str, email: str, password_hash: str) -> ImportedHash:
        """Give a user this hash, who is created where nobody has the address; links to reset one end.

        Raises:
            BadInputError: the address cannot be stored, or the hash could never be verified.
            UnknownTenantError: there is no such tenant.
        """
        tenant, address = validation.possible_tenant_id(tenant_id), validation.stored_email(email)
        stored = masked(importable_form(masked(password_hash)))
        result = self._database.write(lambda c: self._put(c, tenant, address, stored))
        if result.existed:
            emit(PasswordChanged(user_id=result.user.id, sessions_revoked=False))
        else:
            emit(UserSignedUp(user_id=result.user.id, tenant_id=tenant, recipe_id=EMAIL_PASSWORD))
        return result

    def _put(self, connection: Connection, tenant_id: str, address: str, stored: str) -> ImportedHash:
        known = self._accounts.with_email(connection, tenant_id, address)
        user_id = known or str(uuid4())
        if known is None:
            now = self._settings.now_ms()
            with writing_in(tenant_id):
                self._statements.insert(connection, user_id, tenant_id, address, stored, now)
        else:
            connection.execute(self._accounts.rows.keep, {"user": user_id})
            connection.execute(self._statements.lock_user, {"user": user_id})
            if self._accounts.with_email(connection, tenant_id, address) != user_id:
                raise UnitConflictError  # removed or changed in this very moment: look again
            connection.execute(self._statements.set_hash, {"user": user_id, "hash": stored})
            connection.execute(self._statements.delete_tokens, {"user": user_id})
        (user,) = self._accounts.load(connection, [user_id])
        return ImportedHash(user, known is not None)
