"""EngineConfig: arguments beat the environment, which beats defaults; every value is checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.exceptions import ConfigError


def test_the_defaults_are_those_of_the_official_core():
    """What docs/settings.md says."""
    found = EngineConfig().resolve({})
    assert (found.access_token_validity, found.refresh_token_validity) == (3600, 144_000)
    assert found.access_token_dynamic_signing_key_update_interval == 168
    assert (found.refresh_token_rotation_grace_period, found.access_token_validity_jitter) == (30, 0.05)
    assert found.recent_token_reuse_behaviour == "TOKEN_THEFT"
    assert found.clean_up_interval == 12
    assert (found.sqlite_synchronous, found.sqlite_busy_timeout) == ("FULL", 10)


def test_the_environment_speaks_in_the_same_units():
    """`SUPERTOKENS_` and the upper-case name; blanks are as if unset."""
    found = EngineConfig().resolve(
        {
            "SUPERTOKENS_ACCESS_TOKEN_VALIDITY": " 60 ",
            "SUPERTOKENS_REFRESH_TOKEN_VALIDITY": "90.5",
            "SUPERTOKENS_REFRESH_TOKEN_ROTATION_GRACE_PERIOD": "2",
            "SUPERTOKENS_ACCESS_TOKEN_VALIDITY_JITTER": "0",
            "SUPERTOKENS_RECENT_TOKEN_REUSE_BEHAVIOUR": " unauthorised ",
            "SUPERTOKENS_ENCRYPTION_KEY": "x" * 16,
            "SUPERTOKENS_TABLE_PREFIX": "st_",
            "SUPERTOKENS_SQLITE_SYNCHRONOUS": "normal",
            "SUPERTOKENS_POOL_SIZE": "  ",
            "SUPERTOKENS_NOW_MS": "5",
            "ACCESS_TOKEN_VALIDITY": "1",
        }
    )
    assert found == replace(
        EngineConfig().resolve({}),
        access_token_validity=60,
        refresh_token_validity=90.5,
        refresh_token_rotation_grace_period=2,
        access_token_validity_jitter=0,
        recent_token_reuse_behaviour="UNAUTHORISED",
        encryption_key="x" * 16,
        table_prefix="st_",
        sqlite_synchronous="NORMAL",
    )


def test_an_argument_beats_the_environment():
    """Even a bad variable is not looked at then."""
    environ = {"SUPERTOKENS_ACCESS_TOKEN_VALIDITY": "nonsense"}
    assert EngineConfig(access_token_validity=5).resolve(environ).access_token_validity == 5


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch):
    """Twelve-factor deployments set it before the start."""
    monkeypatch.setenv("SUPERTOKENS_POOL_SIZE", "3")
    assert EngineConfig().resolve().pool_size == 3


def test_derived_values_are_in_milliseconds():
    """Interface: everything inside is `_ms`."""
    found = EngineConfig(
        access_token_validity=60,
        refresh_token_validity=1.5,
        refresh_token_rotation_grace_period=0.5,
        access_token_dynamic_signing_key_update_interval=1.5,
    ).resolve({})
    assert (found.access_token_validity_ms, found.refresh_token_validity_ms) == (60_000, 90_000)
    assert (found.grace_period_ms, found.key_update_interval_ms) == (500, 5_400_000)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("access_token_validity", [1, 60.0, "60"], [0, -1, 1.5, "x", True, [], 86_400_001, float("nan")]),
        ("refresh_token_validity", [61, 100.5], [0, -1, "x", float("inf"), True]),
        ("access_token_dynamic_signing_key_update_interval", [1, 1.5], [0.99, -1]),
        ("refresh_token_rotation_grace_period", [0, 0.5, 300], [-0.1, 301, "x"]),
        ("access_token_validity_jitter", [0, 0.25], [-0.01, 0.26]),
        ("recent_token_reuse_behaviour", ["TOKEN_THEFT", "unauthorised"], ["", "theft", 5]),
        ("verified_token_cache_size", [0, 1], [-1, 0.5]),
        ("clean_up_interval", [0, 0.5], [-1]),
        ("encryption_key", ["x" * 16], ["", "x" * 15, 5]),
        ("pool_size", [1], [0, 1.5]),
        ("pool_timeout", [0.01], [0]),
        ("sqlite_busy_timeout", [0, 1.5], [-1]),
        ("sqlite_synchronous", ["full", "NORMAL"], ["OFF", "EXTRA"]),
        ("table_schema", ["auth"], ["a-b", "a;b", "ü", "x" * 41, 5]),
        ("table_prefix", ["st_"], ["a b", 'a"', "x" * 41]),
    ],
)
def test_a_value_out_of_range_names_its_argument_or_variable(name: str, good: list[Any], bad: list[Any]):
    """A bad value is a ConfigError that names its argument or variable."""
    for value in good:
        EngineConfig(**{name: value}).resolve({})
    for value in bad:
        with pytest.raises(ConfigError, match=rf"EngineConfig\.{name} "):
            EngineConfig(**{name: value}).resolve({})
    for value in bad:
        if isinstance(value, str) and value.strip():
            with pytest.raises(ConfigError, match=f"SUPERTOKENS_{name.upper()} "):
                EngineConfig().resolve({f"SUPERTOKENS_{name.upper()}": value})


def test_a_session_must_outlive_its_access_token():
    """13: strictly."""
    with pytest.raises(ConfigError, match=r"refresh_token_validity \(1 minutes\) must be longer"):
        EngineConfig(access_token_validity=60, refresh_token_validity=1).resolve({})
    EngineConfig(access_token_validity=59, refresh_token_validity=1).resolve({})


def test_a_hash_takes_ten_seconds_at_most():
    """More could not be verified."""
    with pytest.raises(ConfigError, match=r"argon2_memory_kb \(1048576\) times argon2_iterations \(7\)"):
        EngineConfig(argon2_memory_kb=1 << 20, argon2_iterations=7).resolve({})
    EngineConfig(argon2_memory_kb=1 << 20, argon2_iterations=6).resolve({})
    EngineConfig(argon2_iterations=64).resolve({})


def test_the_encryption_key_is_in_no_repr():
    """Settings may be logged."""
    config = EngineConfig(encryption_key="a secret of some length")
    assert "a secret" not in repr(config) + repr(config.resolve({}))


def test_a_number_out_of_range_is_told_in_plain_figures():
    """Not as 8.64e+07."""
    with pytest.raises(ConfigError, match=r"a whole number from 1 to 86400000, not 0$"):
        EngineConfig(access_token_validity=0).resolve({})
    with pytest.raises(ConfigError, match=r"a number from 0\.001 to 1000000000, not -1$"):
        EngineConfig(refresh_token_validity=-1).resolve({})
