"""What becomes of a code that somebody presents (engine: Passwordless).

Every device of the contact is locked first, always in the same order: of parallel calls one is looked at
after the other, a used code is gone for the next, and no two wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.engine.code_records import (
    CheckedCode,
    ConsumedCode,
    PresentedCode,
    RestartFlow,
    WrongCode,
)
from supertokens_py.engine.limits import WRONG_CODES_OF_ITS_OWN
from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import masked

from ..accounts.code_rows import device_record
from ..storage.database import UnitConflictError
from . import code_digests
from .code_digests import DeviceSecret, LinkCode

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..accounts.accounts import Accounts
    from ..accounts.code_rows import CodeRows
    from .client_limits import ClientLimits
    from .passwordless_users import PasswordlessUserRows

_WRONG_CODES = "wrong codes"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody presents, read: either `link`, or `device` and `code`."""

    device_hash: str
    link: LinkCode | None
    device: DeviceSecret | None
    code: str | None


@dataclass(frozen=True, slots=True)
class Rules:
    """How long codes are valid in a tenant, and how many may be wrong."""

    tenant_id: str
    lifetime_ms: int
    max_attempts: int
    wrong_per_hour: int  #: of one client for one contact, in whatever tenants; 0: any number
    client: str | None  #: who presents the code, where that is known


@dataclass(frozen=True, slots=True)
class Success:
    """Whose code it was, and whether the address was not verified before."""

    consumed: ConsumedCode
    verified: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A wrong code, which was counted."""

    result: RestartFlow | WrongCode


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing was looked at: the contact has had too many wrong codes."""

    wait_ms: int
    attempts: tuple[int, int]  #: how many failed on the device, and how many may


Outcome: TypeAlias = Success | CheckedCode | RestartFlow | Failure | Refused


def read_attempt(presented: PresentedCode) -> Attempt:
    """Return what is presented.

    Raises:
        BadInputError: it is not exactly one of link and code, or no base64.
    """
    link, device, code = presented.link_code, presented.device_id, presented.user_input_code
    is_link = link is not None and device is None and code is None
    is_code = link is None and device is not None and code is not None
    if not is_link and not is_code:
        raise BadInputError("Please provide exactly one of linkCode or deviceId+userInputCode")
    return Attempt(
        code_digests.stored_digest(presented.pre_auth_session_id),
        None if link is None else code_digests.read_link_code(link),
        None if device is None else code_digests.read_device(device),
        masked(code),
    )


