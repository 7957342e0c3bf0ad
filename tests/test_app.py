"""`init`, `reset`, the one current app, and several apps side by side."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

import supertokens_py
from supertokens_py import (
    EngineConfig,
    InputAppInfo,
    Supertokens,
    SupertokensConfig,
    get_all_cors_headers,
    init,
    is_recipe_initialized,
)
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.framework import BaseResponse
from supertokens_py.recipe import emailpassword, emailverification, jwt, openid, session, userroles
from supertokens_py.recipe.session import (
    InputErrorHandlers,
    InputOverrideConfig,
    JWTConfig,
    SessionContainer,
    SessionRecipe,
)
from supertokens_py.recipe.session import syncio as sessions
from supertokens_py.recipe_module import RecipeModule
from supertokens_py.runtime.bridge import blocking
from supertokens_py.utils import FRAMEWORKS

INFO = InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com")
MEMORY = SupertokensConfig("sqlite://", engine=EngineConfig(clean_up_interval=0))


@pytest.fixture(autouse=True)
def _no_app() -> Iterator[None]:
    Supertokens.reset()
    yield
    Supertokens.reset()


def test_every_entry_before_init_says_what_was_forgotten() -> None:
    """Every entry says what was forgotten."""
    assert Supertokens.current() is None
    for call in (Supertokens.get_instance, get_all_cors_headers, SessionRecipe.get_instance):
        with pytest.raises(GeneralError) as raised:
            call()
        assert str(raised.value) == (
            "Initialisation not done. Did you forget to call the SuperTokens.init function? "
            "In Python it is supertokens_py.init(...)."
        )
    with pytest.raises(GeneralError, match="Initialisation not done"):
        sessions.get_session_information("x")


def test_a_missing_recipe_is_named() -> None:
    """The error names the recipe that is not in the list."""
    init(INFO, supertokens_config=MEMORY, recipe_list=[jwt.init()])
    with pytest.raises(GeneralError, match="Add the Session recipe to recipe_list"):
        SessionRecipe.get_instance()


def test_init_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    """No file, no connection; the log says once where sessions will be."""
    monkeypatch.chdir(tmp_path)
    with caplog.at_level(logging.INFO, "supertokens_py"):
        init(INFO, recipe_list=[session.init()])
    assert list(tmp_path.iterdir()) == []
    record = next(record for record in caplog.records if record.name == "supertokens_py.start_report")
    assert f"kept in a new SQLite file, {tmp_path}/supertokens.db" in record.getMessage()
    made = sessions.create_new_session_without_request_response("public", "user-1")
    assert made.get_user_id() == "user-1"
    assert (tmp_path / "supertokens.db").exists()


def test_a_second_init_is_ignored_and_names_the_first(caplog: pytest.LogCaptureFixture) -> None:
    """The first configuration stands; the warning says where it was made."""
    init(INFO, supertokens_config=MEMORY, recipe_list=[session.init()])
    first = Supertokens.get_instance()
    caplog.clear()
    init(
        InputAppInfo("Other", "https://other.test", website_domain="https://other.test"),
        recipe_list=[session.init()],
    )
    assert Supertokens.get_instance() is first
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert f"{__file__}:" in record.getMessage()
    assert "Supertokens.reset()" in record.getMessage()
    line = int(record.getMessage().split(f"{__file__}:")[1].split(")")[0])
    assert "init(INFO" in Path(__file__).read_text().splitlines()[line - 1]


def test_a_second_init_on_another_database_is_refused(tmp_path: Path) -> None:
    """Two application factories with a database each: the second one's data would go to the first."""
    first, second = (SupertokensConfig(f"sqlite:///{tmp_path}/{name}.db") for name in ("first", "second"))
    init(INFO, supertokens_config=first, recipe_list=[session.init()])
    app = Supertokens.get_instance()
    with pytest.raises(ConfigError) as refused:
        init(INFO, supertokens_config=second, recipe_list=[session.init()])
    place = re.escape(__file__) + r":\d+"
    assert re.fullmatch(
        rf"init was called again with another connection_uri: since the first call \({place}\) sessions "
        rf"are kept in {tmp_path}/first.db, and not in {tmp_path}/second.db. "
        r"Call Supertokens.reset\(\) in between.",
        str(refused.value),
    )
    init(INFO, supertokens_config=first, recipe_list=[session.init()])
    init(INFO, recipe_list=[session.init()])
    assert Supertokens.get_instance() is app
    with app.using(MEMORY):  # a test has replaced the store: the application says what it always does
        init(INFO, supertokens_config=second, recipe_list=[session.init()])
    Supertokens.reset()
    init(INFO, supertokens_config=second, recipe_list=[session.init()])


