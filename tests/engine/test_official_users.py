"""A database of users that an official core made, opened in place: everybody signs in."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import bcrypt
import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from supertokens_py.engine.code_records import ConsumedCode, CreatedCode, Device, NewCode, PresentedCode
from supertokens_py.engine.embedded.session_state.refresh_tokens import hash2, new_master_key
from supertokens_py.engine.user_records import SignedInUp, UserQuery
from supertokens_py.exceptions import BadInputError
from supertokens_py.types.users import AccountInfo, ThirdPartyInfo, User
from tests.engine.conftest import POSTGRES, SQLITE, Opener
from tests.engine.storage.test_schema import OFFICIAL_DDL, bytes_of
from tests.support.databases import Sqlite, TestDatabase
from tests.support.keys import next_pair
from tests.support.refresh_tokens import session_token

QUICK = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
ADA, BOB, CARL, DORA, EMIL, FRED = (f"{number}0000000-0000-4000-8000-000000000000" for number in range(1, 7))
JOINED = 1_600_000_000_000
NUMBER = "+16502530000"
#: Id of a device and the code of a link, as a core makes them of the bytes 0 to 31, the salt 32 to 63 and the
#: code 123456 (the second has the digest in `OfficialUsers.code`).
DEVICE = "Yw3NKWbEM2aRElRIu7JbT_QSpJxzLbLIq8G4WBvXEN0"
LINK = "GG0Ss4OqlRCeHdv7UHj5zeJmudmi8pXGJTZlfjEbW4Q"

_SESSIONS_DDL = OFFICIAL_DDL.partition("CREATE TABLE app_id_to_user_id")[0]
_TIMES_OF_CORE_12 = (
    ", time_joined BIGINT NOT NULL DEFAULT 0, primary_or_recipe_user_time_joined BIGINT NOT NULL DEFAULT 0"
)
#: What core 12 has beside, and leaves empty as long as its `migration_mode` is LEGACY.
_RESERVATIONS_OF_CORE_12 = """
CREATE TABLE recipe_user_tenants (app_id VARCHAR(64) NOT NULL, recipe_user_id CHAR(36) NOT NULL,
  tenant_id VARCHAR(64) NOT NULL, recipe_id VARCHAR(128) NOT NULL, account_info_type VARCHAR(8) NOT NULL,
  account_info_value TEXT NOT NULL, third_party_id VARCHAR(28), third_party_user_id VARCHAR(256));
"""
_USERS_DDL = """
CREATE TABLE app_id_to_user_id (app_id VARCHAR(64) NOT NULL DEFAULT 'public', user_id CHAR(36) NOT NULL,
  recipe_id VARCHAR(128) NOT NULL, primary_or_recipe_user_id CHAR(36) NOT NULL,
  is_linked_or_is_a_primary_user BOOLEAN NOT NULL DEFAULT FALSE{times},
  CONSTRAINT app_id_to_user_id_pkey PRIMARY KEY (app_id, user_id),
  CONSTRAINT app_id_to_user_id_app_id_fkey FOREIGN KEY (app_id) REFERENCES apps (app_id) ON DELETE CASCADE);
CREATE TABLE all_auth_recipe_users (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL,
  primary_or_recipe_user_id CHAR(36) NOT NULL,
  is_linked_or_is_a_primary_user BOOLEAN NOT NULL DEFAULT FALSE, recipe_id VARCHAR(128) NOT NULL,
  time_joined BIGINT NOT NULL, primary_or_recipe_user_time_joined BIGINT NOT NULL,
  CONSTRAINT all_auth_recipe_users_pkey PRIMARY KEY (app_id, tenant_id, user_id),
  CONSTRAINT all_auth_recipe_users_user_id_fkey FOREIGN KEY (app_id, user_id)
    REFERENCES app_id_to_user_id (app_id, user_id) ON DELETE CASCADE);
CREATE TABLE emailpassword_users (app_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL,
  email VARCHAR(256) NOT NULL, password_hash VARCHAR(256) NOT NULL, time_joined BIGINT NOT NULL,
  CONSTRAINT emailpassword_users_pkey PRIMARY KEY (app_id, user_id),
  CONSTRAINT emailpassword_users_user_id_fkey FOREIGN KEY (app_id, user_id)
    REFERENCES app_id_to_user_id (app_id, user_id) ON DELETE CASCADE);
