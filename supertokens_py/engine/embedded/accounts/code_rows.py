"""Statements on devices and their codes (engine: Passwordless)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, func, insert, select, update

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine.code_records import Device

from ..storage.dialects import without_index
from .user_tables import CODES, DEVICES

if TYPE_CHECKING:
    from sqlalchemy import Connection, Delete, Insert, Select, Table, Update
    from sqlalchemy.sql.elements import ColumnElement
    from sqlalchemy.sql.selectable import ScalarSelect

    from ..storage.tables import Tables

#: Devices of one contact in a tenant; of more the oldest end. Limits of messages are reached long before.
MAX_DEVICES = 50
#: Codes of one device, after they were sent again; of more the oldest end. A guess may be any of them.
MAX_CODES = 3
#: Devices whose codes are long expired that the making of another device deletes: more than it adds.
_SWEPT = 4
#: Of those, how many a clean-up deletes at a time.
BATCH = 500


class CodeRows:
    """The statements, and what needs several of them.

    Every parameter `tenant` is a normalised id; `contact` is an e-mail address or a phone number, and the
    statements of both are by the name of its column.
    """

    def __init__(self, tables: Tables) -> None:
        devices, codes = tables[DEVICES], tables[CODES]
        self._of_devices(devices, codes)
        self._of_codes(codes)
        self._of_clean_up(devices, codes)

    def _of_devices(self, devices: Table, codes: Table) -> None:
        one = (*_in_tenant(devices), devices.c.device_id_hash == bindparam("device"))
        contacts = {
            name: (*_in_tenant(devices), devices.c[name] == bindparam("contact"))
            for name in ("email", "phone_number")
        }
        self.device: Select[Any] = select(devices).where(*one)
        self.of_contact: dict[str, Select[Any]] = {
            name: select(devices).where(*of).order_by(without_index(devices.c.device_id_hash))
            for name, of in contacts.items()
        }
        #: Always in the same order, so that no two who lock devices wait for each other.
        self.lock: dict[str, Select[Any]] = {
            name: statement.with_for_update() for name, statement in self.of_contact.items()
        }
        self.lock_device: Select[Any] = self.device.with_for_update()
        self.insert_device: Insert = insert(devices).values(
            app_id=DEFAULT_APP_ID,
            tenant_id=bindparam("tenant"),
            device_id_hash=bindparam("device"),
            email=bindparam("email"),
            phone_number=bindparam("phone_number"),
            link_code_salt=bindparam("salt"),
            failed_attempts=0,
        )
        self.count_failure: Update = update(devices).where(*one).values(failed_attempts=bindparam("failed"))
        self.delete_device: Delete = delete(devices).where(*one)
        self.delete_of_contact: dict[str, Delete] = {
            name: _delete_found(devices, locked.with_only_columns(devices.c.device_id_hash))
            for name, locked in self.lock.items()
        }
        of_device = _of_device(codes, devices)
        self.delete_if_empty: Delete = delete(devices).where(*one, ~exists().where(*of_device))
        newest = func.coalesce(_newest(codes, devices), 0)
        self._delete_oldest: dict[str, Delete] = {
            name: _delete_found(
                devices,
                select(devices.c.device_id_hash).where(*of).order_by(newest.desc()).offset(MAX_DEVICES - 1),
            )
            for name, of in contacts.items()
        }

    def _of_codes(self, codes: Table) -> None:
        self.code_by_link: Select[Any] = select(codes).where(
            *_in_tenant(codes), codes.c.link_code_hash == bindparam("link")
        )
        self.code_by_id: Select[Any] = select(codes).where(
            *_in_tenant(codes), codes.c.code_id == bindparam("code")
        )
        self.codes: Select[Any] = (
            select(codes)
            .where(*_in_tenant(codes), codes.c.device_id_hash.in_(bindparam("devices", expanding=True)))
            .order_by(without_index(codes.c.created_at), codes.c.code_id)
        )
        self.insert_code: Insert = insert(codes).values(
            app_id=DEFAULT_APP_ID,
            tenant_id=bindparam("tenant"),
            code_id=bindparam("code"),
            device_id_hash=bindparam("device"),
            link_code_hash=bindparam("link"),
            created_at=bindparam("now"),
        )
        #: Makes room for another code of a device.
        oldest = (
            select(codes.c.code_id)
            .where(*_in_tenant(codes), codes.c.device_id_hash == bindparam("device"))
            .order_by(without_index(codes.c.created_at).desc(), codes.c.code_id)
            .offset(MAX_CODES - 1)
        )
        self.delete_oldest_codes: Delete = delete(codes).where(
            *_in_tenant(codes), codes.c.code_id.in_(oldest)
        )
        self.delete_code: Delete = delete(codes).where(
            *_in_tenant(codes), codes.c.code_id == bindparam("code")
        )

    def _of_clean_up(self, devices: Table, codes: Table) -> None:
        of_device = _of_device(codes, devices)
        # SKIP LOCKED: a device that is just being used is not ours to delete.
        expired = (
            select(devices.c.device_id_hash)
            .join(codes, of_device[0] & of_device[1] & of_device[2])
            .where(
                *_in_tenant(devices),
                codes.c.created_at < bindparam("before"),
                _newest(codes.alias(), devices) < bindparam("before"),
            )
            .order_by(codes.c.created_at)
            .limit(bindparam("most"))
            .with_for_update(of=devices, skip_locked=True)
        )
        self._delete_expired = _delete_found(devices, expired)

    def sweep(self, connection: Connection, tenant_id: str, *, before_ms: int, most: int = _SWEPT) -> int:
        """Delete some devices whose codes were all made before a time; return how many."""
        values = {"tenant": tenant_id, "before": before_ms, "most": most}
        return connection.execute(self._delete_expired, values).rowcount

    def end_oldest(self, connection: Connection, tenant_id: str, kind: str, contact: str) -> None:
        """Make room for another device of a contact."""
        connection.execute(self._delete_oldest[kind], {"tenant": tenant_id, "contact": contact})


def device_record(row: Any) -> Device:
    """Return a device without its codes."""
    return Device(
        pre_auth_session_id=row.device_id_hash,
        failed_attempts=row.failed_attempts,
        email=row.email,
        phone_number=row.phone_number,
    )


def _in_tenant(table: Any) -> tuple[ColumnElement[bool], ...]:
    return table.c.app_id == DEFAULT_APP_ID, table.c.tenant_id == bindparam("tenant")


def _of_device(codes: Any, devices: Any) -> tuple[ColumnElement[bool], ...]:
    names = ("app_id", "tenant_id", "device_id_hash")
    return tuple(codes.c[name] == devices.c[name] for name in names)


def _newest(codes: Any, devices: Any) -> ScalarSelect[int]:
    """Return when the newest code of a device was made; nothing that SQLite would join with all codes."""
    of_device = select(func.max(without_index(codes.c.created_at))).where(*_of_device(codes, devices))
    return of_device.correlate(devices).scalar_subquery()


def _delete_found(devices: Table, found: Select[Any]) -> Delete:
    return delete(devices).where(*_in_tenant(devices), devices.c.device_id_hash.in_(found))