def test_a_failed_init_leaves_nothing_behind() -> None:
    """The next one works; nothing of the first is left."""
    bad = InputAppInfo("Test", "https://api.example.com", website_domain="/nowhere")
    with pytest.raises(ConfigError):
        init(bad, supertokens_config=MEMORY, recipe_list=[session.init()])
    assert Supertokens.current() is None

    def broken(default: Any) -> Any:
        raise LookupError("bug in an override")

    with pytest.raises(LookupError):
        init(
            INFO, supertokens_config=MEMORY, recipe_list=[session.init(override=InputOverrideConfig(broken))]
        )
    assert Supertokens.current() is None
    init(INFO, supertokens_config=MEMORY, recipe_list=[session.init()])
    assert Supertokens.get_instance().app_info.api_domain == "https://api.example.com"


def test_reset_forgets_the_app_used_or_not() -> None:
    """It forgets the app and needs no environment variable; an unused app can be reset, too."""
    init(INFO, supertokens_config=MEMORY, recipe_list=[session.init()])
    sessions.create_new_session_without_request_response("public", "user-1")
    Supertokens.reset()
    assert Supertokens.current() is None
    Supertokens.reset()
    init(INFO, supertokens_config=MEMORY, recipe_list=[session.init()])
    Supertokens.reset()


def test_names_of_the_package() -> None:
    """FP-17: the documented names are there; `is_recipe_initialized` knows what is in use."""
    for name in supertokens_py.__all__:
        assert getattr(supertokens_py, name) is not None
    init(INFO, supertokens_config=MEMORY, recipe_list=[session.init()])
    assert is_recipe_initialized("session")
    assert is_recipe_initialized("openid")
    assert not is_recipe_initialized("userroles")
    assert sorted(get_all_cors_headers()) == [
        "anti-csrf",
        "authorization",
        "fdi-version",
        "rid",
        "st-auth-mode",
    ]


def test_a_recipe_listed_twice_is_an_error() -> None:
    """FP-85: is an error of its own."""
    with pytest.raises(ConfigError, match="Session recipe has already been initialised"):
        init(INFO, supertokens_config=MEMORY, recipe_list=[session.init(), session.init()])


def test_the_order_of_recipes_does_not_matter() -> None:
    """The order of the list does not matter."""
    for recipes in ([session.init(), openid.init(), jwt.init()], [jwt.init(), openid.init(), session.init()]):
        init(INFO, supertokens_config=MEMORY, recipe_list=recipes)
        made = sessions.create_new_session_without_request_response("public", "user-1")
        assert made.get_access_token_payload()["iss"] == "https://api.example.com/auth"
        Supertokens.reset()


# -- wrong arguments -------------------------------------------------------------------------------


def _without_addresses(value: object) -> str:
    # Every process of a parallel run has to give a test the same name.
    return re.sub(r" at 0x\w+", "", repr(value))