CREATE TABLE emailpassword_user_to_tenant (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL, email VARCHAR(256) NOT NULL,
  CONSTRAINT emailpassword_user_to_tenant_pkey PRIMARY KEY (app_id, tenant_id, user_id),
  CONSTRAINT emailpassword_user_to_tenant_email_key UNIQUE (app_id, tenant_id, email),
  CONSTRAINT emailpassword_user_to_tenant_user_id_fkey FOREIGN KEY (app_id, tenant_id, user_id)
    REFERENCES all_auth_recipe_users (app_id, tenant_id, user_id) ON DELETE CASCADE);
CREATE TABLE emailpassword_pswd_reset_tokens (app_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL,
  token VARCHAR(128) NOT NULL UNIQUE, email VARCHAR(256), token_expiry BIGINT NOT NULL,
  CONSTRAINT emailpassword_pswd_reset_tokens_pkey PRIMARY KEY (app_id, user_id, token));
CREATE TABLE emailverification_verified_emails (app_id VARCHAR(64) DEFAULT 'public',
  user_id VARCHAR(128) NOT NULL, email VARCHAR(256) NOT NULL,
  CONSTRAINT emailverification_verified_emails_pkey PRIMARY KEY (app_id, user_id, email));
CREATE TABLE emailverification_tokens (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public', user_id VARCHAR(128) NOT NULL, email VARCHAR(256) NOT NULL,
  token VARCHAR(128) NOT NULL UNIQUE, token_expiry BIGINT NOT NULL,
  CONSTRAINT emailverification_tokens_pkey PRIMARY KEY (app_id, tenant_id, user_id, email, token));
CREATE TABLE userid_mapping (app_id VARCHAR(64) DEFAULT 'public', supertokens_user_id CHAR(36) NOT NULL,
  external_user_id VARCHAR(128) NOT NULL, external_user_id_info TEXT,
  CONSTRAINT userid_mapping_pkey PRIMARY KEY (app_id, supertokens_user_id, external_user_id),
  CONSTRAINT userid_mapping_supertokens_user_id_key UNIQUE (app_id, supertokens_user_id),
  CONSTRAINT userid_mapping_external_user_id_key UNIQUE (app_id, external_user_id));
CREATE TABLE thirdparty_users (app_id VARCHAR(64) DEFAULT 'public', third_party_id VARCHAR(28) NOT NULL,
  third_party_user_id VARCHAR(256) NOT NULL, user_id CHAR(36) NOT NULL, email VARCHAR(256) NOT NULL,
  time_joined BIGINT NOT NULL, CONSTRAINT thirdparty_users_pkey PRIMARY KEY (app_id, user_id));
CREATE TABLE thirdparty_user_to_tenant (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL, third_party_id VARCHAR(28) NOT NULL,
  third_party_user_id VARCHAR(256) NOT NULL,
  CONSTRAINT thirdparty_user_to_tenant_pkey PRIMARY KEY (app_id, tenant_id, user_id),
  CONSTRAINT thirdparty_user_to_tenant_third_party_user_id_key
    UNIQUE (app_id, tenant_id, third_party_id, third_party_user_id));
CREATE TABLE passwordless_users (app_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL,
  email VARCHAR(256), phone_number VARCHAR(256), time_joined BIGINT NOT NULL,
  CONSTRAINT passwordless_users_pkey PRIMARY KEY (app_id, user_id));
CREATE TABLE passwordless_user_to_tenant (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public', user_id CHAR(36) NOT NULL, email VARCHAR(256),
  phone_number VARCHAR(256),
  CONSTRAINT passwordless_user_to_tenant_pkey PRIMARY KEY (app_id, tenant_id, user_id),
  CONSTRAINT passwordless_user_to_tenant_email_key UNIQUE (app_id, tenant_id, email),
  CONSTRAINT passwordless_user_to_tenant_phone_number_key UNIQUE (app_id, tenant_id, phone_number),
  CONSTRAINT passwordless_user_to_tenant_user_id_fkey FOREIGN KEY (app_id, tenant_id, user_id)
    REFERENCES all_auth_recipe_users (app_id, tenant_id, user_id) ON DELETE CASCADE);
CREATE TABLE passwordless_devices (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public',
  device_id_hash CHAR(44) NOT NULL, email VARCHAR(256), phone_number VARCHAR(256),
  link_code_salt CHAR(44) NOT NULL, failed_attempts INT NOT NULL,
  CONSTRAINT passwordless_devices_pkey PRIMARY KEY (app_id, tenant_id, device_id_hash));
