"""The life of sessions: create, verify, refresh, regenerate, revoke, read (engine: Create, Expiry)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from supertokens_py import payloads
from supertokens_py.engine import validation
from supertokens_py.engine.device_keys import CONFIRMATION_KEY
from supertokens_py.engine.records import (
    IssuedSession,
    NewSession,
    Regenerated,
    StoredSession,
    TryRefresh,
    Unauthorised,
    Verified,
)
from supertokens_py.engine.session_records import (
    Details,
    Lifetime,
    LimitReached,
    ListedSession,
)
from supertokens_py.events import SessionCreated, emit
from supertokens_py.exceptions import ConfigError
from supertokens_py.tokens.access_token import LATEST_VERSION, AccessToken, parse_access_token
from supertokens_py.types.base import JSONObject

from ..keys import access_tokens
from ..keys.access_tokens import Grant
from ..session_state.device_rows import DEVICE_KEYS
from ..session_state.refresh_decision import belongs
from ..session_state.refresh_tokens import first_token, hash1
from ..session_state.session_rows import NO_SESSION, json_object, key_of, stored_tokens
from ..session_state.session_terms import USUAL_TERMS, Terms, expired
from ..session_state.token_families import Family, new_family, new_handle, tenant_of
from ..storage.replica import Replica
from .browsing import SessionBrowser
from .creation import SessionWriter
from .drafts import NEEDS_DETAILS, Created, Draft, require_kept
from .session_lists import SessionLists

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..accounts.user_ids import UserIds
    from ..keys.keys import KeyRing
    from ..session_state.activity import Activity
    from ..session_state.session_changes import SessionChanges
    from ..storage.database import Database
    from .session_activity import SessionActivity


_VERIFIED = Verified()

#: A device registers at once; the access token after the first one says that it did.
OFFERED_LIFE_MS = 5 * 60 * 1000


class SessionStore(SessionBrowser):
    """Sessions in the database; every method is one unit of blocking work."""

    def __init__(
        self,
        database: Database,
        keys: KeyRing,
        activity: Activity,
        users: UserIds,
        settings: ResolvedEngineConfig,
        changes: SessionChanges,
        *,
        used: SessionActivity | None = None,
    ) -> None:
        #: What checks and lists may be read from beside the database.
        self.replica: Replica | None = Replica.of(database, settings)
        super().__init__(database, keys, activity, users, settings, changes)
        self._used = used

    def use_tables(self) -> None:
        super().use_tables()
        database, settings = self._database, self._settings
        self._writer = SessionWriter(
            database, self._users, settings, self._changes, sql=self._sql, details=self._details
        )
        self._lists = SessionLists(
            database, self._users, settings, self._details, self._changes, self.replica
        )

    def create(self, new: NewSession) -> IssuedSession | LimitReached | Unauthorised:
        """Store a new session and return its first tokens."""
        validation.validate_user_id(new.user_id)
        self._database.prepare()
        require_kept(new, keeps_details=self._details is not None)
        payloads.validate_custom_claims(new.payload, token_version=new.token_version)
        tenant_id = validation.possible_tenant_id(new.tenant_id)
        payload = payloads.validate_json("access_token_payload", new.payload)
        data = payloads.validate_json("session_data_in_database", new.data)
        life_ms = access_tokens.life_ms(self._settings, new.access_token_validity_ms)
        if new.offer_binding:
            life_ms = min(life_ms, OFFERED_LIFE_MS)
        anti_csrf_token = str(uuid4()) if new.anti_csrf else None
        primary_id, recipe_id = self._users.ids(new.user_id)
        # A core that shares the database makes tokens of this session that no family would know.
        family = Family(new_handle(tenant_id)) if self._database.is_shared else new_family(tenant_id)
        token = first_token(
            self._keys.master_key(),
            handle=family.handle,
            user_id=recipe_id,
            tenant_id=tenant_id,
            anti_csrf_token=anti_csrf_token,
            nonce=family.nonce,
        )
        key = self._keys.signer(static=not new.dynamic_key)
        now_ms = self._settings.now_ms()
        draft = Draft(new=new, token=token, user_id=recipe_id, payload=payload, data=data, now_ms=now_ms)
        created = self._writer.write(draft)
        self._changes.committed()
        if not isinstance(created, Created):
            return created
        grant = Grant(
            token=token,
            created_ms=now_ms,
            expires_ms=created.expires_ms,
            user_id=primary_id,
            recipe_user_id=recipe_id,
            payload=json_object(created.payload),
            anti_csrf_token=anti_csrf_token,
            terms=created.terms,
        )
        session = access_tokens.issue_session(
            grant, key=key, now_ms=now_ms, life_ms=life_ms, version=new.token_version
        )
        emit(SessionCreated(handle=session.handle, user_id=primary_id, tenant_id=tenant_id))
        if new.counts:
            self._activity.note(new.user_id)
        return replace(session, ended=created.ended) if created.ended else session

    def needs_lookup(self, token: AccessToken, *, check_database: bool) -> bool:
        """Return whether the database is to be asked: never unasked."""
        return check_database

    def verify(self, token: AccessToken, *, check_database: bool) -> Verified | Unauthorised | TryRefresh:
        """Return whether the session of a token exists, and whether the token is of its token family."""
        if not check_database:
            return _VERIFIED
        self._database.prepare()
        key = key_of(token.handle)
        statement = self._rows.tokens if self._details is None else self._details.tokens
        if self.replica is not None:
            row = self.replica.row(statement, key)
            # Whatever else it says may be due to what it has not heard of yet: a new session, a refresh.
            if row is not None and isinstance(self._judged(token, row), Verified):
                return _VERIFIED  # without a payload, which may have been changed since
        row = self._database.alone(lambda fetch: fetch(statement, key), "read", repeatable=True)
        return self._judged(token, row)

    def _judged(
        self, token: AccessToken, row: tuple[Any, ...] | None
    ) -> Verified | Unauthorised | TryRefresh:
        tokens, now_ms = None if row is None else stored_tokens(row), self._settings.now_ms()
        if row is None or tokens is None or (self._details is None and tokens.expires_ms <= now_ms):
            return Unauthorised(NO_SESSION, "session_gone")
        terms = USUAL_TERMS if self._details is None else Terms(absolute_at_ms=row[4])
        if terms.capped(tokens.expires_ms) <= now_ms:
            return expired(terms.reason(tokens.expires_ms))
        parent = token.parent_refresh_token_hash1
        parent_hash = hash1(parent) if isinstance(parent, str) else None
        if not belongs(tokens, hash1(token.refresh_token_hash1), parent_hash):
            return TryRefresh("the access token was replaced by a later refresh", "access_token_superseded")
        return Verified(payload=json_object(row[-1]))

    def regenerate(
        self, access_token: str, *, payload: JSONObject | None = None, merge: JSONObject | None = None
    ) -> Regenerated | Unauthorised:
        """Store another payload; sign it into a token that ends with the presented one or the session."""
        token = parse_access_token(access_token)
        version = LATEST_VERSION if token is None else token.version
        if payload is not None:
            payloads.validate_payload(payload, token_version=version)
        if merge is not None:
            payloads.validate_payload_update(merge)
        if token is None or not self._is_genuine(token):
            return Unauthorised("the access token is not a valid one", "access_token_invalid")

        def unit(connection: Connection) -> tuple[Regenerated, bool, int] | Unauthorised:
            locked = self._locked(connection, token.handle)
            if locked is None:
                return Unauthorised(NO_SESSION, "session_gone")
            row, terms = locked
            stored = json_object(row.jwt_user_payload)
            changed = payloads.merge(payload if payload is not None else stored, merge or {})
            changed = self._still_bound(stored, changed)
            if not payloads.is_signable(changed, token_version=version):
                return Unauthorised(payloads.PROTECTED_PAYLOAD, "payload_protected")
            self._write_payload(connection, token.handle, row, changed)
            ids, static = self._users.resolve(connection, row.user_id), bool(row.use_static_key)
            result = Regenerated(token.handle, *ids, token.tenant_id, changed, None, terms.persistent)
            return result, static, terms.capped(token.expires_ms)

        # Keys are made before the transaction: a unit never needs a second connection.
        keys = self._keys.signers()
        found = self._database.write(unit)
        if isinstance(found, Unauthorised):
            return found
        result, static, end_ms = found
        ids, now_ms = (result.user_id, result.recipe_user_id), self._settings.now_ms()
        issued = access_tokens.reissue(
            token, ids, result.payload, key=keys[static], now_ms=now_ms, expires_ms=end_ms
        )
        return replace(result, access_token=issued)

    def _is_genuine(self, token: AccessToken) -> bool:
        key = None if token.version < 3 else self._keys.verification_key(token.kid)
        return key is not None and key.matches(token.text)

    def listed(
        self, user_id: str, *, tenant_id: str | None, linked_accounts: bool = True
    ) -> list[ListedSession]:
        """Return the live sessions of a user, the most recently seen first."""
        if tenant_id is not None:
            tenant_id = validation.normalise_tenant_id(tenant_id)
        self._database.prepare()
        found: list[ListedSession] = []
        if validation.is_possible_user_id(user_id):
            found = self._lists.of_user(user_id, tenant_id=tenant_id, linked_accounts=linked_accounts)
        if tenant_id is not None and not found:
            self._require_tenant(tenant_id)  # only an empty answer can be due to an unknown one
        return found

    def details(self, handle: str) -> Details | None:
        """Return what is stored of a live session besides the official columns."""
        self._database.prepare()
        return self._lists.details(handle) if validation.is_possible_handle(handle) else None

    def seen(self, handle: str) -> None:
        """Remember that a session is used, where that is kept."""
        if self._used is not None:
            self._used.note(handle)

    def shorten(self, handle: str, lifetime: Lifetime) -> bool:
        """Give a session a shorter lifetime.

        Raises:
            BadInputError: it would be a longer one.
            ConfigError: nothing of the kind is kept here.
        """
        self._database.prepare()
        if self._details is None:
            raise ConfigError(NEEDS_DETAILS.format(name="a lifetime of its own", argument="lifetime"))
        return validation.is_possible_handle(handle) and self._lists.shorten(self._details, handle, lifetime)

    def information(self, handle: str) -> StoredSession | None:
        """Return a live session."""
        if not validation.is_possible_handle(handle):
            return None

        def unit(connection: Connection) -> StoredSession | None:
            now_ms = self._settings.now_ms()
            row = connection.execute(self._sql.information, key_of(handle) | {"now": now_ms}).first()
            if row is None or row.expires_at <= now_ms:
                return None
            primary_id, recipe_id = self._users.resolve(connection, row.user_id)
            return StoredSession(
                handle=handle,
                user_id=primary_id,
                recipe_user_id=recipe_id,
                tenant_id=tenant_of(handle),
                payload=json_object(row.jwt_user_payload),
                data=json_object(row.session_data),
                expires_ms=row.expires_at,
                created_ms=row.created_at_time,
            )

        return self._database.read(unit)

    def replace_data(self, handle: str, data: JSONObject) -> bool:
        """Replace the data that stays in the database."""
        text = payloads.validate_json("session_data_in_database", data)
        return self._replace(lambda: self._sql.replace_data, handle, text)

    def replace_payload(
        self, handle: str, payload: JSONObject, *, token_version: int = LATEST_VERSION
    ) -> bool:
        """Replace the custom claims of the next access token."""
        text = payloads.validate_payload(payload, token_version=token_version)
        self._database.prepare()
        if DEVICE_KEYS in self._database.tables:
            return self._change_payload(handle, lambda _: json_object(text))
        return self._replace(lambda: self._sql.replace_payload, handle, text)

    def merge_payload(
        self, handle: str, update: JSONObject, *, check: Callable[[JSONObject], None] | None = None
    ) -> bool:
        """Lay an update over the custom claims, under the lock of the row."""
        payloads.validate_payload_update(update)

        def change(stored: JSONObject) -> JSONObject:
            changed = payloads.merge(stored, update)
            if check is not None:
                check(changed)
            return changed

        return self._change_payload(handle, change)

    def _change_payload(self, handle: str, change: Callable[[JSONObject], JSONObject]) -> bool:
        def unit(connection: Connection) -> bool:
            locked = self._locked(connection, handle)
            if locked is not None:
                row = locked[0]
                stored = json_object(row.jwt_user_payload)
                self._write_payload(connection, handle, row, self._still_bound(stored, change(stored)))
            return locked is not None

        return validation.is_possible_handle(handle) and self._database.write(unit)

    def _still_bound(self, stored: JSONObject, changed: JSONObject) -> JSONObject:
        """Return a payload that says of the key of a device what the stored one says.

        What it is changed to may come from an access token that is older than the registration.
        """
        if DEVICE_KEYS not in self._database.tables:
            return changed
        others = {name: value for name, value in changed.items() if name != CONFIRMATION_KEY}
        return others | {name: value for name, value in stored.items() if name == CONFIRMATION_KEY}

    def _locked(self, connection: Connection, handle: str) -> tuple[Any, Terms] | None:
        key = key_of(handle)
        if (row := connection.execute(self._rows.lock, key).first()) is None:
            return None
        terms, now_ms = self._terms(connection, key), self._settings.now_ms()
        return None if terms.capped(row.expires_at) <= now_ms else (row, terms)

    def _write_payload(self, connection: Connection, handle: str, row: Any, payload: JSONObject) -> None:
        text = payloads.validate_json("access_token_payload", payload)
        if text != row.jwt_user_payload:
            connection.execute(self._sql.set_payload, key_of(handle) | {"text": text})

    def _replace(self, statement: Callable[[], Any], handle: str, text: str) -> bool:
        if not validation.is_possible_handle(handle):
            return False
        values = key_of(handle) | {"text": text, "now": self._settings.now_ms()}
        return self._database.single(lambda c: c.execute(statement(), values).rowcount, repeatable=True) > 0
