"""Users of another system, written with the hashes of their passwords (engine: Importing users).

A batch is one transaction. Users who are there already are left as they are, so that an interrupted import is
simply repeated.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from supertokens_py.engine import validation
from supertokens_py.engine.embedded.signin.argon2_hashes import Argon2Parameters, encoded
from supertokens_py.engine.embedded.storage import errors
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.exceptions import BadInputError, EngineUnavailableError
from supertokens_py.types.base import JSONObject

from .user_rows import ImportRows, Known, metadata_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig
    from supertokens_py.engine.embedded.engine import EmbeddedEngine

_TRIES = 5  # a sign-up in the same moment takes the address of one user of the batch


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedUser:
    """One user as a file has it, checked. `number` is its line."""

    number: int
    email: str  #: as it is stored
    password_hash: str | None = field(repr=False)  #: as it is stored; None: they have to reset a password
    user_id: str | None = None  #: the application's own
    verified: bool = False
    joined_ms: int | None = None
    metadata: JSONObject = field(default_factory=dict[str, object])
    roles: Sequence[str] = ()


class Arrival(Enum):
    """What became of a user who was not refused."""

    IMPORTED = "imported"
    PRESENT = "present"


#: A text says why a user was refused.
Outcome: TypeAlias = Arrival | str


class UserImport:
    """Writes users into one tenant of an engine's database."""

    def __init__(self, engine: EmbeddedEngine, settings: ResolvedEngineConfig, tenant_id: str) -> None:
        self._engine = engine
        self._settings = settings
        self._tenant = validation.normalise_tenant_id(tenant_id)
        self._rows = ImportRows(engine.database, engine.accounts, self._tenant)

    def check_tenant(self) -> None:
        """Raise UnknownTenantError where the tenant does not exist."""
        if self._engine.tenants.find(self._tenant) is None:
            raise UnknownTenantError(self._tenant)

    def missing_roles(self, roles: Iterable[str]) -> list[str]:
        """Return those of some roles that do not exist."""
        return sorted(set(roles) - set(self._engine.roles.all()))

    def create_roles(self, roles: Iterable[str]) -> None:
        """Create roles without permissions."""
        for role in roles:
            self._engine.roles.add(role, [])

    def in_use(self, users: Sequence[ImportedUser]) -> frozenset[str]:
        """Return the application's ids of users under which there are sessions, roles or metadata."""
        ids = [user.user_id for user in users if user.user_id is not None]
        return self._engine.database.read(lambda connection: self._rows.in_use(connection, ids))

    def preview(self, users: Sequence[ImportedUser]) -> list[Outcome]:
        """Return what `write` would do with a batch, were its roles there."""

        def unit(connection: Connection) -> list[Outcome]:
            return list(decide(users, self._known(connection, users, writes=False)))

        return self._engine.database.read(unit)

    def write(self, users: Sequence[ImportedUser]) -> list[Outcome]:
        """Write a batch in one transaction; return what became of each user.

        Raises:
            UnknownTenantError: the tenant has been deleted meanwhile.
            EngineUnavailableError: the database refuses a user, and not for one who was there first.
        """
        left = _TRIES
        while True:
            left -= 1
            try:
                return self._engine.database.write(lambda connection: self._write(connection, users))
            except IntegrityError as error:
                if errors.is_unknown_parent(error):
                    raise UnknownTenantError(self._tenant) from error
                if not left:
                    name = self._engine.database.location.name
                    raise EngineUnavailableError(f"{name} refuses a user: {error.orig}") from error

    def _write(self, connection: Connection, users: Sequence[ImportedUser]) -> list[Outcome]:
        known = self._known(connection, users, writes=True)
        outcomes = list(decide(users, known))
        pairs = zip(users, outcomes, strict=True)
        self._rows.insert(
            connection, [self._new(user, known) for user, outcome in pairs if outcome is Arrival.IMPORTED]
        )
        return outcomes

    def _known(self, connection: Connection, users: Sequence[ImportedUser], *, writes: bool) -> Known:
        return self._rows.known(
            connection,
            emails=[user.email for user in users],
            user_ids=[user.user_id for user in users if user.user_id is not None],
            metadata_of=[user.user_id for user in users if user.user_id is not None and user.metadata],
            roles=[role for user in users for role in user.roles],
            writes=writes,
        )

    def _new(self, user: ImportedUser, known: Known) -> dict[str, Any]:
        """Return everything that rows of a new user are made of."""
        internal = str(uuid4())
        return {
            "internal": internal,
            "external": user.user_id,
            "shown": user.user_id or internal,
            "email": user.email,
            "hash": user.password_hash or unusable_hash(self._settings),
            "joined": self._settings.now_ms() if user.joined_ms is None else user.joined_ms,
            "verified": user.verified,
            "metadata": _merged(user, known),
            "roles": user.roles,
        }


def decide(users: Sequence[ImportedUser], known: Known) -> Iterator[Outcome]:
    """Yield what is to become of each user of a batch, given what the database has; pure."""
    emails: dict[str, str | None] = dict(known.ids_by_email)
    owners: dict[str, str] = dict(known.emails_by_id)
    for user in users:
        if user.email in emails:
            yield _already(user, emails[user.email])
            continue
        reason = _refusal(user, owners, known)
        if reason is None:
            emails[user.email] = user.user_id
            if user.user_id is not None:
                owners[user.user_id] = user.email
        yield reason or Arrival.IMPORTED


def _already(user: ImportedUser, has_id: str | None) -> Outcome:
    if user.user_id is None or user.user_id == has_id:
        return Arrival.PRESENT
    return "another user has this e-mail address: give one of them another address, or leave one out"


def _refusal(user: ImportedUser, owners: Mapping[str, str], known: Known) -> str | None:
    if user.user_id in owners or user.user_id in known.internal_ids:
        return "another user has this user id: correct the id, or leave the line out"
    if missing := sorted(known.missing_roles.intersection(user.roles)):
        return f"there is no role {missing[0]!r}: create it first, or use --create-roles"
    try:
        metadata_text(_merged(user, known))
    except BadInputError as error:
        return f"with what is kept under this user id already, {error}"
    return None


def _merged(user: ImportedUser, known: Known) -> JSONObject:
    """Return the metadata that a user is to have; what is there already stays as it is."""
    return {**user.metadata, **known.metadata.get(user.user_id or "", {})} if user.metadata else {}


def unusable_hash(settings: ResolvedEngineConfig) -> str:
    """Return a hash that no password has, in the form of the others: also a core reads it.

    It is random, so finding a password for it is as hard as for any hash.
    """
    return encoded(Argon2Parameters.of_new_hashes(settings), os.urandom(16), os.urandom(32))
