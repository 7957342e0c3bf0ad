"""Codes that pile up, as in a flood of requests for made-up contacts: no request costs more for them."""

from __future__ import annotations

import secrets
from functools import partial
from typing import Any
from uuid import uuid4

from supertokens_py.engine.code_records import CreatedCode, NewCode, PresentedCode
from tests.engine.conftest import Opener
from tests.engine.driver import Driver
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase
from tests.support.effort import effort

LIFETIME = 600_000
MANY, EXPIRED = 2_000, 10
QUICK: dict[str, Any] = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
UNLIMITED = {**QUICK, "passwordless_messages_per_day": 0}
ADDRESS, NUMBER = "ada@example.com", "+16502530000"


def pile_up(core: Driver, count: int, made_ms: int) -> None:
    """Add so many devices of as many contacts, each with a code that was made then."""
    of = {"app_id": "public", "tenant_id": "public"}
    devices: list[dict[str, Any]] = []
    codes: list[dict[str, Any]] = []
    for n in range(count):
        digest, phone = (
            secrets.token_urlsafe(32) + "=",
            f"+1650{secrets.randbelow(10**7):07}" if n % 2 else None,
        )
        contact = {"email": None if phone else f"{digest}@example.com", "phone_number": phone}
        device = {"device_id_hash": digest, "link_code_salt": "salt", "failed_attempts": 0}
        devices.append({**of, **contact, **device})
        code = {"code_id": str(uuid4()), "device_id_hash": digest, "link_code_hash": digest}
        codes.append({**of, **code, "created_at": made_ms})
    core.seed({"passwordless_devices": devices, "passwordless_codes": codes})


def made(core: Driver, **new: Any) -> CreatedCode:
    code = core.passwordless.create_code("public", NewCode(**new))
    assert isinstance(code, CreatedCode)
    return code


def presented(code: CreatedCode, typed: str | None = None) -> PresentedCode:
    return PresentedCode(
        pre_auth_session_id=code.pre_auth_session_id,
        device_id=code.device_id,
        user_input_code=typed or code.user_input_code,
    )


def asks(core: Driver) -> None:
    made(core, email=ADDRESS)


def asks_by_phone(core: Driver) -> None:
    made(core, phone_number=NUMBER)


def asks_again(core: Driver) -> None:
    made(core, device_id=made(core, email=ADDRESS).device_id)


def guesses(core: Driver) -> None:
    core.passwordless.consume("public", presented(made(core, email=ADDRESS), "x"))


def signs_in(core: Driver) -> None:
    core.passwordless.consume("public", presented(made(core, email=ADDRESS)))


def opens_the_link(core: Driver) -> None:
    code = made(core, phone_number=NUMBER)
    link = PresentedCode(pre_auth_session_id=code.pre_auth_session_id, link_code=code.link_code)
    core.passwordless.consume("public", link)


def revokes(core: Driver) -> None:
    core.passwordless.revoke_codes("public", email=ADDRESS)
    core.passwordless.revoke_code("public", code_id=made(core, email=ADDRESS).code_id)


def looks(core: Driver) -> None:
    core.passwordless.devices("public", device_id=made(core, email=ADDRESS).device_id)
    core.passwordless.devices("public", email=ADDRESS)


def cleans_up(core: Driver) -> None:
    core.passwordless.clean_up(core.settings.now_ms())


CALLS = (asks, asks_by_phone, asks_again, guesses, signs_in, opens_the_link, revokes, looks, cleans_up)


def test_no_call_costs_more_for_the_codes_of_others(
    sqlite_files: Sqlite, start: Opener, clock: Clock
) -> None:
    """Also where some have expired and are deleted on the way; without statistics, and with them."""
    stored = sqlite_files.create(users=True)
    core = start(stored.uri, keeps_users=True, now_ms=clock, **UNLIMITED)

    def costs() -> dict[str, int]:
        found: dict[str, int] = {}
        for call in CALLS:
            pile_up(core, EXPIRED, clock() - 2 * LIFETIME - 1)
            found[call.__name__] = effort(core.database, stored, partial(call, core))
        return found

    before = costs()
    pile_up(core, MANY, clock())
    after = costs()
    stored.query("ANALYZE")
    for later in (after, costs()):
        assert {name: cost for name, cost in later.items() if cost > before[name] + MANY // 4} == {}


def test_a_sign_in_reads_no_other_user(sqlite_files: Sqlite, start: Opener) -> None:
    stored = sqlite_files.create(users=True)
    core = start(stored.uri, keeps_users=True, **QUICK)

    def sign_in(number: int) -> None:
        core.third_party.sign_in_up("public", "github", str(number), email=ADDRESS, is_verified=False)

    sign_in(0)
    before = effort(core.database, stored, lambda: sign_in(0))
    for number in range(100):
        sign_in(number)
    assert effort(core.database, stored, lambda: sign_in(0)) <= before + 50


def test_wrong_codes_for_made_up_contacts_leave_few_counts(
    users_database: TestDatabase, start: Opener, clock: Clock
) -> None:
    """Three for each contact, until they are made up for: of 60 in ten hours those of the last one or two."""
    core = start(users_database.uri, keeps_users=True, now_ms=clock, **UNLIMITED)
    for number in range(60):
        code = made(core, email=f"made-up-{number}@example.com")
        core.passwordless.consume("public", presented(code, "x"), client=f"192.0.2.{number}")
        clock.advance(minutes=10)
    assert core.count("key_value WHERE name LIKE 'supertokens_py_clients_%'") <= 30


def test_a_refused_message_leaves_no_count(users_database: TestDatabase, start: Opener, clock: Clock) -> None:
    """Of a hundred networks that ask for codes for one contact at once, only the first is counted."""
    core = start(users_database.uri, keeps_users=True, now_ms=clock, **QUICK)
    for number in range(100):
        core.passwordless.may_send("public", email=ADDRESS, client=f"2001:db8:0:{number:x}::")
    assert core.count("key_value WHERE name LIKE 'supertokens_py_sends_%'") == 3
