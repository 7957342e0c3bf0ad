"""One helper for all settings: a field says its default and what it may be, and nothing else repeats it."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

import supertokens_py.recipe.session.framework.django.asyncio as django_async
import supertokens_py.recipe.session.framework.django.syncio as django_sync
import supertokens_py.recipe.session.framework.fastapi as fastapi
import supertokens_py.recipe.session.framework.flask as flask
from supertokens_py import EngineConfig, InputAppInfo
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import jwt, multitenancy, openid, session, usermetadata, userroles
from supertokens_py.settings import resolve, setting


def _url(value: Any, source: str) -> str:
    if "://" not in str(value):
        raise ConfigError(f"{source} must be a URL, not {value!r}")
    return str(value).lower()


@dataclass(frozen=True, kw_only=True)
class Tea:
    """Settings as anybody would write them."""

    cups: int = setting(2, int, 1, 12)
    warmth: float = setting(80, float, 0.5, 100)
    kind: str = setting("GREEN", choices=("GREEN", "BLACK"))
    shop: str | None = setting(None, check=_url)
    secret: str = setting("", is_secret=True)


def test_arguments_beat_the_environment_and_that_the_defaults() -> None:
    """Each value is converted, wherever it comes from; a blank variable is as if unset."""
    environ = {"TEA_CUPS": " 3 ", "TEA_WARMTH": "99.5", "TEA_KIND": " ", "TEA_SHOP": "HTTP://T"}
    assert resolve(Tea(), {}, prefix="TEA_") == {
        "cups": 2,
        "warmth": 80,
        "kind": "GREEN",
        "shop": None,
        "secret": "",
    }
    assert resolve(Tea(warmth=70, kind="black"), environ, prefix="TEA_") == {
        "cups": 3,
        "warmth": 70,
        "kind": "BLACK",
        "shop": "http://t",
        "secret": "",
    }


@pytest.mark.parametrize(
    ("given", "environ", "message"),
    [
        ({"cups": 13}, {}, "Tea.cups must be a whole number from 1 to 12, not 13"),
        ({"cups": True}, {}, "Tea.cups must be a whole number from 1 to 12, not True"),
        ({}, {"TEA_CUPS": "1.5"}, "TEA_CUPS must be a whole number from 1 to 12, not '1.5'"),
        ({}, {"TEA_WARMTH": "nan"}, "TEA_WARMTH must be a number from 0.5 to 100, not 'nan'"),
        ({"kind": "mint"}, {}, "Tea.kind must be one of GREEN, BLACK, not 'mint'"),
        ({}, {"TEA_SHOP": "corner"}, "TEA_SHOP must be a URL, not 'corner'"),
    ],
)
def test_an_error_names_the_field_or_the_variable(
    given: dict[str, Any], environ: dict[str, str], message: str
) -> None:
    """And what it may be."""
    with pytest.raises(ConfigError) as caught:
        resolve(Tea(**given), environ, prefix="TEA_")
    assert str(caught.value) == message


def test_a_secret_is_not_shown() -> None:
    """Settings may be logged."""
    assert "hush" not in repr(Tea(secret="hush"))


@pytest.mark.parametrize(
    ("call", "title", "name", "hint"),
    [
        (session.init, "session.init", "error_handler", "did you mean error_handlers?"),
        (
            session.init,
            "session.init",
            "cookie_samesite",
            "did you mean cookie_same_site or cookie_secure or cookie_domain?",
        ),
        (EngineConfig, "EngineConfig", "encription_key", "did you mean encryption_key"),
        (InputAppInfo, "InputAppInfo", "api_base", "did you mean api_base_path"),
        (userroles.init, "userroles.init", "max_age_in_sec", "did you mean default_max_age_in_sec?"),
        (multitenancy.init, "multitenancy.init", "overide", "did you mean override?"),
        (jwt.init, "jwt.init", "overide", "did you mean override?"),
        (openid.init, "openid.init", "issuers", "did you mean issuer?"),
        (usermetadata.init, "usermetadata.init", "bogus", "there are "),
        (fastapi.verify_session, "verify_session", "sesion_required", "did you mean session_required?"),
        (flask.verify_session, "verify_session", "sesion_required", "did you mean session_required?"),
        (django_sync.verify_session, "verify_session", "check_db", "did you mean check_database?"),
        (
            django_async.verify_session,
            "verify_session",
            "bogus",
            "there are anti_csrf_check, session_required, check_database, override_global_claim_validators, "
            "user_context, vary",
        ),
    ],
)
def test_an_argument_that_there_is_not(call: Callable[..., Any], title: str, name: str, hint: str) -> None:
    """It is named, with those that are near it or with all of them."""
    with pytest.raises(TypeError) as raised:
        call(**{name: 1})
    assert str(raised.value).startswith(f"{title} has no argument {name!r}; {hint}")


@pytest.mark.parametrize("wrong", [{"bogus": 1}, {"pool_sise": 1}])
def test_secrets_beside_a_misspelt_argument(wrong: dict[str, Any]) -> None:
    """Error trackers send the variables of frames: no frame of ours keeps one."""
    with pytest.raises(TypeError) as raised:
        EngineConfig(**{"encryption_key": "".join(["a secret ", "of sixteen"])}, **wrong)
    frames = traceback.TracebackException.from_exception(raised.value, capture_locals=True).stack
    ours = [frame for frame in frames if frame.filename == sys.modules[resolve.__module__].__file__]
    assert ours
    assert not any("of sixteen" in str(frame.locals) for frame in ours)