GOOD: dict[str, Any] = {"app_info": INFO, "supertokens_config": MEMORY, "recipe_list": [session.init()]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"app_info": None}, "app_info"),
        ({"app_info": {"app_name": "x"}}, "app_info"),
        ({"framework": "bottle"}, "framework must be one of fastapi, flask, django"),
        ({"framework": 5}, "framework"),
        ({"framework": ["fastapi"]}, "framework"),
        ({"supertokens_config": "sqlite://"}, "supertokens_config"),
        ({"supertokens_config": {}}, "supertokens_config"),
        ({"recipe_list": None}, "at least one recipe"),
        ({"recipe_list": []}, "at least one recipe"),
        ({"recipe_list": "session"}, "recipe_list"),
        ({"recipe_list": session.init()}, "recipe_list"),
        ({"recipe_list": [None]}, "recipe_list"),
        ({"recipe_list": ["session"]}, "recipe_list"),
        ({"recipe_list": [session]}, r"recipe_list holds the module session: write session\.init\(\)"),
        (
            {"recipe_list": [session.init]},
            r"^recipe_list holds the function session\.init: write session\.init\(\)$",
        ),
        (
            {"recipe_list": [session.init(), userroles.init]},
            r"^recipe_list holds the function userroles\.init: write userroles\.init\(\)$",
        ),
        ({"recipe_list": [session.InputErrorHandlers]}, "not the result of a recipe's init"),
        ({"recipe_list": [lambda app: None]}, "recipe_list"),
        ({"mode": "cgi"}, "mode"),
        ({"mode": 5}, "mode"),
        ({"telemetry": "no"}, "telemetry"),
        ({"debug": "yes"}, "debug"),
    ],
    ids=_without_addresses,
)
def test_a_wrong_argument_of_init_is_named(changes: dict[str, Any], words: str) -> None:
    """FP-85: a ConfigError that names the argument, and no app."""
    with pytest.raises(ConfigError, match=words):
        init(**{**GOOD, **changes})
    assert Supertokens.current() is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cookie_domain", 5),
        ("cookie_domain", " "),
        ("cookie_domain", "a b"),
        ("older_cookie_domain", 5),
        ("older_cookie_domain", "a;b"),
        ("cookie_secure", "yes"),
        ("cookie_secure", 1),
        ("cookie_same_site", "sometimes"),
        ("cookie_same_site", 5),
        ("session_expired_status_code", "401"),
        ("session_expired_status_code", True),
        ("session_expired_status_code", 4),
        ("session_expired_status_code", 403),
        ("invalid_claim_status_code", 401),
        ("invalid_claim_status_code", 1000),
        ("anti_csrf", "via_token"),
        ("anti_csrf", True),
        ("anti_csrf", ["NONE"]),
        ("get_token_transfer_method", "cookies"),
        ("error_handlers", {}),
        ("error_handlers", InputErrorHandlers),
        ("override", {}),
        ("override", lambda default: default),
        ("use_dynamic_access_token_signing_key", "no"),
        ("expose_access_token_to_frontend_in_cookie_based_auth", "no"),
        ("jwks_refresh_interval_sec", "5"),
        ("jwks_refresh_interval_sec", 0),
        ("jwks_refresh_interval_sec", True),
        ("jwt", True),
        ("jwt", "x"),
    ],
    ids=_without_addresses,
)
@pytest.mark.filterwarnings("ignore:session.init.jwt")
def test_a_wrong_argument_of_session_init_is_named(name: str, value: Any) -> None:
    """FP-85: a ConfigError that names the argument."""
    word = "same site" if name == "cookie_same_site" else "session_scope|" + name
    with pytest.raises(ConfigError, match=word):
        init(**{**GOOD, "recipe_list": [session.init(**{name: value})]})
    assert Supertokens.current() is None


@pytest.mark.parametrize(
    "name",
    [
        "on_token_theft_detected",
        "on_try_refresh_token",
        "on_unauthorised",
        "on_invalid_claim",
        "on_clear_duplicate_session_cookies",
        "on_session_limit_reached",
    ],
)
def test_hooks_that_are_no_functions(name: str) -> None:
    """FP-85: better told at init than at the first theft."""
    with pytest.raises(ConfigError, match=name):
        init(**{**GOOD, "recipe_list": [session.init(error_handlers=InputErrorHandlers(**{name: "x"}))]})


