"""Which addresses were proven to be whose, and the tokens that prove it (engine: E-mail verification).

Rows hold the application's id of a user where there is a mapping, as in a core: users need not be ours.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import VerifiedEmail
from supertokens_py.events import EmailUnverified, EmailVerificationRequested, EmailVerified, emit
from supertokens_py.secret import SecretText
from supertokens_py.types.users import normalised_email

from ..accounts.user_tables import VERIFICATION_TOKENS, VERIFIED_EMAILS
from ..storage.broken_rules import writing_in
from ..storage.dialects import insert_new

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.sql.elements import ColumnElement

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..accounts.accounts import Accounts
    from ..accounts.user_ids import UserIds
    from ..storage.database import Database
    from ..tenants import TenantStore
    from .message_limits import MessageLimits

_LIFETIME = "email_verification_token_lifetime"
_KIND = "emailverification"


class EmailVerificationStore:
    """Verified addresses and tokens in the database; every method is one unit of work."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        messages: MessageLimits,
        tenants: TenantStore,
        user_ids: UserIds,
        settings: ResolvedEngineConfig,
    ) -> None:
        self._database = database
        self._accounts = accounts
        self._messages = messages
        self._tenants = tenants
        self._user_ids = user_ids
        self._settings = settings
        tables, is_sqlite = database.tables, database.location.is_sqlite
        verified, tokens = tables[VERIFIED_EMAILS], tables[VERIFICATION_TOKENS]
        pair: dict[str, Any] = {
            "app_id": DEFAULT_APP_ID,
            "user_id": bindparam("user"),
            "email": bindparam("email"),
        }
        self._known = select(verified.c.user_id).where(*_of_pair(verified)).limit(1)
        self._insert_verified = insert_new(verified, is_sqlite=is_sqlite).values(**pair)
        self._delete_verified = delete(verified).where(*_of_pair(verified)).returning(verified.c.user_id)
        self._insert_token = insert(tokens).values(
            **pair, tenant_id=bindparam("tenant"), token=bindparam("token"), token_expiry=bindparam("expiry")
        )
        in_tenant = tokens.c.tenant_id == bindparam("tenant")
        self._owner = select(tokens.c.user_id, tokens.c.email).where(
            tokens.c.app_id == DEFAULT_APP_ID, in_tenant, tokens.c.token == bindparam("token")
        )
        self._delete_tokens = delete(tokens).where(*_of_pair(tokens))
        self._delete_in_tenant = self._delete_tokens.where(in_tenant).returning(
            tokens.c.token, tokens.c.token_expiry
        )

    def create_token(self, tenant_id: str, user_id: str, email: str) -> str | None:
        """Return a token that verifies an address once; None where it is verified already.

        Raises:
            BadInputError: the id or the address cannot be stored.
            UnknownTenantError: there is no such tenant.
        """
        validation.validate_user_id(user_id)
        address, tenant = validation.stored_email(email), self._tenants.find(tenant_id)
        if tenant is None:
            raise UnknownTenantError(tenant_id, user_id=user_id)
        lifetime = tenant.core_config.get(_LIFETIME) or self._settings.email_verification_token_lifetime
        token, expiry = SecretText(secrets.token_hex(64)), self._settings.now_ms() + int(lifetime)

        def unit(connection: Connection) -> str | None:
            ids = self._ids(connection, user_id)
            if connection.execute(self._known, {"ids": ids, "email": address}).first() is not None:
                return None
            values = {"user": ids[0], "email": address, "tenant": tenant.tenant_id}
            with writing_in(tenant.tenant_id, user_id=user_id):
                connection.execute(self._insert_token, values | {"token": _hashed(token), "expiry": expiry})
            return ids[0]

        if (made_for := self._database.write(unit)) is None:
            return None
        emit(EmailVerificationRequested(user_id=made_for, tenant_id=tenant.tenant_id))
        return token

    def verify(self, tenant_id: str, token: str) -> VerifiedEmail | None:
        """Use up a token, and every other one of its user and address; of parallel calls one succeeds."""
        tenant, hashed, now = (
            validation.normalise_tenant_id(tenant_id),
            _hashed(token),
            self._settings.now_ms(),
        )

        def unit(connection: Connection) -> VerifiedEmail | None:
            owner = connection.execute(self._owner, {"tenant": tenant, "token": hashed}).first()
            if owner is None:
                return None
            # Who waited here for another use of the token gets no row of it.
            ids = self._ids(connection, owner.user_id)
            which = {"ids": ids, "email": owner.email, "tenant": tenant}
            gone = connection.execute(self._delete_in_tenant, which).all()
            used = next((row for row in gone if row.token == hashed), None)
            if used is None or used.token_expiry < now:
                return None
            connection.execute(self._insert_verified, {"user": ids[0], "email": owner.email})
            return VerifiedEmail(ids[0], owner.email)

        result = self._database.write(unit)
        if result is not None:
            emit(EmailVerified(user_id=result.user_id, tenant_id=tenant))
        return result

    def is_verified(self, user_id: str, email: str) -> bool:
        """Return whether a user has verified an address."""
        address = normalised_email(email)
        if not validation.is_possible_user_id(user_id) or not validation.is_storable(address):
            return False

        def unit(connection: Connection) -> bool:
            which = {"ids": self._ids(connection, user_id), "email": address}
            return connection.execute(self._known, which).first() is not None

        return self._database.read(unit)

    def revoke_tokens(self, tenant_id: str, user_id: str, email: str) -> None:
        """End the tokens of a user for an address in a tenant."""
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        if not validation.is_possible_user_id(user_id) or not validation.is_storable(address):
            return

        def unit(connection: Connection) -> None:
            which = {"ids": self._ids(connection, user_id), "email": address, "tenant": tenant}
            connection.execute(self._delete_in_tenant, which)

        self._database.write(unit)

    def unverify(self, user_id: str, email: str) -> None:
        """Forget that an address was verified, and end its tokens in every tenant."""
        address = normalised_email(email)
        if not validation.is_possible_user_id(user_id) or not validation.is_storable(address):
            return

        def unit(connection: Connection) -> str | None:
            which = {"ids": self._ids(connection, user_id), "email": address}
            connection.execute(self._delete_tokens, which)
            return connection.execute(self._delete_verified, which).scalars().first()

        if (known_as := self._database.write(unit)) is not None:
            emit(EmailUnverified(user_id=known_as))

    def may_send(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Return whether an address may get another e-mail now; if so, count it."""
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        most = self._settings.verification_emails_per_day
        return self._messages.begin(_KIND, tenant, address, per_day=most, client=client) == 0

    def not_sent(self, tenant_id: str, email: str) -> None:
        """Let another e-mail follow at once: the one that was counted could not be sent."""
        self._messages.failed(_KIND, validation.normalise_tenant_id(tenant_id), normalised_email(email))

    def _ids(self, connection: Connection, user_id: str) -> list[str]:
        """Return the ids under which a user's rows may be, the one for new rows first."""
        external = self._user_ids.resolve(connection, user_id)[1]
        return list(dict.fromkeys((external, self._accounts.internal_id(connection, user_id))))


def _of_pair(table: Table) -> tuple[ColumnElement[bool], ...]:
    return (
        table.c.app_id == DEFAULT_APP_ID,
        table.c.user_id.in_(bindparam("ids", expanding=True)),
        table.c.email == bindparam("email"),
    )


def _hashed(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
