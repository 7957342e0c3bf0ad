"""Flask's idioms: `current_session`, `@session_required`, templates, signals."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from click.testing import CliRunner
from flask import Flask, current_app, g, render_template_string, request
from flask.cli import FlaskGroup
from quart import Quart

from supertokens_py import InputAppInfo, Supertokens, init, signals
from supertokens_py.events import SessionCreated, SessionRefused, SessionRevoked
from supertokens_py.exceptions import ConfigError, GeneralError
from supertokens_py.framework.flask import Middleware, current_session, session_required
from supertokens_py.recipe import session
from supertokens_py.recipe.session import PageSettings
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.testing import Login, SupertokensClock

pytestmark = pytest.mark.usefixtures("supertokens")

NO_INIT = (
    "the application did not call supertokens_py.init(...) while it was loaded, so its database is unknown: "
    "call it there, or name the database with --connection-uri"
)

PLAN = PrimitiveClaim[str](key="plan", fetch_value=lambda *_: None)

LogIn = Callable[..., Login]


def _started(**settings: Any) -> Flask:
    """Return the application, initialised with these arguments of `session.init`."""
    init(
        InputAppInfo("Test", api_domain="http://localhost", website_domain="http://localhost"),
        recipe_list=[session.init(**settings)],
    )
    return _app()


def _app() -> Flask:
    app = Flask(__name__)
    app.logger.disabled = True
    Middleware(app)

    @app.get("/greeting")
    def greeting() -> Any:
        return {"user": current_session.get_user_id() if current_session else None}

    @app.get("/page")
    def page() -> str:
        return render_template_string(
            "{% if current_session %}{{ current_session.get_user_id() }}{% else %}log in{% endif %}"
        )

    @app.get("/bare")
    @session_required
    def bare() -> Any:
        return {"user": current_session.get_user_id(), "same": current_session == g.supertokens}

    @app.get("/checked")
    @session_required(check_database=True)
    async def checked() -> Any:
        return {"user": current_session.get_user_id()}

    @app.get("/fresh")
    @session_required(fresh=300)
    def fresh() -> Any:
        return {"user": current_session.get_user_id()}

    @app.get("/paid")
    @session_required(claims=[PLAN.validators.has_value("paid")])
    def paid() -> Any:
        return {}

    @app.get("/async")
    async def lazily() -> Any:
        try:
            return {"user": "ada" if current_session else "visitor"}
        except GeneralError as error:
            return {"error": str(error)}

    return app


def test_the_current_session(login_as: LogIn, supertokens_clock: SupertokensClock) -> None:
    """Verified at the first use, falsy for visitors, the same as a decorator's, 401 once it has expired."""
    app = _started()
    visitor, client = app.test_client(), app.test_client()
    login = login_as(client, "ada")
    assert visitor.get("/greeting").json == {"user": None}
    assert client.get("/greeting").json == {"user": "ada"}
    assert [visitor.get("/page").text, client.get("/page").text] == ["log in", "ada"]
    assert client.get("/page").headers["vary"] == "Cookie, Authorization"
    assert [visitor.get(path).status_code for path in ("/bare", "/checked")] == [401, 401]
    assert client.get("/bare").json == {"user": "ada", "same": True}
    assert client.get("/checked").json == {"user": "ada"}
    session_syncio.revoke_session(login.session.get_handle())
    assert [client.get(path).status_code for path in ("/bare", "/checked")] == [200, 401]
    login_as(client, "ada")  # a refusal has cleared the cookies
    supertokens_clock.advance("2h")
    expired = client.get("/greeting")
    assert (expired.status_code, expired.json) == (401, {"message": "try refresh token"})


def test_a_login_of_a_test_has_claims_and_the_context_of_the_application(login_as: LogIn) -> None:
    """A claim that reads `current_app` works as in a request; the values of others are given."""
    named = PrimitiveClaim[str](key="app", fetch_value=lambda *_: current_app.name)

    def with_name(original: session.interfaces.RecipeInterface) -> session.interfaces.RecipeInterface:
        create = original.create_new_session

        async def create_new_session(user_id: str, payload: Any, *rest: Any, user_context: Any) -> Any:
            payload = {**payload, **await named.build(user_id, "public")}
            return await create(user_id, payload, *rest, user_context=user_context)

        original.create_new_session = create_new_session  # type: ignore[method-assign]
        return original

    app = _started(override=session.InputOverrideConfig(functions=with_name))
    client = app.test_client()
    login = login_as(client, "ada", payload={"x": 1}, claims={PLAN: "paid"})
    payload = login.session.get_access_token_payload()
    assert {key: payload[key] for key in ("x", "app")} == {"x": 1, "app": {"v": app.name, "t": ANY}}
    assert client.get("/paid").status_code == 200


