"""The contract suite of the embedded engine, held by the remote engine over our server."""

from __future__ import annotations

import importlib
import inspect
from types import FunctionType, ModuleType

import pytest

from tests.engine.remote.conftest import USER_MODULES

#: Fixtures that mean an embedded engine of the test's own.
OWN = {"database", "start", "stored", "shared_database", "empty_database", "postgres_server", "sqlite_files"}

#: What cannot hold over the core driver interface, and why; docs/official-core.md says so to users.
NOT_OVER_CDI = {
    "test_tokens_verify_with_the_key_set_at_once": "a remote key set is loaded when an unknown key is met",
    "test_verifying_says_what_is_stored": "a core only says that another payload is stored, not which",
    "test_whose_password_was_wrong_is_told": "a core does not say whose it was",
    "test_no_transaction_is_open_while_a_hash_is_computed": "that is for the engine behind a server",
    "test_64_clients_sign_up_one_address_at_once": "there are 32 connections; the database decides",
    "test_64_first_sign_ins_of_one_account_make_one_user": "there are 32 connections; the database decides",
    "test_a_new_address_is_in_the_audit_log": "a core does not say whether the address was another one",
    "test_a_proof_ends_with_the_password_and_with_the_user": "a core says only whether the user is there",
    "test_a_change_that_a_former_password_allows_is_not_made": "a core does not say that it was changed",
    "test_an_access_token_comes_as_it_would_be_parsed": "a core sends it as text",
    "test_the_recipe_switches_change_alone_too": "the second tenant interface does not show the switches",
}

#: What clients below CDI 5.6 cannot ask for, and are told so.
NEWEST_ONLY = {"test_a_life_out_of_range_is_refused"}


#: What is the same on the wire from CDI 5.0 on.
NEWEST_MODULES = {
    f"tests.engine.test_{name}"
    for name in ("accounts", "email_verification", "id_mappings", "tenant_members")
}


def _adopt(module: ModuleType) -> None:
    for name, test in list(vars(module).items()):
        if name in NOT_OVER_CDI or not name.startswith("test_") or not inspect.isfunction(test):
            continue
        parameters = set(inspect.signature(test).parameters)
        if "core" in parameters and not parameters & OWN:
            label = f"{name}__{module.__name__.rpartition('test_')[2]}"
            is_newest_only = name in NEWEST_ONLY or module.__name__ in NEWEST_MODULES
            globals()[label] = _newest(test) if is_newest_only else test


def _newest(test: FunctionType) -> FunctionType:
    copy = FunctionType(test.__code__, test.__globals__, test.__name__, test.__defaults__, test.__closure__)
    copy.__dict__.update(test.__dict__)
    copy.pytestmark = [
        *getattr(test, "pytestmark", []),
        pytest.mark.parametrize("core", [None], indirect=True).mark,
    ]
    return copy


for _name in ("sessions", "refresh", "keys", "roles", "metadata", "tenants", "users", *USER_MODULES):
    _adopt(importlib.import_module(f"tests.engine.test_{_name}"))