CREATE TABLE passwordless_codes (app_id VARCHAR(64) DEFAULT 'public',
  tenant_id VARCHAR(64) DEFAULT 'public',
  code_id CHAR(36) NOT NULL, device_id_hash CHAR(44) NOT NULL, link_code_hash CHAR(44) NOT NULL,
  created_at BIGINT NOT NULL, CONSTRAINT passwordless_codes_pkey PRIMARY KEY (app_id, tenant_id, code_id),
  CONSTRAINT passwordless_codes_link_code_hash_key UNIQUE (app_id, tenant_id, link_code_hash),
  CONSTRAINT passwordless_codes_device_id_hash_fkey FOREIGN KEY (app_id, tenant_id, device_id_hash)
    REFERENCES passwordless_devices (app_id, tenant_id, device_id_hash) ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE totp_users (app_id VARCHAR(64) DEFAULT 'public', user_id VARCHAR(128) NOT NULL,
  CONSTRAINT totp_users_pkey PRIMARY KEY (app_id, user_id));
"""

#: Tables that signing in has nothing to write to; the last three are of recipes that are not here.
UNTOUCHED = (
    *("app_id_to_user_id", "all_auth_recipe_users", "emailpassword_user_to_tenant", "userid_mapping"),
    *("emailverification_verified_emails", "thirdparty_users", "thirdparty_user_to_tenant"),
    *("passwordless_users", "totp_users"),
)


def core_bcrypt(password: str) -> str:
    """Return a hash as a core writes it by default."""
    return "$2a" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()[3:]


def core_argon2(password: str) -> str:
    """Return a hash as a core writes it where `password_hashing_alg` is ARGON2."""
    kind = Argon2id(salt=b"0123456789abcdef", length=32, iterations=1, lanes=2, memory_cost=1024)
    return kind.derive_phc_encoded(password.encode())


@dataclass
class OfficialUsers:
    """Writes users and sessions as an official core does, from the layout alone."""

    database: TestDatabase
    master_key: str = field(default_factory=new_master_key)

    def create(self, *, core_12: bool) -> None:
        now = time.time_ns() // 1_000_000
        times = _TIMES_OF_CORE_12 if core_12 else ""
        ddl = _SESSIONS_DDL + _USERS_DDL.replace("{times}", times) + _RESERVATIONS_OF_CORE_12 * core_12
        for statement in ddl.split(";\n"):
            if statement.strip():
                self.database.query(statement)
        self.database.query("INSERT INTO apps VALUES ('public', 1)")
        self.database.query("INSERT INTO tenants VALUES ('public', 'public', 1), ('public', 't1', 1)")
        keys = {"refresh_token_key": self.master_key}
        for name, value in keys.items():
            self.database.query("INSERT INTO key_value VALUES ('public', 'public', %s, %s, 1)", name, value)
        self.database.query(
            "INSERT INTO session_access_token_signing_keys VALUES ('public', %s, %s)",
            now - 5000,
            next_pair().replace("|", ";"),
        )
        self.database.query(
            "INSERT INTO jwt_signing_keys VALUES ('public', 's-official', %s, 'RS256', 1)", next_pair()
        )

    def user(self, user_id: str, recipe_id: str = "emailpassword", *, tenant_id: str = "public") -> None:
        self.database.query(
            "INSERT INTO app_id_to_user_id (app_id, user_id, recipe_id, primary_or_recipe_user_id) "
            "VALUES ('public', %s, %s, %s)",
            *(user_id, recipe_id, user_id),
        )
        self.database.query(
            "INSERT INTO all_auth_recipe_users VALUES ('public', %s, %s, %s, FALSE, %s, %s, %s)",
            *(tenant_id, user_id, user_id, recipe_id, JOINED, JOINED),
        )

    def with_password(self, user_id: str, email: str, hashed: str, *, tenant_id: str = "public") -> None:
        self.user(user_id, tenant_id=tenant_id)
        insert = "INSERT INTO emailpassword_users VALUES ('public', %s, %s, %s, %s)"
        self.database.query(insert, user_id, email, hashed, JOINED)
        insert = "INSERT INTO emailpassword_user_to_tenant VALUES ('public', %s, %s, %s)"
        self.database.query(insert, tenant_id, user_id, email)

    def verified(self, user_id: str, email: str) -> None:
        insert = "INSERT INTO emailverification_verified_emails VALUES ('public', %s, %s)"
        self.database.query(insert, user_id, email)

    def session(self, user_id: str) -> str:
        """Insert a session; return its refresh token."""
        handle, nonce = f"session of {user_id}", hash2(user_id)
        token = session_token(self.master_key, handle=handle, user_id=user_id, nonce=nonce)
        self.database.query(
            "INSERT INTO session_info VALUES ('public', 'public', %s, %s, %s, '{}', %s, 1, '{}', FALSE)",
            *(handle, user_id, hash2(token), 10**15),
        )
        return token

    def code(self, **contact: str) -> None:
        """Insert a device and its code."""
        insert = "INSERT INTO passwordless_devices VALUES ('public', 'public', %s, %s, %s, %s, 1)"
        salt = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
        self.database.query(insert, DEVICE, contact.get("email"), contact.get("phone_number"), salt)
        self.database.query(
            "INSERT INTO passwordless_codes VALUES ('public', 'public', %s, %s, %s, %s)",
            *("20000000-0000-4000-8000-000000000000", DEVICE, "nDpoavHqv8vldu3TKssOJvqFyOknHBs1tz-eXK0LVps="),
            time.time_ns() // 1_000_000,
        )


@pytest.fixture(params=[SQLITE, POSTGRES])
def database(request: pytest.FixtureRequest, sqlite_files: Sqlite) -> TestDatabase:
    if request.param == "sqlite-file":
        return sqlite_files.create(template=False)
    return request.getfixturevalue("empty_postgres_database")


@pytest.fixture(params=[pytest.param(False, id="core 9"), pytest.param(True, id="core 12")])
def official(request: pytest.FixtureRequest, database: TestDatabase) -> OfficialUsers:
    """Two users by bcrypt, one by Argon2 in another tenant, and two of recipes that are not here."""
    users = OfficialUsers(database)
    users.create(core_12=request.param)
    users.with_password(ADA, "ada@example.com", core_bcrypt("ada's password 1"))
    users.with_password(BOB, "bob@example.com", core_bcrypt("bob's password 1"))
    users.with_password(CARL, "carl@example.com", core_argon2("carl's password 1"), tenant_id="t1")
    users.verified(ADA, "ada@example.com")
    database.query("INSERT INTO userid_mapping VALUES ('public', %s, 'bob-42', 'a note')", BOB)
    users.verified("bob-42", "bob@example.com")
    users.user(DORA, "thirdparty")
    insert = "INSERT INTO thirdparty_users VALUES ('public', 'google', 'g-1', %s, 'dora@example.com', 1)"
    database.query(insert, DORA)
    insert = "INSERT INTO thirdparty_user_to_tenant VALUES ('public', 'public', %s, 'google', 'g-1')"
    database.query(insert, DORA)
    users.user(EMIL, "passwordless")
    database.query("INSERT INTO passwordless_users VALUES ('public', %s, NULL, %s, 1)", EMIL, NUMBER)
    insert = "INSERT INTO passwordless_user_to_tenant VALUES ('public', 'public', %s, NULL, %s)"
    database.query(insert, EMIL, NUMBER)
    database.query("INSERT INTO totp_users VALUES ('public', %s)", DORA)
    return users


def contents(database: TestDatabase) -> dict[str, Any]:
    """Return everything of the tables that signing in does not write to: layout, rows and where they lie."""
    if database.kind == "postgresql":
        # Indexes that a page of users needs are added; neither columns nor rows are touched.
        return {table: (bytes_of(database, table)[0], bytes_of(database, table)[2]) for table in UNTOUCHED}
    layout = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s"
    return {
        table: (database.query(layout, table), database.query(f"SELECT rowid, * FROM {table}"))
        for table in UNTOUCHED
    }


def test_everybody_signs_in_and_nothing_else_changes(official: OfficialUsers, start: Opener) -> None:
    """SI-64, SI-65, SI-68. With the passwords, ids, verified addresses and sessions that they have."""
    tokens = {user_id: official.session(user_id) for user_id in (ADA, "bob-42", DORA)}
    before = contents(official.database)
    core = start(official.database.uri, keeps_users=True, **QUICK)
    signed_in = [
        core.email_password.verify(tenant, f"{name}@example.com", f"{name}'s password 1")
        for name, tenant in (("ada", "public"), ("bob", "public"), ("carl", "t1"))
    ]
    assert [user.id for user in signed_in] == [ADA, "bob-42", CARL]
    there = core.engine.third_party.sign_in_up(
        "public", "google", "g-1", email="dora@example.com", is_verified=False
    )
    assert isinstance(there, SignedInUp)
    assert (there.user.id, there.created) == (DORA, False)
    assert [user.login_methods[0].verified for user in signed_in] == [True, True, False]
    assert [user.time_joined for user in signed_in] == [JOINED] * 3
    for user_id, token in tokens.items():
        refreshed = core.refresh(token)
        assert (refreshed.user_id, refreshed.recipe_user_id) == (user_id, user_id)
    assert {one.id for one in core.users.page("public", UserQuery()).users} == {ADA, "bob-42", DORA, EMIL}
    assert core.email_password.verify("public", "dora@example.com", "any password 1") is None
    assert core.email_password.verify("public", "carl@example.com", "carl's password 1") is None
    core.clean_up()
    core.close()
    assert contents(official.database) == before


def test_hashes_are_renewed_in_a_form_that_a_core_reads(official: OfficialUsers, start: Opener) -> None:
    """SI-64. Whoever goes back to the core signs in there; users who did not sign in keep their hashes."""
    core = start(official.database.uri, keeps_users=True, **QUICK)
    hashes = "SELECT user_id, password_hash FROM emailpassword_users"
    before = dict(official.database.query(hashes))
    assert core.email_password.verify("public", "ada@example.com", "wrong") is None
    assert dict(official.database.query(hashes)) == before
    assert core.email_password.verify("public", "ada@example.com", "ada's password 1")
    after = dict(official.database.query(hashes))
    assert after == {**before, ADA: after[ADA]}
    assert after[ADA].startswith("$argon2id$v=19$m=1024,t=1,p=1$")
    Argon2id.verify_phc_encoded(b"ada's password 1", after[ADA])


def test_users_of_other_recipes_are_left_to_the_core(official: OfficialUsers, start: Opener) -> None:
    """SI-17. They are read, and not removed; nobody with a password has the addresses of others."""
    official.user(FRED, "webauthn")
    core = start(official.database.uri, keeps_users=True, **QUICK)
    fred = core.users.find(FRED)
    assert isinstance(fred, User)
    assert (fred.login_methods[0].recipe_id, fred.time_joined) == ("webauthn", JOINED)
    with pytest.raises(BadInputError, match="not this app's to delete"):
        core.users.remove(FRED)
    assert core.users.find(FRED) == fred
    assert core.email_password.sign_up("public", "dora@example.com", "a password 1").id != DORA
    found = core.users.by_account_info("public", AccountInfo(third_party=ThirdPartyInfo("g-1", "google")))
    assert [user.id for user in found] == [DORA]
    core.users.remove(DORA)
    assert core.users.find(DORA) is None


def test_codes_that_the_core_sent_sign_in_and_new_ones_fit_its_tables(
    official: OfficialUsers, start: Opener
) -> None:
    """SI-38, SI-64. By its link the user whom it has; by ours whom it has, and somebody new."""
    official.code(phone_number=NUMBER)
    core = start(official.database.uri, keeps_users=True, **QUICK)

    def used(**presented: Any) -> ConsumedCode:
        used = core.passwordless.consume("public", PresentedCode(**presented))
        assert isinstance(used, ConsumedCode)
        return used

    by_link = used(pre_auth_session_id=DEVICE, link_code=LINK)
    assert (by_link.user.id, by_link.created) == (EMIL, False)
    assert by_link.device == Device(pre_auth_session_id=DEVICE, failed_attempts=1, phone_number=NUMBER)
    signed_in: list[tuple[str, bool]] = []
    for contact in ({"phone_number": NUMBER}, {"email": "gina@example.com"}):
        made = core.passwordless.create_code("public", NewCode(**contact))
        assert isinstance(made, CreatedCode)
        stored = official.database.one("passwordless_devices")
        assert stored["device_id_hash"].strip() == made.pre_auth_session_id
        assert official.database.one("passwordless_codes")["code_id"] == made.code_id
        ours = used(
            pre_auth_session_id=made.pre_auth_session_id,
            device_id=made.device_id,
            user_input_code=made.user_input_code,
        )
        signed_in.append((ours.user.id, ours.created))
    gina = signed_in[1][0]
    assert signed_in == [(EMIL, False), (gina, True)]
    assert official.database.query("SELECT * FROM passwordless_devices") == []
    assert official.database.one("passwordless_user_to_tenant WHERE user_id = %s", gina) == {
        "app_id": "public",
        "tenant_id": "public",
        "user_id": gina,
        "email": "gina@example.com",
        "phone_number": None,
    }