def test_a_view_may_require_claims(login_as: LogIn) -> None:
    app = _started()
    visitor, member, payer = app.test_client(), app.test_client(), app.test_client()
    login_as(member, "ada")
    login_as(payer, "bob", payload=PLAN.add_to_payload_({}, "paid"))
    statuses = [client.get("/paid").status_code for client in (visitor, member, payer)]
    assert statuses == [401, 403, 200]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"claims": []}, "claims takes a list"),
        ({"claims": ["admin"]}, "required claims are validators"),
        ({"claims": PLAN.validators.has_value("paid")}, "claims takes a list"),
        ({"fresh": 60, "override_global_claim_validators": lambda given, *_: given}, "leave out override"),
    ],
)
def test_wrong_requirements_are_refused_where_they_are_written(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        session_required(**wrong)


def test_a_view_may_require_claims_and_a_recent_authentication(
    login_as: LogIn, supertokens_clock: SupertokensClock
) -> None:
    app = _started(step_up=True)

    @app.get("/both")
    @session_required(claims=[PLAN.validators.has_value("paid")], fresh=300)
    def both() -> Any:
        return {}

    member, payer = app.test_client(), app.test_client()
    login_as(member, "ada")
    login_as(payer, "bob", payload=PLAN.add_to_payload_({}, "paid"))
    assert [client.get("/both").status_code for client in (member, payer)] == [403, 200]
    supertokens_clock.advance(301)
    assert payer.get("/both").status_code == 403


def test_a_view_may_require_a_recent_authentication(
    login_as: LogIn, supertokens_clock: SupertokensClock
) -> None:
    """403 for an older one, never 401."""
    app = _started(step_up=True)
    visitor, client = app.test_client(), app.test_client()
    login_as(client, "ada")
    assert [visitor.get("/fresh").status_code, client.get("/fresh").status_code] == [401, 200]
    supertokens_clock.advance(301)
    assert [client.get(path).status_code for path in ("/fresh", "/bare")] == [403, 200]


def test_an_async_view_must_be_decorated(login_as: LogIn) -> None:
    """Verifying lazily would block the event loop, so the error says what to do instead."""
    client = _started().test_client()
    login_as(client, "ada")
    error = client.get("/async").json["error"]
    assert error == "in an async view current_session needs @verify_session(), or @session_required"


def test_signals() -> None:
    """Receivers get the sender and the record; one that fails reaches no request."""
    app = _started()
    seen: list[Any] = []

    def keep(sender: Any, event: Any, **_: Any) -> None:
        seen.append((sender, event))
        raise RuntimeError("a receiver's own mistake")

    connected = [signals.session_created, signals.session_revoked, signals.session_refused]
    for signal in connected:
        signal.connect(keep)
    handle = session_syncio.create_new_session_without_request_response("public", "ada").get_handle()
    session_syncio.revoke_session(handle)
    assert app.test_client().get("/bare").status_code == 401
    for signal in connected:
        signal.disconnect(keep)
    session_syncio.create_new_session_without_request_response("public", "bob")
    ours = Supertokens.get_instance()
    assert seen == [
        (ours, SessionCreated(handle=handle, user_id="ada", tenant_id="public")),
        (ours, SessionRevoked(handle=handle, user_id="ada", tenant_id="public")),
        (app, SessionRefused(code="no_token", may_refresh=False)),
    ]


def test_the_application_is_the_sender_of_signals() -> None:
    """`sender=app` is told of its requests, with their context, and of no other application's."""
    app, other = _started(), _app()
    seen: list[Any] = []

    def keep(sender: Any, event: Any, **_: Any) -> None:
        seen.append((event.user_id, request.path, current_app.name))

    def log_in(user: str) -> Any:
        session_syncio.create_new_session(request, "public", user)
        return {}

    async def log_in_async(user: str) -> Any:
        await session_asyncio.create_new_session(request, "public", user)
        return {}

    for one in (app, other):
        one.add_url_rule("/in/<user>", view_func=log_in, methods=["POST"])
        one.add_url_rule("/async/<user>", view_func=log_in_async, methods=["POST"])
    signals.session_created.connect(keep, sender=app)
    for one, user in ((app, "ada"), (other, "bob")):
        for path in ("in", "async"):
            assert one.test_client().post(f"/{path}/{user}").status_code == 200
    signals.session_created.disconnect(keep, sender=app)
    assert seen == [("ada", "/in/ada", app.name), ("ada", "/async/ada", app.name)]


def test_an_application_of_quart_is_the_sender_of_signals() -> None:
    _started()
    app = Quart(__name__)
    seen: list[Any] = []

    def keep(sender: Any, event: Any, **_: Any) -> None:
        seen.append(event.user_id)

    async def create() -> None:
        create = session_asyncio.create_new_session_without_request_response
        async with app.app_context():
            await create("public", "ada")
        await create("public", "bob")

    signals.session_created.connect(keep, sender=app)
    asyncio.run(create())
    signals.session_created.disconnect(keep, sender=app)
    assert seen == ["ada"]


@pytest.mark.supertokens(engine="sqlite:///sessions.db")  # the command refuses those in memory
def test_the_flask_command_works_on_the_sessions_of_the_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = _started()
    kept = session_syncio.create_new_session_without_request_response("public", "ada")
    cli = FlaskGroup(create_app=lambda: app)
    runner = CliRunner()
    listed = runner.invoke(cli, ["supertokens", "sessions", "list", "ada", "--json"])
    assert (listed.exit_code, [one["handle"] for one in json.loads(listed.stdout)]) == (
        0,
        [kept.get_handle()],
    )
    assert runner.invoke(cli, ["supertokens", "sessions", "revoke", "--user", "ada"]).exit_code == 0
    assert runner.invoke(cli, ["supertokens", "sessions", "show", kept.get_handle()]).exit_code == 1
    helped = runner.invoke(cli, ["supertokens", "--help"])
    assert helped.stdout.startswith("usage: flask supertokens")


@pytest.mark.parametrize(
    "command", [["doctor"], ["sessions", "list", "ada"], ["users", "list"], ["keys", "list"]]
)
def test_the_flask_command_of_an_application_without_init_says_so(command: list[str]) -> None:
    """An error of the command, and no traceback."""
    ran = CliRunner().invoke(FlaskGroup(create_app=lambda: Flask(__name__)), ["supertokens", *command])
    assert (ran.exit_code, ran.stderr) == (2, f"supertokens: {NO_INIT}\n")


def test_a_form_that_comes_late_is_a_visitors(login_as: LogIn, supertokens_clock: SupertokensClock) -> None:
    """Where pages are on: the log-in page may look for a session, with an expired one as well."""
    app = _started(pages=PageSettings(login_path="/login"))

    @app.route("/login", methods=["GET", "POST"])
    def log_in() -> str:
        return render_template_string("{% if current_session %}somebody{% else %}nobody{% endif %}")

    client, page = app.test_client(), {"Accept": "text/html"}
    login = login_as(client, "ada", mode="cookie")
    assert client.post("/login", headers=page).text == "somebody"
    supertokens_clock.until_access_token_expires(login.session)
    assert client.post("/login", headers=page).text == "nobody"
    client.set_cookie("sPageTries", "3")
    assert client.get("/login", headers=page).text == "nobody"
    client.delete_cookie("sPageTries")
    assert client.get("/login", headers=page, follow_redirects=True).text == "somebody"
    assert client.get_cookie("sPageTries") is None


def test_a_form_of_a_subdomain_is_a_visitors(login_as: LogIn) -> None:
    """Where pages are on and the view, or what runs before it, merely looks whether somebody is signed in."""
    app = _started(pages=PageSettings(login_path="/login"))

    @app.before_request
    def look() -> None:
        g.known = request.path != "/shared" and bool(current_session)

    @app.post("/assertion")
    def assertion() -> Any:
        return {"known": g.known, "user": current_session.get_user_id() if current_session else None}

    @app.post("/open")
    @session_required(anti_csrf_check=False)
    def open_to_others() -> Any:
        return {"known": g.known, "user": current_session.get_user_id()}

    @app.post("/guarded")
    @session_required
    def guarded() -> Any:
        return {}

    @app.post("/shared")
    @session_required(anti_csrf_check=False, vary=False)
    def shared() -> Any:
        return {"known": g.known, "user": current_session.get_user_id()}

    client = app.test_client()
    login_as(client, "ada", mode="cookie")
    assert client.post("/assertion").json == {"known": True, "user": "ada"}
    for site, mode in product(("same-site", "cross-site"), ("navigate", "no-cors")):
        foreign = {"origin": "http://blog.localhost", "sec-fetch-site": site, "sec-fetch-mode": mode}
        answer = client.post("/assertion", headers=foreign)
        assert (answer.json, "Set-Cookie" in answer.headers) == ({"known": False, "user": None}, False)
        for view in ("/open", "/shared"):
            assert client.post(view, headers=foreign).json == {"known": False, "user": "ada"}
        assert client.post("/guarded", headers=foreign).status_code == 401
        by_header = app.test_client()
        login_as(by_header, "bob", mode="header")
        assert by_header.post("/assertion", headers=foreign).json == {"known": True, "user": "bob"}
