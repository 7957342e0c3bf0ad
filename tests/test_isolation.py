"""What an import loads: nothing that the program does not use."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

FRAMEWORKS = {
    "fastapi",
    "starlette",
    "flask",
    "werkzeug",
    "django",
    "asgiref",
    "litestar",
    "quart",
    "aiohttp",
    "sanic",
    "tornado",
}
STORES = {"sqlalchemy", "psycopg", "sqlite3", "httpx2", "httpcore2"}
OTHERS = {"publicsuffixlist", "uvicorn", "rich", "pydantic", "requests", "jwt", "dotenv"}


def loaded_by(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the top-level modules that it loaded."""
    report = (
        f"{code}\nimport json, sys; print(json.dumps(sorted({{n.partition('.')[0] for n in sys.modules}})))"
    )
    # What measures coverage loads modules of its own, sqlite3 among them.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", report], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "module",
    [
        "supertokens_py",
        "supertokens_py.recipe.session",
        "supertokens_py.recipe.session.asyncio",
        "supertokens_py.recipe.session.syncio",
        "supertokens_py.recipe.userroles",
        "supertokens_py.recipe.jwt",
        "supertokens_py.recipe.openid",
        "supertokens_py.framework.adapter",
        "supertokens_py.framework.asgi",
        "supertokens_py.framework.wsgi",
        "supertokens_py.framework.aws_lambda",
        "supertokens_py.recipe.session.framework.aws_lambda",
    ],
)
def test_importing_the_package_loads_no_framework_and_no_database(module: str) -> None:
    """No web framework, no database code, no HTTP client."""
    loaded = loaded_by(f"import {module}")
    assert loaded & (FRAMEWORKS | STORES | OTHERS) == set()


def test_names_of_the_package_come_with_their_first_use() -> None:
    """Code that imports the package alone finds its modules as attributes, and each of its names."""
    loaded_by(
        "import supertokens_py\n"
        "import sys; assert 'supertokens_py.app' not in sys.modules\n"
        "assert supertokens_py.exceptions.ConfigError and supertokens_py.recipe and supertokens_py.events\n"
        "assert all(hasattr(supertokens_py, name) for name in supertokens_py.__all__)\n"
        "assert dir(supertokens_py) == supertokens_py.__all__\n"
        "assert not hasattr(supertokens_py, 'subscribe')  # it is in supertokens_py.events\n"
        "assert not hasattr(supertokens_py, 'no_such_name') and not hasattr(supertokens_py, '_private')"
    )


def test_a_module_of_the_package_that_lacks_a_library_says_which() -> None:
    """The error of the module itself is not taken for an unknown name."""
    loaded_by(
        "import sys; sys.modules['blinker'] = None\n"
        "import supertokens_py\n"
        "try: supertokens_py.signals\n"
        "except ModuleNotFoundError as error: assert 'pip install blinker' in str(error)\n"
        "else: raise SystemExit('no error')"
    )


def test_providers_load_their_http_client_with_the_first_request() -> None:
    """It takes longer than the rest of the start."""
    loaded = loaded_by("import supertokens_py.recipe.thirdparty.providers.source")
    assert loaded & (FRAMEWORKS | STORES) == set()


def test_init_loads_none_either() -> None:
    """`init` loads none either, for localhost."""
    loaded = loaded_by(
        "from supertokens_py import InputAppInfo, init\n"
        "from supertokens_py.recipe import session\n"
        "init(InputAppInfo('x', 'http://localhost:8000', website_domain='http://localhost:3000'),"
        " recipe_list=[session.init()])"
    )
    assert loaded & (FRAMEWORKS | STORES | OTHERS) == set()


def test_the_embedded_engine_on_sqlite() -> None:
    """A session on SQLite loads no PostgreSQL driver and no HTTP client."""
    loaded = loaded_by(
        "from supertokens_py import InputAppInfo, SupertokensConfig, init\n"
        "from supertokens_py.recipe import session\n"
        "from supertokens_py.recipe.session import syncio\n"
        "init(InputAppInfo('x', 'http://localhost:8000', website_domain='http://localhost:3000'),"
        " supertokens_config=SupertokensConfig('sqlite://'), recipe_list=[session.init()])\n"
        "syncio.create_new_session_without_request_response('public', 'user-1')\n"
        "from supertokens_py import Supertokens; Supertokens.reset()"
    )
    assert {"sqlalchemy", "sqlite3"} <= loaded
    assert loaded & (FRAMEWORKS | {"psycopg", "httpx2"}) == set()


@pytest.mark.parametrize(
    ("module", "own"),
    [
        ("supertokens_py.recipe.session.framework.fastapi", {"fastapi", "starlette", "pydantic"}),
        ("supertokens_py.recipe.session.framework.flask", {"flask", "werkzeug"}),
        ("supertokens_py.recipe.session.framework.django.asyncio", {"django", "asgiref"}),
        ("supertokens_py.recipe.session.framework.django.syncio", {"django", "asgiref"}),
        ("supertokens_py.framework.fastapi", {"fastapi", "starlette"}),
        ("supertokens_py.framework.flask", {"flask", "werkzeug"}),
        ("supertokens_py.recipe.session.framework.starlette", {"starlette"}),
        ("supertokens_py.recipe.session.framework.litestar", {"litestar"}),
        ("supertokens_py.recipe.session.framework.quart", {"quart", "flask", "werkzeug"}),  # it needs both
        ("supertokens_py.recipe.session.framework.aiohttp", {"aiohttp"}),
        ("supertokens_py.recipe.session.framework.sanic", {"sanic"}),
        ("supertokens_py.recipe.session.framework.tornado", {"tornado"}),
    ],
)
def test_adapters_load_their_own_framework_only(module: str, own: set[str]) -> None:
    """Flask brings no Starlette, FastAPI brings no Django."""
    assert loaded_by(f"import {module}") & FRAMEWORKS <= own


def test_importing_makes_no_thread_and_no_socket() -> None:
    """An import has no effect beyond the module table."""
    loaded_by(
        "import socket, threading\n"
        "def refuse(*a, **k): raise SystemExit('network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "import supertokens_py.recipe.session.asyncio\n"
        "assert threading.active_count() == 1"
    )
