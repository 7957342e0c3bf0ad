"""A rule of the schema that is broken: only "another one has it" is answered as such (engine: Tables)."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from supertokens_py.engine.code_records import NewCode, PresentedCode
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.databases import TestDatabase

EMAIL, NEW = "ada@example.com", "ada@example.org"
HASH = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"


def make_code(core: Driver, email: str = NEW) -> PresentedCode:
    made = core.passwordless.create_code(
        "public", NewCode(email=email, phone_number=None, device_id=None, user_input_code=None)
    )
    return PresentedCode(
        pre_auth_session_id=made.pre_auth_session_id,
        link_code=made.link_code,
        device_id=None,
        user_input_code=None,
    )


def refuse(stored: TestDatabase, table: str) -> None:
    """Have the database refuse every new or changed row of a table, as an operator's own rule does."""
    if stored.kind == "postgresql":
        stored.query(f"ALTER TABLE {table} ADD CONSTRAINT refused CHECK (false) NOT VALID")
        return
    for what in ("INSERT", "UPDATE"):
        refusal = "BEGIN SELECT RAISE(ABORT, 'refused'); END"
        stored.query(f"CREATE TRIGGER refuse_{what} BEFORE {what} ON {table} {refusal}")


Work = Callable[[Driver], Any]


def sign_up(core: Driver) -> Work:
    return lambda core: core.email_password.sign_up("public", NEW, "correct horse 1")


def change_address(core: Driver) -> Work:
    user = core.hash_import.put("public", EMAIL, HASH).user.id
    return lambda core: core.email_password.update(user, email=NEW, password=None, revoke_sessions=False)


def change_contact(core: Driver) -> Work:
    user = core.passwordless.consume("public", make_code(core, EMAIL)).user.id
    return lambda core: core.passwordless.update(user, email=NEW)


def use_code(core: Driver) -> Work:
    shown = make_code(core)
    return lambda core: core.passwordless.consume("public", shown)


def give_id(core: Driver) -> Work:
    user = core.hash_import.put("public", EMAIL, HASH).user.id
    return lambda core: core.id_mappings.create(user, "ext", None, force=False)


def join(core: Driver) -> Work:
    core.tenants.put("t1", {})
    user = core.hash_import.put("public", EMAIL, HASH).user.id
    return lambda core: core.users.associate("t1", user)


def put_hash(core: Driver) -> Work:
    return lambda core: core.hash_import.put("public", NEW, HASH)


def sign_in_at_provider(core: Driver) -> Work:
    return lambda core: core.third_party.sign_in_up("public", "google", "1", email=NEW, is_verified=True)


WRITES: list[tuple[Callable[[Driver], Work], str]] = [
    (sign_up, "emailpassword_users"),
    (change_address, "emailpassword_user_to_tenant"),
    (change_address, "emailpassword_users"),
    (change_contact, "passwordless_user_to_tenant"),
    (lambda core: make_code, "passwordless_codes"),
    (use_code, "passwordless_users"),
    (give_id, "userid_mapping"),
    (join, "emailpassword_user_to_tenant"),
    (put_hash, "emailpassword_users"),
    (sign_in_at_provider, "thirdparty_users"),
]


@pytest.mark.parametrize(("prepare", "table"), WRITES)
def test_a_rule_of_somebody_else_is_not_said_to_be_one_of_ours(
    users_database: TestDatabase, start: Opener, prepare: Callable[[Driver], Work], table: str
) -> None:
    """Nor is the call repeated, which ends in the same way: the database's own words reach the log.

    But for the row, which PostgreSQL repeats: there may be the hash of a password in it.
    """
    core = start(users_database.uri, argon2_memory_kb=1024, argon2_parallelism=1, keeps_users=True)
    work = prepare(core)
    refuse(users_database, table)
    with pytest.raises(IntegrityError, match="refused") as raised:
        work(core)
    said = "".join(traceback.format_exception(raised.value))
    assert "Failing row" not in said
    assert HASH not in said
