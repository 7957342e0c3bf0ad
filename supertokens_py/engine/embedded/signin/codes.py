"""Devices and their codes: made, shown and ended (engine: Passwordless)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy.exc import IntegrityError

from supertokens_py.engine import validation
from supertokens_py.engine.code_records import (
    CodeAlreadyUsed,
    CreatedCode,
    Device,
    DeviceCode,
    NewCode,
    RestartFlow,
)
from supertokens_py.engine.records import Tenant, UnknownTenantError
from supertokens_py.exceptions import BadInputError
from supertokens_py.secret import masked

from ..accounts.code_rows import BATCH, CodeRows, device_record
from ..storage import errors
from . import code_digests

if TYPE_CHECKING:
    from sqlalchemy import Connection, Select

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..storage.database import Database
    from ..tenants import TenantStore

_LIFETIME = "passwordless_code_lifetime"


@dataclass(frozen=True, slots=True)
class Contact:
    """What codes are sent to; `kind` is the name of its column."""

    kind: str
    value: str


class CodeStore:
    """Devices and codes in the database; every method is one unit of work."""

    def __init__(self, database: Database, tenants: TenantStore, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._tenants = tenants
        self._settings = settings
        self._codes = CodeRows(database.tables)

    def create_code(self, tenant_id: str, new: NewCode) -> CreatedCode | RestartFlow | CodeAlreadyUsed:
        """Make a code, for a contact or for a device that is there.

        Raises:
            BadInputError: not exactly one of contact and device is given, or it cannot be stored.
            UnknownTenantError: there is no such tenant.
        """
        if sum(one is not None for one in (new.email, new.phone_number, new.device_id)) != 1:
            raise BadInputError("Please provide exactly one of email, phoneNumber or deviceId")
        if new.user_input_code == "":
            raise BadInputError("userInputCode cannot be an empty string.")
        tenant = self._tenants.find(tenant_id)
        if tenant is None:
            raise UnknownTenantError(tenant_id)
        code = masked(new.user_input_code) or code_digests.new_code()
        while True:
            made = self._made(tenant, new, code)
            if not isinstance(made, CodeAlreadyUsed) or new.user_input_code is not None:
                return made
            code = code_digests.new_code()  # the device had this very one

    def _made(self, tenant: Tenant, new: NewCode, code: str) -> CreatedCode | RestartFlow | CodeAlreadyUsed:
        lifetime, now = self._lifetime(tenant), self._settings.now_ms()
        contact = None if new.device_id is not None else read_contact(new.email, new.phone_number)
        device = code_digests.new_device() if contact else code_digests.read_device(str(new.device_id))
        wanted, code_id = device.digest, str(uuid4())
        if code_digests.stored_digest(new.pre_auth_session_id or wanted) != wanted:
            return RestartFlow()

        def unit(connection: Connection) -> CreatedCode | RestartFlow:
            which: dict[str, Any] = {"tenant": tenant.tenant_id, "device": wanted}
            if contact is None:
                row = connection.execute(self._codes.lock_device, which).first()
                if row is None:
                    return RestartFlow()
                salt = row.link_code_salt
                connection.execute(self._codes.delete_oldest_codes, which)
            else:
                salt = code_digests.new_salt()
                self._insert_device(connection, contact, {**which, "salt": salt})
            link = device.link_code(salt, code)
            values = {**which, "code": code_id, "link": link.digest, "now": now}
            connection.execute(self._codes.insert_code, values)
            if contact is not None:
                # Deletes more than one that nobody can use, so that they do not pile up. Last: nobody is
                # waited for with devices of others locked.
                self._codes.sweep(connection, tenant.tenant_id, before_ms=now - 2 * lifetime)
            return CreatedCode(
                pre_auth_session_id=wanted,
                code_id=code_id,
                device_id=device.text,
                user_input_code=code,
                link_code=link.text,
                created_ms=now,
                lifetime_ms=lifetime,
            )

        try:
            return self._database.write(unit)
        except IntegrityError as error:
            return _refused(error, tenant.tenant_id)

    def _insert_device(self, connection: Connection, contact: Contact, values: dict[str, Any]) -> None:
        """Insert a device, in the place of the oldest where the contact has too many."""
        self._codes.end_oldest(connection, values["tenant"], contact.kind, contact.value)
        contacts = {"email": None, "phone_number": None, contact.kind: contact.value}
        connection.execute(self._codes.insert_device, {**values, **contacts})

    def _lifetime(self, tenant: Tenant) -> int:
        return int(tenant.core_config.get(_LIFETIME) or self._settings.passwordless_code_lifetime)

    def revoke_codes(
        self, tenant_id: str, *, email: str | None = None, phone_number: str | None = None
    ) -> None:
        """End every device of a contact in a tenant."""
        tenant, contact = validation.normalise_tenant_id(tenant_id), read_contact(email, phone_number)
        statement, values = self._codes.delete_of_contact[contact.kind], {"contact": contact.value}
        self._database.single(lambda c: c.execute(statement, {**values, "tenant": tenant}), repeatable=True)

    def revoke_code(
        self, tenant_id: str, *, code_id: str | None = None, pre_auth_session_id: str | None = None
    ) -> None:
        """End one code, or a device with all of them; the last code takes its device along.

        Raises:
            BadInputError: not exactly one of the two is given.
        """
        if (code_id is None) == (pre_auth_session_id is None):
            raise BadInputError("Please provide either 'codeId' or 'preAuthSessionId'")
        tenant, wanted = validation.normalise_tenant_id(tenant_id), code_id or pre_auth_session_id or ""
        if not validation.is_storable(wanted):
            return

        def unit(connection: Connection) -> None:
            if code_id is None:
                values = {"tenant": tenant, "device": code_digests.stored_digest(wanted)}
                connection.execute(self._codes.delete_device, values)
                return
            values = {"tenant": tenant, "code": code_id}
            row = connection.execute(self._codes.code_by_id, values).first()
            if row is not None:
                which = {"tenant": tenant, "device": row.device_id_hash}
                connection.execute(self._codes.lock_device, which)
                connection.execute(self._codes.delete_code, values)
                connection.execute(self._codes.delete_if_empty, which)

        self._database.write(unit)

    def devices(
        self,
        tenant_id: str,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        device_id: str | None = None,
        pre_auth_session_id: str | None = None,
    ) -> list[Device]:
        """Return the devices of a contact, or the one of an id, with their codes.

        Raises:
            BadInputError: not exactly one is given, or an id is no base64.
        """
        if sum(one is not None for one in (email, phone_number, device_id, pre_auth_session_id)) != 1:
            raise BadInputError(
                "Please provide exactly one of email, phoneNumber, deviceId or preAuthSessionId"
            )
        tenant = self._tenants.find(tenant_id)
        if tenant is None:
            return []
        values: dict[str, Any] = {"tenant": tenant.tenant_id}
        if email is None and phone_number is None:
            digest = None if device_id is None else code_digests.read_device(device_id).digest
            values["device"] = digest or code_digests.stored_digest(str(pre_auth_session_id))
            statement = self._codes.device
        else:
            contact = read_contact(email, phone_number)
            values["contact"] = contact.value
            statement = self._codes.of_contact[contact.kind]
        if not all(map(validation.is_storable, values.values())):
            return []
        lifetime = self._lifetime(tenant)
        return self._database.read(lambda c: self._with_codes(c, statement, values, lifetime))

    def _with_codes(
        self, connection: Connection, statement: Select[Any], values: dict[str, Any], lifetime_ms: int
    ) -> list[Device]:
        rows = connection.execute(statement, values).all()
        which = {"tenant": values["tenant"], "devices": [row.device_id_hash for row in rows]}
        codes = connection.execute(self._codes.codes, which).all() if rows else ()
        of_device: dict[str, list[DeviceCode]] = {}
        for code in codes:
            of_device.setdefault(code.device_id_hash, []).append(
                DeviceCode(code_id=code.code_id, created_ms=code.created_at, lifetime_ms=lifetime_ms)
            )
        return [
            replace(device_record(row), codes=tuple(of_device.get(row.device_id_hash, ()))) for row in rows
        ]

    def clean_up(self, now_ms: int) -> None:
        """Delete devices whose codes nobody can use any more, in every tenant."""
        for tenant in self._tenants.all():
            before = now_ms - 2 * self._lifetime(tenant)
            name, count = tenant.tenant_id, BATCH
            while count == BATCH:
                count = self._database.write(
                    lambda c, n=name, b=before: self._codes.sweep(c, n, before_ms=b, most=BATCH)
                )


def _refused(error: IntegrityError, tenant_id: str) -> CodeAlreadyUsed:
    """Return what a broken rule means for a code: a device that was there is locked, and cannot have gone."""
    if errors.is_taken(error):
        return CodeAlreadyUsed()
    if not errors.is_unknown_parent(error):
        raise error
    raise UnknownTenantError(tenant_id) from error


def read_contact(email: str | None, phone_number: str | None) -> Contact:
    """Return the one that is given, as it is stored.

    Raises:
        BadInputError: it is not exactly one, or cannot be stored.
    """
    if (email is None) == (phone_number is None):
        raise BadInputError("Please provide exactly one of email or phoneNumber")
    if email is not None:
        return Contact("email", validation.stored_email(email))
    return Contact("phone_number", validation.stored_phone_number(phone_number))
