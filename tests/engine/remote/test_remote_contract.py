"""The contract suite of the embedded engine, held by the remote engine over our server."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import FunctionType, ModuleType

import pytest

from supertokens_py.exceptions import GeneralError
from tests.engine.driver import Driver

#: Fixtures that mean an embedded engine of the test's own.
OWN = {"database", "start", "shared_database", "empty_database", "postgres_server", "sqlite_files"}

_CHECKED_BY_THE_CORE = "the core checks arguments; see test_what_the_core_refuses_is_said_with_its_words"

#: What cannot hold over the core driver interface, and why.
NOT_OVER_CDI = {
    "test_what_cannot_be_stored_is_refused": _CHECKED_BY_THE_CORE,
    "test_blank_and_long_names_are_refused": _CHECKED_BY_THE_CORE,
    "test_a_user_who_cannot_exist_has_nothing": "no request can hold text without a UTF-8 form",
    "test_a_life_out_of_range_is_refused": _CHECKED_BY_THE_CORE,
    "test_depth_is_limited": _CHECKED_BY_THE_CORE,
    "test_a_payload_that_grows_too_large_is_refused": _CHECKED_BY_THE_CORE,
    "test_bad_ids_are_refused": _CHECKED_BY_THE_CORE,
    "test_bad_changes_are_refused": _CHECKED_BY_THE_CORE,
    "test_a_jwt_needs_a_life": _CHECKED_BY_THE_CORE,
    "test_a_jwt_needs_json": _CHECKED_BY_THE_CORE,
    "test_core_config_is_merged": _CHECKED_BY_THE_CORE,
    "test_a_deleted_tenant_takes_its_sessions_and_roles_along": _CHECKED_BY_THE_CORE,
    "test_tokens_verify_with_the_key_set_at_once": "a remote key set is loaded when an unknown key is met",
    "test_an_expired_session_does_not_verify": "the core looks at the expiry of the access token first",
    "test_only_given_fields_change": "the second tenant interface does not show the recipe switches",
}

#: What clients below CDI 5.6 are not told (kinds of reuse), cannot ask for, or get otherwise (a
#: replacement for an access token whose payload is not the stored one).
NEWEST_ONLY = {
    "test_a_successor_that_was_rotated_is_not_yielded_again",
    "test_the_old_token_after_the_window",
    "test_a_token_of_long_ago",
    "test_a_child_that_an_old_core_minted_rotates",
    "test_a_token_that_an_old_core_promoted",
    "test_rows_from_before_the_rotation_columns",
    "test_a_regenerated_token_keeps_its_end_and_its_line",
}


def _adopt(module: ModuleType) -> None:
    for name, test in list(vars(module).items()):
        if name in NOT_OVER_CDI or not name.startswith("test_") or not inspect.isfunction(test):
            continue
        parameters = set(inspect.signature(test).parameters)
        if "core" in parameters and not parameters & OWN:
            label = f"{name}__{module.__name__.rpartition('test_')[2]}"
            globals()[label] = _newest(test) if name in NEWEST_ONLY else test


def _newest(test: FunctionType) -> FunctionType:
    copy = FunctionType(test.__code__, test.__globals__, test.__name__, test.__defaults__, test.__closure__)
    copy.__dict__.update(test.__dict__)
    copy.pytestmark = [
        *getattr(test, "pytestmark", []),
        pytest.mark.parametrize("core", [None], indirect=True).mark,
    ]
    return copy


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda core: core.create("u" * 129), "longer than 128 characters"),
        (lambda core: core.create(payload={"x": "y" * 70_000}), "access_token_payload takes"),
        (lambda core: core.add_role(" ", []), "cannot be an empty String"),
        (lambda core: core.put_tenant("a_b", {}), "tenantId"),
        (lambda core: core.create_jwt({}, issuer="i", validity_s=0, static_key=True), "validity"),
        (lambda core: core.delete_tenant("public"), "public tenant"),
    ],
)
def test_what_the_core_refuses_is_said_with_its_words(
    core: Driver, call: Callable[[Driver], object], text: str
) -> None:
    """Limits are the core's: its text reaches the caller, and nothing is written."""
    with pytest.raises(GeneralError, match=f"SuperTokens core threw an error for a .*{text}"):
        call(core)
    assert core.count("session_info") == 0
    assert core.roles() == []


for _name in ("sessions", "refresh", "keys", "roles", "metadata", "tenants"):
    _adopt(importlib.import_module(f"tests.engine.test_{_name}"))
