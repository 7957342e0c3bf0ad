"""An application's own app, on another engine for the time of a test."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from inspect import signature
from typing import Any
from unittest.mock import patch
from weakref import WeakSet

from supertokens_py.app import Supertokens
from supertokens_py.config import SupertokensConfig
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.embedded import EmbeddedEngine
from supertokens_py.engine.embedded.keys.key_material import new_key_text
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.secret import SecretText

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
#: Settings of an application that belong to its database, and what tests cannot be left to chance or threads.
_NOT_TAKEN_OVER = frozenset(
    {
        "now_ms",
        "access_token_validity_jitter",
        "clean_up_interval",
        "listen_uri",
        "read_uri",
        "read_max_staleness",
        "table_schema",
        "table_prefix",
        "shared_with_core",
        "migration_mode",
        "encryption_key",
        "previous_encryption_key",
    }
)
#: What guessing passwords costs is no matter in a test.
_QUICK_HASHES = {"argon2_memory_kb": 1024, "argon2_iterations": 1, "argon2_parallelism": 1}
_keys: list[SecretText] = []
_apps: WeakSet[Supertokens] = WeakSet()


class SupertokensClock:
    """Call it for Unix milliseconds. It starts now, by the machine's clock, as cookie jars go by that one."""

    def __init__(self) -> None:
        self.now_ms: int = time.time_ns() // 1_000_000

    def __call__(self) -> int:
        return self.now_ms

    def advance(self, by: float | str) -> int:
        """Move on by seconds, or by a text such as "2h", "30m" or "7d"; return the new time (Unix ms).

        Raises:
            ValueError: the text is none of these.
        """
        if isinstance(by, str):
            match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)", by)
            if match is None:
                raise ValueError(f'advance takes seconds, or a text such as "90s", "30m" or "2h", not {by!r}')
            self.now_ms += int(float(match[1]) * _UNITS_MS[match[2]])
        else:
            self.now_ms += int(by * 1000)
        return self.now_ms

    def until_access_token_expires(self, session: SessionContainer[Any]) -> int:
        """Move on to the first second in which the access token of a session is refused; return it (ms)."""
        expires_s: int = session.get_access_token_payload()["exp"]
        self.now_ms = max(self.now_ms, (expires_s + 1) * 1000)
        return self.now_ms


@contextmanager
def under_test(clock: SupertokensClock, *, uri: str, engine: Mapping[str, Any]) -> Generator[Any]:
    """Make the application's app on another engine the current one, or have `init` make it there.

    Its events are kept, and sent to no webhook: the addresses and the secrets are real ones.

    Yields the app; where `init` is still to be called, what stands for the app that it will make.
    """

    def under(application: SupertokensConfig | None) -> SupertokensConfig:
        taken = _taken_over(None if application is None else application.engine)
        settings: dict[str, Any] = {
            **taken,
            "access_token_validity_jitter": 0,
            "clean_up_interval": 0,
            **_QUICK_HASHES,
            **engine,
        }
        return SupertokensConfig(connection_uri=uri, engine=EngineConfig(now_ms=clock, **settings))

    current = Supertokens.current()
    defaults: Any = EmbeddedEngine.__init__.__kwdefaults__
    with patch.dict(defaults, {"new_key": _same_key}):
        if current is not None:
            with current.using(under(current.supertokens_config)) as app:
                _take(app)
                yield app
            return
        with patch.object(Supertokens, "init", staticmethod(_init_with(under))):
            try:
                yield _Coming()
            finally:
                Supertokens.reset()


def _taken_over(engine: EngineConfig | None) -> dict[str, Any]:
    """Return what an application says of its engine, without what concerns its database."""
    if engine is None:
        return {}
    names = (field.name for field in fields(EngineConfig) if field.name not in _NOT_TAKEN_OVER)
    return {name: getattr(engine, name) for name in names}


def _init_with(under: Callable[[SupertokensConfig | None], SupertokensConfig]) -> Callable[..., None]:
    original, arguments = Supertokens.init, signature(Supertokens.init)

    def init(*args: Any, **kwargs: Any) -> None:
        given = arguments.bind(*args, **kwargs).arguments
        given["supertokens_config"] = under(given.get("supertokens_config"))
        original(**given)
        _take(Supertokens.get_instance())

    return init


def _take(app: Supertokens) -> None:
    app.sends_webhooks = False
    _apps.add(app)


def is_under_test() -> bool:
    """Return whether the current app is one that `under_test` has put on another engine."""
    return Supertokens.get_instance() in _apps


class _Coming:
    """Stands for the app that a factory will make."""

    def __getattr__(self, name: str) -> Any:
        return getattr(Supertokens.get_instance(), name)


def _same_key() -> SecretText:
    """Return the pair of keys of this process: making one takes longer than most tests."""
    if not _keys:
        _keys.append(new_key_text())
    return _keys[0]