def test_equal_status_codes_are_refused() -> None:
    """FP-85: an expired session and an invalid claim need different codes, also when both are given."""
    for codes in (
        {"session_expired_status_code": 418, "invalid_claim_status_code": 418},
        {"invalid_claim_status_code": 401},
    ):
        with pytest.raises(ConfigError, match="cannot be the same"):
            session.init(**codes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "override",
    [InputOverrideConfig(functions=lambda default: None), InputOverrideConfig(apis=lambda default: None)],
)
def test_an_override_that_returns_nothing(override: InputOverrideConfig) -> None:
    """FP-85: the error says which one."""
    with pytest.raises(ConfigError, match="returned None"):
        init(**{**GOOD, "recipe_list": [session.init(override=override)]})


def test_the_older_jwt_switch_says_that_it_is_not_needed() -> None:
    """It still works, and says that it is not needed."""
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        recipe = session.init(jwt=JWTConfig(enable=True, issuer="https://issuer.example.com/auth"))
    assert caught[0].filename == __file__
    init(INFO, supertokens_config=MEMORY, recipe_list=[recipe])
    made = sessions.create_new_session_without_request_response("public", "user-1")
    assert made.get_access_token_payload()["iss"] == "https://issuer.example.com/auth"


# -- several apps ----------------------------------------------------------------------------------


def app(name: str) -> Supertokens:
    info = InputAppInfo(name, f"https://api.{name}.com", website_domain=f"https://{name}.com")
    return Supertokens(info, None, MEMORY, [session.init()])


def test_two_apps_share_nothing() -> None:
    """Apps share nothing: neither keys, sessions nor settings."""
    one, two = app("one"), app("two")
    try:
        recipes = [made.recipe(SessionRecipe) for made in (one, two)]

        async def create(recipe: SessionRecipe) -> SessionContainer:
            payload = await recipe.flows.initial_payload("user-1", "public", None, {})
            return await recipe.recipe_implementation.create_new_session(
                "user-1", payload, {}, True, "public", {}
            )

        first, second = (blocking(create)(recipe) for recipe in recipes)
        assert first.get_access_token_payload()["iss"] == "https://api.one.com/auth"
        assert second.get_access_token_payload()["iss"] == "https://api.two.com/auth"
        read = blocking(recipes[0].recipe_implementation.get_session_information)
        assert read(first.get_handle(), {}) is not None
        assert read(second.get_handle(), {}) is None
        assert Supertokens.current() is None
    finally:
        one.close()
        two.close()


# -- paths -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "path", "below"),
    [
        ({}, "/auth/signout", "/signout"),
        ({}, "/auth/", "/"),
        ({}, "/auth", None),
        ({}, "/authors/signout", None),
        ({}, "/x/auth/signout", None),
        ({}, "/AUTH/signout", None),
        ({"api_base_path": "/"}, "/signout", "/signout"),
        ({"api_gateway_path": "/gw"}, "/auth/signout", "/signout"),
        ({"api_gateway_path": "/gw"}, "/gw/auth/signout", "/signout"),
        ({"api_gateway_path": "/gw"}, "/gwx/auth/signout", None),
        ({"api_base_path": "/a.b"}, "/axb/signout", None),
        ({"api_base_path": "/a.b"}, "/a.b/signout", "/signout"),
    ],
)
def test_paths_are_compared_segment_by_segment(info: dict[str, str], path: str, below: str | None) -> None:
    """FP-107: segment by segment, literally, with the gateway path put back."""
    where = InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com", **info)
    made = Supertokens(where, None, MEMORY, [session.init()])
    assert made.below_base(path) == below