class CodeAttempts:
    """Looks at what is presented, within a unit of work."""

    def __init__(
        self,
        codes: CodeRows,
        users: PasswordlessUserRows,
        accounts: Accounts,
        client_limits: ClientLimits,
        settings: ResolvedEngineConfig,
    ) -> None:
        self._codes = codes
        self._users = users
        self._accounts = accounts
        self._client_limits = client_limits
        self._settings = settings

    def decide(self, connection: Connection, rules: Rules, attempt: Attempt, *, consumes: bool) -> Outcome:
        """Return what becomes of an attempt, and write it.

        Raises:
            BadInputError: the two ids do not belong together.
        """
        device = self._locked(connection, rules, attempt)
        if device is None:
            return RestartFlow()
        if device.failed_attempts >= rules.max_attempts:
            connection.execute(self._codes.delete_device, _which(rules, device))
            return RestartFlow()
        contact = _contact(device)
        # Where no code is valid none can be guessed, and a stranger's old attempts delay nobody.
        counts = attempt.code is not None and rules.wrong_per_hour > 0
        counts = counts and self._has_valid_code(connection, rules, device)
        if counts and (wait := self._counted(connection, rules, contact)):
            return Refused(wait, (device.failed_attempts, rules.max_attempts))
        row = self._code(connection, rules, attempt, device)
        if row is None or self._is_expired(row, rules):
            if attempt.code is None:
                return RestartFlow()
            if counts:
                self._client_limits.forget_others_within(
                    connection, _WRONG_CODES, _counter(contact), rules.client
                )
            return Failure(self._wrong(connection, rules, device, expired=row is not None))
        if counts:
            who = _counter(contact)
            self._client_limits.forget_shared_within(connection, _WRONG_CODES, who, rules.client)
        if not consumes:
            return CheckedCode(device_record(device))
        return self._success(connection, rules, device, contact)

    def _locked(self, connection: Connection, rules: Rules, attempt: Attempt) -> Any:
        """Return the device of an attempt, with its contact's locked; None: there is none."""
        wanted = None if attempt.device is None else attempt.device.digest
        if attempt.link is not None:
            row = self._by_link(connection, rules, attempt.link)
            wanted = None if row is None or self._is_expired(row, rules) else row.device_id_hash
        values = {"tenant": rules.tenant_id, "device": wanted}
        found = None if wanted is None else connection.execute(self._codes.device, values).first()
        if found is None:
            return None
        if attempt.device_hash != wanted:
            raise BadInputError("preAuthSessionId and deviceId doesn't match")
        kind, contact = _contact(found)
        values = {"tenant": rules.tenant_id, "contact": contact}
        rows = connection.execute(self._codes.lock[kind], values).all()
        return next((row for row in rows if row.device_id_hash == wanted), None)

    def _counted(self, connection: Connection, rules: Rules, contact: tuple[str, str]) -> int:
        """Count a code as wrong, which a right one takes back; or return how long to wait."""
        return self._client_limits.begin_shared_within(
            connection,
            _WRONG_CODES,
            _counter(contact),
            rules.client,
            per_hour=rules.wrong_per_hour,
            share=WRONG_CODES_OF_ITS_OWN,
        )

    def _has_valid_code(self, connection: Connection, rules: Rules, device: Any) -> bool:
        values = {"tenant": rules.tenant_id, "devices": [device.device_id_hash]}
        rows = connection.execute(self._codes.codes, values).all()
        return any(not self._is_expired(row, rules) for row in rows)

    def _code(self, connection: Connection, rules: Rules, attempt: Attempt, device: Any) -> Any:
        link = attempt.link
        if attempt.device is not None:
            link = attempt.device.link_code(device.link_code_salt, str(attempt.code))
        return None if link is None else self._by_link(connection, rules, link)

    def _by_link(self, connection: Connection, rules: Rules, link: LinkCode) -> Any:
        values = {"tenant": rules.tenant_id, "link": link.digest}
        return connection.execute(self._codes.code_by_link, values).first()

    def _is_expired(self, row: Any, rules: Rules) -> bool:
        return row.created_at < self._settings.now_ms() - rules.lifetime_ms

    def _wrong(
        self, connection: Connection, rules: Rules, device: Any, *, expired: bool
    ) -> RestartFlow | WrongCode:
        failed = device.failed_attempts + 1
        if failed >= rules.max_attempts:
            connection.execute(self._codes.delete_device, _which(rules, device))
            return RestartFlow()
        connection.execute(self._codes.count_failure, {**_which(rules, device), "failed": failed})
        return WrongCode(expired, failed, rules.max_attempts)

    def _success(
        self, connection: Connection, rules: Rules, device: Any, contact: tuple[str, str]
    ) -> Success:
        kind, value = contact
        values = {"tenant": rules.tenant_id, "contact": value}
        connection.execute(self._codes.delete_of_contact[kind], values)
        user_id = self._users.with_contact(connection, rules.tenant_id, kind, value)
        created = user_id is None
        if user_id is not None:
            locked = self._users.contacts(connection, user_id)
            if locked is None or getattr(locked, kind) != value:
                raise UnitConflictError  # removed or changed in this very moment: look again
        if user_id is None:
            now = self._settings.now_ms()
            user_id = self._users.insert(connection, rules.tenant_id, kind, value, now)
        verified = kind == "email" and self._users.verify_email(connection, user_id, value)
        (user,) = self._accounts.load(connection, [user_id])
        known_as = self._users.external_id(connection, user_id)
        return Success(
            ConsumedCode(user, known_as, created, device_record(device), rules.tenant_id), verified
        )


def _contact(device: Any) -> tuple[str, str]:
    """Return what the codes of a device are sent to, with the name of its column."""
    return ("email", device.email) if device.email is not None else ("phone_number", device.phone_number)


def _which(rules: Rules, device: Any) -> dict[str, Any]:
    return {"tenant": rules.tenant_id, "device": device.device_id_hash}


def _counter(contact: tuple[str, str]) -> str:
    """Return what a contact's wrong codes are counted under: it is one person's, in whatever tenants."""
    return "\0".join(contact)
