"""Users with an e-mail address and a password (engine: E-mail and password).

Hashes are computed before or after a unit of work, never within: a transaction holds locks.
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.session_records import Ending, SessionKey
from supertokens_py.engine.user_records import (
    EMAIL_PASSWORD,
    Authenticated,
    ConsumedToken,
    EmailChangeNotAllowed,
    EmailTaken,
    PasswordProof,
    ProofExpired,
    UnknownUser,
)
from supertokens_py.events import (
    PasswordResetRequested,
    SignInFailed,
    SignInRefused,
    UserSignedUp,
    emit,
)
from supertokens_py.exceptions import BadInputError, TooManyAttemptsError
from supertokens_py.secret import SecretText, masked
from supertokens_py.types.users import normalised_email

from ..accounts.accounts import Accounts
from ..accounts.email_user_rows import EmailUserRows
from ..session_state.acting import ActingSessions
from ..session_state.session_changes import SessionChanges
from ..storage import errors
from .password_changes import Change, Changed, StoredHash

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig
    from supertokens_py.types.users import User

    from ..accounts.user_ids import UserIds
    from ..storage.database import Database
    from ..tenants import TenantStore
    from .attempts import Attempts
    from .message_limits import MessageLimits
    from .passwords import Passwords

_RESET = "password reset"
_LIFETIME = "password_reset_token_lifetime"
_LINKED = "New email cannot be applied to a user with linked accounts: change it through the SuperTokens core"


class EmailPasswordStore:
    """The users in the database; every method is one unit of work around which hashes are computed."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        passwords: Passwords,
        attempts: Attempts,
        messages: MessageLimits,
        tenants: TenantStore,
        user_ids: UserIds,
        settings: ResolvedEngineConfig,
        changes: SessionChanges,
    ) -> None:
        self._database, self._accounts = database, accounts
        self._passwords = passwords
        self._attempts = attempts
        self._messages = messages
        self._tenants = tenants
        self._user_ids = user_ids
        self._settings = settings
        self._changes, self._acting = changes, ActingSessions(database, changes)
        self._statements = EmailUserRows(database, accounts)

    @property
    def most_waiting(self) -> int:
        """How many calls that compute a hash may run or wait in a process before others are refused."""
        return self._settings.argon2_hashing_queue_size

    def sign_up(self, tenant_id: str, email: str, password: str) -> User | EmailTaken:
        """Create a user.

        Raises:
            BadInputError: the address or the password cannot be stored.
            UnknownTenantError: there is no such tenant.
        """
        address, tenant = validation.stored_email(email), validation.possible_tenant_id(tenant_id)
        password = masked(password)
        if self._database.read(lambda c: self._accounts.with_email(c, tenant, address)) is not None:
            return EmailTaken()  # spares the hash; who signs up at the same moment is refused below
        hashed = self._passwords.hash(password)
        user_id, now = str(uuid4()), self._settings.now_ms()

        def unit(connection: Connection) -> User:
            self._statements.insert(connection, user_id, tenant, address, hashed, now)
            (made,) = self._accounts.load_primary(connection, [user_id])
            return made

        try:
            user = self._database.write(unit)
        except IntegrityError as error:
            if errors.is_unknown_parent(error):
                raise UnknownTenantError(tenant) from error
            if not errors.is_taken(error):
                raise
            return EmailTaken()
        emit(UserSignedUp(user_id=user.id, tenant_id=tenant, recipe_id=EMAIL_PASSWORD))
        return user

    def verify(self, tenant_id: str, email: str, password: str) -> User | None:
        """Return the user whose address and password these are.

        A wrong password and an unknown address take the same time, unless the user's hash was made with
        other parameters than the configured ones.

        Raises:
            TooManyAttemptsError: there were too many wrong ones for this address.
        """
        password = masked(password)
        found = self.authenticate(tenant_id, email, password)
        return None if found is None else found.user

    def authenticate(self, tenant_id: str, email: str, password: str) -> Authenticated | None:
        """Do as `verify`, and return with the user what `is_current` has to be asked about."""
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        password = masked(password)
        if left_ms := self._attempts.begin(EMAIL_PASSWORD, tenant, address):
            emit(SignInRefused(tenant_id=tenant, recipe_id=EMAIL_PASSWORD, retry_after_ms=left_ms))
            raise TooManyAttemptsError(left_ms)
        stored = self._stored(tenant, address)
        kept, user_id = (None, None) if stored is None else (stored.password_hash, stored.user_id)
        if not self._passwords.verify(password, kept, user_id):
            emit(SignInFailed(user_id=user_id, tenant_id=tenant, recipe_id=EMAIL_PASSWORD))
            return None
        assert stored is not None  # noqa: S101  nothing equals no hash
        self._attempts.succeeded(EMAIL_PASSWORD, tenant, address)
        hashed = self._renewed(stored.user_id, password, stored.password_hash)
        found = self._database.read(lambda c: self._accounts.load(c, [stored.user_id]))
        proof = PasswordProof(stored.user_id, _digest(hashed), tenant)
        return Authenticated(found[0], proof) if found else None

    def _stored(self, tenant_id: str, address: str) -> StoredHash | None:
        if not validation.is_storable(address):
            return None
        values = {"tenant": tenant_id, "email": address}
        return self._database.read(
            lambda c: next(map(StoredHash, c.execute(self._statements.hash_of, values)), None)
        )

    def _renewed(self, user_id: str, password: str, stored: str) -> str:
        """Replace a verified hash that has other parameters than new ones; return what is stored now."""
        if not self._passwords.is_outdated(password, stored):
            return stored
        hashed = self._passwords.hash(password)
        values = {"user": user_id, "stored": stored, "hash": hashed}
        self._database.single(lambda c: c.execute(self._statements.renew_hash, values), repeatable=True)
        now = self._database.read(lambda c: masked(c.execute(self._statements.user_hash, values).scalar()))
        # Another sign-in may have been first: its hash is of this password, too, unless that was changed.
        is_same = now == hashed or (now is not None and self._passwords.verify(password, now))
        return now if now is not None and is_same else stored

    def is_current(self, proof: PasswordProof) -> bool:
        """Return whether the user is still there and in the tenant, with the same password.

        It waits for a change that is under way, so that of a change and a session that was committed before
        this is asked, one always sees the other.
        """
        now = self._database.write(lambda c: self._statements.kept_hash(c, proof.user_id, proof.tenant_id))
        return now is not None and proof.mark in (None, _digest(now))

    def may_send_reset(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Count an e-mail with a link to reset a password; False where the address has had enough of them."""
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        most = self._settings.password_reset_emails_per_day
        return self._messages.begin(_RESET, tenant, address, per_day=most, client=client) == 0

    def reset_not_sent(self, tenant_id: str, email: str) -> None:
        """Let another e-mail follow at once: the one that was counted could not be sent."""
        self._messages.failed(_RESET, validation.normalise_tenant_id(tenant_id), normalised_email(email))

    def create_reset_token(self, tenant_id: str, user_id: str, email: str | None) -> str | None:
        """Return a token that sets a new password once; None where there is no such user in the tenant.

        Raises:
            UnknownTenantError: there is no such tenant.
        """
        tenant = self._tenants.find(tenant_id)
        if tenant is None:
            raise UnknownTenantError(tenant_id, user_id=user_id)
        if not validation.is_possible_user_id(user_id):
            return None
        address = None if email is None else validation.stored_email(email)
        lifetime = tenant.core_config.get(_LIFETIME) or self._settings.password_reset_token_lifetime
        token, expiry = SecretText(secrets.token_hex(64)), self._settings.now_ms() + int(lifetime)

        def unit(connection: Connection) -> str | None:
            internal, user = self._accounts.locked(connection, user_id, self._accounts.rows.keep)
            own = user and self._own_method(connection, tenant.tenant_id, internal, address)
            if own is None:
                return None
            locked = connection.execute(self._statements.lock_user, {"user": own.user_id}).first()
            if locked is None or address not in (None, locked.email):
                return None  # whoever reads the mail of another address, also a former one, gets no token
            values = {"user": own.user_id, "email": locked.email}
            values |= {"token": _digest(token), "expiry": expiry}
            connection.execute(self._statements.insert_token, values)
            return own.user_id

        if (made_for := self._database.write(unit)) is None:
            return None
        emit(PasswordResetRequested(user_id=made_for, tenant_id=tenant.tenant_id))
        return token

    def _own_method(self, connection: Connection, tenant_id: str, user_id: str, email: str | None) -> Any:
        """Return the login method in a tenant that has an address, or else the one that an id means."""
        values = {"tenant": tenant_id, "id": user_id}
        rows: list[Any] = [*connection.execute(self._statements.methods, values)]
        rows.sort(key=lambda row: (row.email != email, row.user_id != user_id))
        return rows[0] if rows else None

    def consume_reset_token(self, tenant_id: str, token: str) -> ConsumedToken | None:
        """Use up a token, and every other one of its user; of parallel calls one gets it.

        None, and nothing is used up, where its user is not in the tenant. One that went to an address that
        the user no longer has sets no password: a core that changes an address keeps its tokens.
        """
        token, tenant = masked(token), validation.normalise_tenant_id(tenant_id)
        hashed, now = _digest(token), self._settings.now_ms()

        def unit(connection: Connection) -> ConsumedToken | None:
            values = {"token": hashed, "tenant": tenant}
            owner = connection.execute(self._statements.owner_of_token, values).scalar()
            if owner is None:
                return None
            # Who waited here for another use of a token of this user gets no row of theirs.
            gone = connection.execute(self._statements.delete_tokens, {"user": owner}).all()
            used = next((row for row in gone if row.token == hashed), None)
            if used is None or used.token_expiry < now:
                return None
            known = connection.execute(self._statements.user_row, {"user": owner}).first()
            if known is None or used.email not in (None, known.email):
                return None
            return ConsumedToken(self._external(connection, owner), known.email)

        return self._database.write(unit)

    def _external(self, connection: Connection, user_id: str) -> str:
        return self._user_ids.resolve(connection, user_id)[1]

    def update(
        self,
        user_id: str,
        *,
        email: str | None,
        password: str | None,
        revoke_sessions: bool,
        proof: PasswordProof | None = None,
        link: ConsumedToken | None = None,
    ) -> UnknownUser | EmailTaken | EmailChangeNotAllowed | ProofExpired | None:
        """Change address or password; links that were made before end, and sessions where that is wanted.

        With `proof` nothing is changed where the password is another one by now, with `link` where the
        address is. What a link's owner had not verified may be a stranger's: other addresses are forgotten.

        Raises:
            BadInputError: nothing is given, or it cannot be stored.
        """
        password = masked(password)
        if email is None and password is None:
            raise BadInputError("You need to provide either email or password.")
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        hashed = None if password is None else self._passwords.hash(password)
        address = None if email is None else validation.stored_email(email)
        change = Change(address, hashed, revoke_sessions, proof, link)
        result = self._database.write(lambda connection: self._change(connection, user_id, change))
        if not isinstance(result, Changed):
            return result
        result.emit_events(change)
        self._changes.settle(result.ended, _CHANGED)
        if hashed is not None:
            self._forget_failures(result.user_id)
        return None

    def _forget_failures(self, user_id: str) -> None:
        """Let the owner of a new password use it at once, whoever guessed at the one before."""
        user = self._accounts.find(user_id)
        for method in user.login_methods if user is not None else ():
            for tenant_id in method.tenant_ids if method.email is not None else ():
                self._attempts.succeeded(EMAIL_PASSWORD, tenant_id, str(method.email))

    def _change(
        self, connection: Connection, user_id: str, change: Change
    ) -> UnknownUser | EmailTaken | EmailChangeNotAllowed | ProofExpired | Changed:
        internal, kept = self._accounts.locked(connection, user_id, self._accounts.rows.keep)
        row = kept and connection.execute(self._statements.lock_user, {"user": internal}).first()
        if row is None:
            return UnknownUser()
        if self._comes_too_late(connection, internal, row.email, change):
            return ProofExpired()
        moves = change.email is not None and change.email != row.email
        if moves and row.is_linked_or_is_a_primary_user:
            return EmailChangeNotAllowed(_LINKED)
        if moves and self._statements.is_taken(connection, internal, str(change.email)):
            return EmailTaken()
        connection.execute(self._statements.delete_tokens, {"user": internal})
        ended, ids = list[SessionKey](), self._user_ids.linked_to(connection, user_id, locked=change.revokes)
        if change.link is not None:
            own = [internal, self._external(connection, internal)]
            self._statements.end_verification_of(connection, ids, own, row.email)
        if moves:
            self._statements.change_email(
                connection, internal, ids, former=row.email, email=str(change.email)
            )
        if change.hashed is not None:
            connection.execute(self._statements.set_hash, {"user": internal, "hash": change.hashed})
            if change.revokes:
                delete = self._statements.delete_sessions
                ended += self._changes.end(connection, delete, {"ids": ids}, _CHANGED)
                ended += self._acting.end(connection, ids, _CHANGED)
        return Changed(self._external(connection, internal), moves, ended)

    def _comes_too_late(self, connection: Connection, internal: str, email: str, change: Change) -> bool:
        if change.link is not None and change.link.email != email:
            return True
        if change.proof is None or change.proof.mark is None:
            return False
        kept = masked(connection.execute(self._statements.user_hash, {"user": internal}).scalar())
        return kept is None or change.proof != PasswordProof(internal, _digest(kept))


_CHANGED = Ending(reason="credentials_changed")


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "replace")).hexdigest()