def test_methods_are_named_for_our_enabled_routes_only() -> None:
    """What an answer to OPTIONS names: nothing for paths of the application and for switched-off routes."""
    made = Supertokens(INFO, None, MEMORY, [session.init()])
    assert made.methods_of("/auth/signout") == made.methods_of("/auth/t1/signout") == ["POST"]
    assert made.methods_of("/auth/jwt/jwks.json") == ["GET"]
    assert made.methods_of("/auth/nowhere") == made.methods_of("/signout") == []


# -- recipes ---------------------------------------------------------------------------------------


class Diary(RecipeModule):
    """A recipe of an application: it has no routes, and answers no error although it knows one."""

    recipe_id = "diary"
    name = "Diary"

    @classmethod
    def default(cls, app: Any) -> RecipeModule:
        return cls(app)

    def handles(self, error: Exception) -> bool:
        return isinstance(error, LookupError)


def test_a_recipe_of_the_application_stands_beside_ours() -> None:
    """It stands beside ours; what it does not answer goes on to the application."""
    made = Supertokens(INFO, None, MEMORY, [session.init(), Diary])
    assert [recipe.recipe_id for recipe in made.recipe_modules][:2] == ["session", "diary"]
    assert made.has_recipe("diary")
    assert made.methods_of("/auth/signout") == ["POST"]
    native = Request({"type": "http", "method": "GET", "path": "/x", "headers": []})
    request, error = FRAMEWORKS["fastapi"].wrap_request(native), LookupError("no entry")
    with pytest.raises(LookupError) as raised:
        blocking(made.handle_supertokens_error)(request, error, BaseResponse({}), {})
    assert raised.value is error


class Unlisted(RecipeModule):
    """A recipe that needs settings."""

    recipe_id = "unlisted"
    name = "Unlisted"


def test_a_recipe_that_needs_settings_must_be_listed() -> None:
    made = Supertokens(INFO, None, MEMORY, [session.init()])
    with pytest.raises(GeneralError, match=r"^recipe_list has no unlisted\.init\(\)$"):
        made.recipe(Unlisted)


def test_threads_that_need_a_recipe_at_once_get_the_same() -> None:
    """Whoever comes second waits, and finds it made."""
    made = Supertokens(INFO, None, MEMORY, [session.init()])
    asked = threading.Event()

    class Told(dict[Any, Any]):
        def get(self, key: Any, default: Any = None) -> Any:
            found = super().get(key, default)
            asked.set()
            return found

    made._recipes = Told(made._recipes)
    found: list[RecipeModule] = []
    second = threading.Thread(target=lambda: found.append(made.recipe(Diary)))
    with made._lock:
        second.start()
        assert asked.wait(40)
        first = made.recipe(Diary)
    second.join()
    assert found == [first]


def test_the_place_of_init_in_a_directory_named_like_the_package(tmp_path: Path) -> None:
    """What is part of the package is decided by modules; directories are the application's to name."""
    script = tmp_path / "supertokens_py" / "main.py"
    script.parent.mkdir()
    script.write_text(
        "from supertokens_py import InputAppInfo, init\n"
        "from supertokens_py.recipe import session\n"
        "for _ in range(2):\n"
        "    info = InputAppInfo('Test', 'http://a.com', website_domain='http://a.com')\n"
        "    init(info, recipe_list=[session.init()])\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert f"init was called again and ignored; the first call stands ({script}:5)." in ran.stderr


@pytest.mark.parametrize("recipe", [emailpassword.init(), emailverification.init("OPTIONAL")])
def test_init_names_the_recipe_that_another_one_needs(recipe: Any) -> None:
    Supertokens.reset()
    info = InputAppInfo("Shop", api_domain="http://localhost", website_domain="http://localhost")
    with pytest.raises(GeneralError, match=r"^recipe_list has no session\.init\(\)$"):
        init(info, supertokens_config=SupertokensConfig("sqlite://"), recipe_list=[recipe])
