"""What an adapter says where its framework is not installed."""

from __future__ import annotations

import importlib
import sys

import pytest

RECIPE = "supertokens_py.recipe.session.framework"
FASTAPI = "FastAPI needs the extra 'fastapi' (docs/installation.md)"
FLASK = "Flask needs the extra 'flask' (docs/installation.md)"
DJANGO = "Django needs the extra 'django' (docs/installation.md)"
STARLETTE = "Starlette needs the extra 'starlette' (docs/installation.md)"
LITESTAR = "Litestar needs the extra 'litestar' (docs/installation.md)"
QUART = "Quart needs the extra 'quart' (docs/installation.md)"
REST = "Django REST framework needs the extra 'drf' (docs/installation.md)"
CHANNELS = "Channels needs the extra 'channels' (docs/installation.md)"
ADMIN = "the admin page needs the extra 'admin' (docs/installation.md)"
NINJA = "Django Ninja needs the extra 'ninja' (docs/installation.md)"


@pytest.mark.parametrize(
    ("module", "loads", "missing", "message"),
    [
        ("supertokens_py.admin", "supertokens_py.admin", "jinja2", ADMIN),
        ("supertokens_py.admin", "supertokens_py.admin", "starlette", ADMIN),
        ("supertokens_py.framework.fastapi", "supertokens_py.framework.fastapi", "starlette", FASTAPI),
        (f"{RECIPE}.fastapi", "supertokens_py.framework.fastapi.session", "fastapi", FASTAPI),
        ("supertokens_py.framework.flask", "supertokens_py.framework.flask", "flask", FLASK),
        (f"{RECIPE}.flask", "supertokens_py.framework.flask", "flask", FLASK),
        ("supertokens_py.framework.django", "supertokens_py.framework.django", "asgiref", DJANGO),
        (f"{RECIPE}.quart", "supertokens_py.framework.quart", "quart", QUART),
        (f"{RECIPE}.starlette", "supertokens_py.framework.starlette", "starlette", STARLETTE),
        (f"{RECIPE}.litestar", "supertokens_py.framework.litestar", "litestar", LITESTAR),
        (
            "supertokens_py.framework.django.rest",
            "supertokens_py.framework.django.rest",
            "rest_framework",
            REST,
        ),
        (
            "supertokens_py.framework.django.channels",
            "supertokens_py.framework.django.channels",
            "channels",
            CHANNELS,
        ),
        (
            "supertokens_py.framework.django.ninja",
            "supertokens_py.framework.django.ninja",
            "ninja",
            NINJA,
        ),
        *(
            (f"{RECIPE}.{name}", f"supertokens_py.framework.{name}", name, text)
            for name, text in (
                ("aiohttp", "aiohttp needs the extra 'aiohttp' (docs/installation.md)"),
                ("sanic", "Sanic needs the extra 'sanic' (docs/installation.md)"),
                ("tornado", "Tornado needs the extra 'tornado' (docs/installation.md)"),
            )
        ),
        (f"{RECIPE}.django.asyncio", "supertokens_py.framework.django", "django", DJANGO),
    ],
)
def test_the_extra_is_named(
    module: str, loads: str, missing: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install, and keeps what Python said."""
    for name in list(sys.modules):
        if f"{name}.".startswith((f"{missing}.", f"{loads}.", f"{module}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(module)
    assert str(raised.value) == message
    cause = raised.value.__cause__
    assert isinstance(cause, ModuleNotFoundError)
    assert (raised.value.name or "").partition(".")[0] == missing
    assert cause.name == raised.value.name
