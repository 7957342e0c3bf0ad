"""Secrets that all processes of an app derive, and nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.session_state.refresh_tokens import MasterKey, derived_secrets
from supertokens_py.engine.remote import RemoteEngine, RemoteSettings
from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretText
from supertokens_py.server import create_app
from supertokens_py.tokens.encoding import encode_base64, to_json
from tests.engine.remote.conftest import Host, host
from tests.engine.remote.cores import Core, engine_over
from tests.support.clock import Clock, Stopwatch
from tests.support.databases import TestDatabase

__all__ = ["host"]
PURPOSE = "a purpose"


def _engine(database: TestDatabase, **settings: Any) -> EmbeddedEngine:
    return EmbeddedEngine(database.uri, EngineConfig(clean_up_interval=0, **settings).resolve({}))


def test_processes_of_one_database_share_them(sqlite_database: TestDatabase) -> None:
    one, other = _engine(sqlite_database), _engine(sqlite_database)
    secrets = one.keys.shared_secrets(PURPOSE)
    assert secrets == other.keys.shared_secrets(PURPOSE)
    assert one.keys.shared_secrets("another purpose") != secrets
    assert [len(secret) for secret in secrets] == [32]
    one.close()
    other.close()


def test_a_copy_of_the_database_is_not_enough_where_there_is_another_secret() -> None:
    text = SecretText("master")
    plain, peppered = MasterKey.of([text]), MasterKey.of([text], [b"pepper", b"older", b""])
    assert len(derived_secrets(peppered, PURPOSE)) == 2
    assert not set(derived_secrets(plain, PURPOSE)) & set(derived_secrets(peppered, PURPOSE))


def test_a_renewed_master_key_is_used_at_once_and_the_earlier_accepted() -> None:
    older, newer = MasterKey.of(["older"]), MasterKey.of(["newer", "older"])
    assert derived_secrets(newer, PURPOSE)[1:] == derived_secrets(older, PURPOSE)


def test_processes_over_one_core_share_them(sqlite_database: TestDatabase, host: Host) -> None:
    """A core signs one JWT in one way, whenever it is asked."""
    clock = Clock()
    behind = _engine(sqlite_database, now_ms=clock)
    host.app = create_app(behind, allow_no_api_key=True, now_ms=clock)

    def started() -> RemoteEngine:
        config, own = EngineConfig(now_ms=clock).resolve({}), RemoteSettings.from_environment({})
        return RemoteEngine(host.address, config, remote_settings=own)

    first = started()
    secrets = first.keys.shared_secrets(PURPOSE)
    clock.advance(hours=1)
    second = started()
    assert second.keys.shared_secrets(PURPOSE) == secrets
    assert second.keys.shared_secrets("another purpose") != secrets
    for engine in (first, second, behind):
        engine.close()


def _jwt(payload: dict[str, Any], signature: str) -> dict[str, Any]:
    return {"status": "OK", "jwt": f"e30.{encode_base64(to_json(payload).encode())}.{signature}"}


def test_a_replaced_key_of_the_core_is_noticed() -> None:
    """What was made before is accepted for as long again."""
    stopwatch = Stopwatch()
    core = Core({"POST /recipe/jwt": _jwt({"iat": 1}, "one")})
    engine = engine_over(core, monotonic_s=stopwatch)
    before = engine.keys.shared_secrets(PURPOSE)
    core.answers["POST /recipe/jwt"] = _jwt({"iat": 1}, "two")
    assert engine.keys.shared_secrets(PURPOSE) == before
    stopwatch.advance(301)
    after = engine.keys.shared_secrets(PURPOSE)
    assert after[0] not in before
    assert tuple(after[1:]) == tuple(before)
    stopwatch.advance(301)
    assert tuple(engine.keys.shared_secrets(PURPOSE)) == tuple(after[:1])
    assert core.asked.count("POST /recipe/jwt") == 3


def test_a_core_that_dates_every_jwt() -> None:
    """Its signatures differ: then the API key is what processes share."""
    core = Core({"POST /recipe/jwt": lambda request: _jwt_now()})
    with pytest.raises(ConfigError, match="configure an API key"):
        engine_over(core).keys.shared_secrets(PURPOSE)
    one = engine_over(core, api_key="secret-key-of-twenty-signs").keys.shared_secrets(PURPOSE)
    other = engine_over(core, api_key="secret-key-of-twenty-signs").keys.shared_secrets(PURPOSE)
    assert one == other
    assert one != engine_over(core, api_key="another-key-of-twenty-signs").keys.shared_secrets(PURPOSE)


def _jwt_now() -> Any:
    import httpx2

    return httpx2.Response(200, json=_jwt({"iat": 1_700_000_000}, "any"))
