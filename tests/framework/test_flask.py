"""What only Flask has: async views, MethodView, blueprints, before_request, a pushed app context."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Blueprint, Flask, Response, copy_current_request_context, g, request
from flask.views import MethodView

from supertokens_py.exceptions import ConfigError, GeneralError, PayloadTooLargeError
from supertokens_py.framework.flask import Middleware, current_session, flask_middleware
from supertokens_py.framework.flask.flask_request import FlaskRequest
from supertokens_py.recipe.session import asyncio as session_asyncio
from supertokens_py.recipe.session import syncio as session_syncio
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.recipe.session.framework.flask import verify_session
from supertokens_py.testing.conformance import WsgiClient
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .site import Site
from .test_verify import UNAUTHORISED, assert_refused


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    """The Flask site; a test may put an app of its own in place of the usual one."""
    made = Site("flask", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


@pytest.fixture
def app(site: Site) -> Flask:
    """An empty app with the middleware, already in the site's place."""
    made = Flask(__name__)
    made.logger.disabled = True
    Middleware().init_app(made)
    site.old = site.client  # type: ignore[attr-defined]
    site.client = WsgiClient(made)
    return made


def signed_in(site: Site, mode: str = "header") -> Any:
    """A visitor who signed in at the usual app."""
    mine, site.client = site.client, site.old  # type: ignore[attr-defined]
    visitor = site.sign_in(mode)
    site.client = mine
    return visitor


def test_async_views_await_their_session(site: Site, app: Flask, mode: str) -> None:
    """FP-41, FP-88: `async def` views: decorated, with awaited session methods, errors answered."""

    @app.post("/me")
    @verify_session()
    async def me() -> dict[str, str]:
        await g.supertokens.merge_into_access_token_payload({"a": 1})
        return {"user": g.supertokens.get_user_id()}

    @app.post("/clear")
    @verify_session()
    async def clear() -> dict[str, str]:
        await g.supertokens.merge_into_access_token_payload({"a": 1})
        raise UnauthorisedError("x")

    @app.post("/login")
    async def login() -> dict[str, str]:
        made = await session_asyncio.create_new_session(request, "public", "user-2")
        return {"user": made.get_user_id()}

    visitor = signed_in(site, mode)
    assert_refused(site.post("/me"), UNAUTHORISED)
    reply = visitor.post("/me")
    assert reply.json == {"user": "user-1"}
    assert reply.front["up"]["a"] == 1
    reply = visitor.post("/clear")
    assert reply.json == UNAUTHORISED
    reply.assert_cleared("cookie", "header")
    assert site.post("/login").front["uid"] == "user-2"


def test_a_blocking_call_in_an_async_view_says_what_to_do(site: Site, app: Flask) -> None:
    """FP-50: a blocking call inside `async def` says what to do instead."""

    @app.post("/login")
    async def login() -> dict[str, str]:
        try:
            session_syncio.create_new_session(request, "public", "user-2")
        except RuntimeError as error:
            return {"error": str(error)}
        return {}

    assert "Await its async twin instead" in site.post("/login").json["error"]


def test_methods_of_a_view_class_can_be_protected(site: Site, app: Flask) -> None:
    """FP-41: on one method of a MethodView, or on all of them through `decorators`."""

    class One(MethodView):
        def get(self) -> dict[str, bool]:
            return {"open": True}

        @verify_session()
        def post(self) -> dict[str, str]:
            return {"user": g.supertokens.get_user_id()}

    class All(MethodView):
        decorators = [verify_session()]  # noqa: RUF012  as Flask's documentation writes it

        def get(self) -> dict[str, str]:
            return {"user": g.supertokens.get_user_id()}

    app.add_url_rule("/one", view_func=One.as_view("one"))
    app.add_url_rule("/all", view_func=All.as_view("all"))
    visitor = signed_in(site)
    assert site.get("/one").json == {"open": True}
    assert_refused(site.post("/one"), UNAUTHORISED)
    assert visitor.post("/one").json == {"user": "user-1"}
    assert_refused(site.get("/all"), UNAUTHORISED)
    assert visitor.get("/all").json == {"user": "user-1"}


def test_a_guard_above_its_route_answers_no_request(site: Site, app: Flask) -> None:
    """FP-41: the route has the view without its guard: no request is answered until that is mended."""
    blueprint = Blueprint("members", __name__)

    @verify_session()
    @blueprint.get("/members")
    def page() -> dict[str, bool]:
        return {"open": True}

    @app.get("/other")
    def other() -> dict[str, bool]:
        return {"open": True}

    app.register_blueprint(blueprint)
    app.testing = True
    for path in ("/members", "/other", "/members"):
        with pytest.raises(ConfigError) as raised:
            site.get(path)
        assert str(raised.value) == (
            "the view members.page is open to everybody: verify_session() stands above its route, "
            "which registers the view as it is. Put @app.route(...) above @verify_session()"
        )


def test_a_view_with_and_without_a_guard(site: Site, app: Flask) -> None:
    """FP-41: one function may stand under an open and under a guarded route; two guards are one too many."""

    def view() -> dict[str, bool]:
        return {"open": True}

    app.add_url_rule("/open", "open", view)
    app.add_url_rule("/guarded", "guarded", verify_session()(view))
    app.add_url_rule("/partial", "partial", verify_session()(functools.partial(view)))

    @app.get("/wrapped")
    @functools.wraps(app.view_functions["partial"])
    def wrapped() -> Any:
        return {"open": True}

    @verify_session()
    @app.get("/twice")
    @verify_session()
    def twice() -> dict[str, bool]:
        return {"open": True}

    assert site.get("/open").json == {"open": True}
    assert_refused(site.get("/guarded"), UNAUTHORISED)
    assert_refused(site.get("/partial"), UNAUTHORISED)
    assert site.get("/wrapped").json == {"open": True}
    assert_refused(site.get("/twice"), UNAUTHORISED)


def test_the_order_is_looked_at_once(site: Site, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later requests run the hook that answers the SDK's routes, in the same place and without the look."""
    seen: list[str] = []
    app.before_request(lambda: seen.append("after"))
    app.before_request_funcs[None].insert(0, lambda: seen.append("before"))
    (_, first, _) = app.before_request_funcs[None]
    site.get("/x")
    with app.test_request_context("/x"):
        assert first() is None  # as of a thread whose request came at the same time
    monkeypatch.setattr(flask_middleware, "refuse_unguarded_views", lambda app: pytest.fail("looked again"))
    assert site.get("/x").status == 404
    assert app.before_request_funcs[None][1] is not first
    assert seen == ["before", "after"] * 2


def test_before_request_guards_a_whole_blueprint(site: Site, app: Flask) -> None:
    """FP-41: a blueprint guarded as a whole by `before_request`."""
    blueprint = Blueprint("members", __name__, url_prefix="/members")

    @blueprint.before_request
    @verify_session()
    def guard() -> None:
        return None

    @blueprint.get("/<name>")
    def page(name: str) -> dict[str, str]:
        return {"user": g.supertokens.get_user_id(), "page": name}

    app.register_blueprint(blueprint)
    assert_refused(site.get("/members/x"), UNAUTHORISED)
    assert signed_in(site).get("/members/x").json == {"user": "user-1", "page": "x"}


def test_arguments_and_names_survive(site: Site, app: Flask) -> None:
    """FP-41: URL arguments reach the view, and two decorated views keep their endpoint names."""

    @app.get("/a/<int:number>")
    @verify_session(session_required=False)
    def first(number: int) -> dict[str, int]:
        return {"number": number}

    @app.get("/b/<int:number>")
    @verify_session(session_required=False)
    def second(number: int) -> dict[str, int]:
        return {"number": number + 1}

    assert site.get("/a/1").json == {"number": 1}
    assert site.get("/b/1").json == {"number": 2}
    assert {"first", "second"} <= set(app.view_functions)


def test_the_middleware_answers_errors_of_hooks(site: Site, app: Flask) -> None:
    """FP-89: the middleware answers session errors of hooks as well."""

    @app.before_request
    def refuse() -> None:
        raise UnauthorisedError("x")

    reply = site.get("/anything")
    assert (reply.status, reply.json) == (401, UNAUTHORISED)
    reply.assert_cleared("cookie", "header")


def test_a_handler_of_the_application_has_the_last_word(site: Site, app: Flask) -> None:
    """FP-90: a handler that the application registers has the last word on undecorated views."""

    @app.errorhandler(UnauthorisedError)
    def handle(error: UnauthorisedError) -> Any:
        return {"own": str(error)}, 499

    @app.get("/x")
    def x() -> None:
        raise UnauthorisedError("why", clear_tokens=False)

    reply = site.get("/x")
    assert (reply.status, reply.json) == (499, {"own": "why"})


def test_without_the_middleware_the_decorator_answers_by_itself(site: Site) -> None:
    """FP-41: the decorator answers by itself; tokens of new sessions need the middleware."""
    app = Flask(__name__)

    @app.get("/me")
    @verify_session()
    def me() -> dict[str, str]:
        return {"user": g.supertokens.get_user_id()}

    @app.get("/current")
    def current() -> dict[str, str | None]:
        return {"user": current_session.get_user_id() if current_session else None}

    @app.get("/found")
    def found() -> dict[str, str | None]:
        session = session_syncio.get_session(request, session_required=False)
        return {"user": session and session.get_user_id()}

    @app.get("/nobody")
    def nobody() -> dict[str, str]:
        return {}

    @app.post("/login")
    def login() -> dict[str, str]:
        session_syncio.create_new_session(request, "public", "user-2")
        return {}

    visitor = site.sign_in("header")
    site.client = WsgiClient(app)
    assert_refused(site.get("/me"), UNAUTHORISED)
    replies = [visitor.get(path) for path in ("/me", "/current", "/found")]
    assert [reply.json for reply in replies] == [{"user": "user-1"}] * 3
    replies += [site.get(path) for path in ("/me", "/current", "/found")]
    for reply in replies:
        assert (reply.header("vary"), reply.header("cache-control")) == ("Cookie, Authorization", "private")
    assert site.get("/nobody").header("vary") is None
    app.testing = True
    with pytest.raises(ConfigError, match=r"middleware is missing. Add it: Middleware\(app\)"):
        site.post("/login")
    assert site.handles("user-2") == []


def test_a_pushed_app_context_shows_no_session_to_the_next_request(site: Site, app: Flask) -> None:
    """FP-93: with an app context pushed for the whole process, the next request finds no session in `g`."""

    @app.get("/me")
    @verify_session()
    def me() -> dict[str, str]:
        return {"user": g.supertokens.get_user_id()}

    @app.get("/anyone")
    def anyone() -> dict[str, bool]:
        return {"session": "supertokens" in g}

    visitor = signed_in(site)
    with app.app_context():
        assert visitor.get("/me").json == {"user": "user-1"}
        assert site.get("/anyone").json == {"session": False}


def test_a_thread_of_a_view_changes_its_session(site: Site, app: Flask, mode: str) -> None:
    """Threads have no app context; the tokens that it changes reach the client with this response."""

    @app.post("/merge")
    @verify_session()
    def merge() -> dict[str, bool]:
        change = functools.partial(g.supertokens.sync_merge_into_access_token_payload, {"a": 1})
        thread = threading.Thread(target=change)
        thread.start()
        thread.join()
        return {"ok": True}

    visitor = signed_in(site, mode)
    reply = visitor.post("/merge")
    assert reply.json == {"ok": True}
    assert reply.front["up"]["a"] == 1


def test_a_stream_cannot_store_what_no_cookie_holds(site: Site, app: Flask) -> None:
    """The response has started, and the next refresh would send a cookie that browsers drop."""
    caught: list[Exception] = []

    @app.post("/stream")
    @verify_session()
    def stream() -> Response:
        session = g.supertokens

        def body() -> Iterator[str]:
            try:
                session.sync_merge_into_access_token_payload({"big": "x" * 6000})
            except PayloadTooLargeError as error:
                caught.append(error)
            yield "{}"

        return Response(body(), mimetype="application/json")

    visitor = signed_in(site, "cookie")
    assert visitor.post("/stream").status == 200
    assert [type(error) for error in caught] == [PayloadTooLargeError]
    assert "big" not in site.stored(visitor.handle).payload


def test_a_request_and_its_proxy_are_one(site: Site, app: Flask) -> None:
    """`flask.request` and the object behind it have one neutral request, whichever comes first."""

    @app.get("/proxy")
    def proxy() -> dict[str, bool]:
        return {"same": FlaskRequest(request).changes is FlaskRequest(real(request)).changes}

    @app.get("/real")
    def behind() -> dict[str, bool]:
        return {"same": FlaskRequest(real(request)).changes is FlaskRequest(request).changes}

    def real(given: Any) -> Any:
        return given._get_current_object()

    assert site.get("/proxy").json == {"same": True}
    assert site.get("/real").json == {"same": True}


def test_an_environment_variable_is_no_header(site: Site) -> None:
    """FP-52: a WSGI variable called `RID` proves nothing (D33 in regressions/README.md)."""
    site.init(anti_csrf="VIA_CUSTOM_HEADER")
    visitor = site.sign_in("cookie")
    inner = site.client.app

    def with_variables(environ: Any, start_response: Any) -> Any:
        return inner({**environ, "RID": "session", "ANTI_CSRF": "x"}, start_response)

    site.client.app = with_variables
    assert visitor.post("/protected", without=["rid"]).status == 401
    assert visitor.post("/protected").status == 200


def test_the_test_client_keeps_cookies_as_browsers_do(site: Site) -> None:
    """FP-1: Flask's own test client keeps the cookies, as browsers do (path included)."""
    client = site.client.app.test_client()

    def create(view: Any) -> Any:
        yield view.create()

    client.post(
        site.target("/open", create), headers={"st-auth-mode": "cookie"}, base_url="https://api.example.com"
    )
    assert client.get("/protected", base_url="https://api.example.com").json == {"user": "user-1"}
    answer = client.post("/auth/session/refresh", base_url="https://api.example.com")
    assert answer.json == {}


def test_preflights_of_our_routes_are_successes(site: Site, app: Flask) -> None:
    """A CORS extension only adds headers; the status of a preflight has to be a success."""
    for path, methods in (
        ("/auth/session/refresh", {"POST", "OPTIONS"}),
        ("/auth/public/signout", {"POST", "OPTIONS"}),
        ("/auth/jwt/jwks.json", {"GET", "OPTIONS"}),
    ):
        reply = site.request("OPTIONS", path)
        assert reply.status == 200
        assert set((reply.header("allow") or "").split(", ")) == methods
    assert site.request("OPTIONS", "/auth/nothing").status == 404
    assert site.request("OPTIONS", "/nothing").status == 404


def test_errors_that_are_the_application_s(site: Site, app: Flask) -> None:
    """Misuse of the SDK gets to the application's handlers as it was raised, not as a bare server error."""

    @app.errorhandler(ValueError)
    def value(error: ValueError) -> Any:
        return {"value": type(error).__name__}, 418

    @app.errorhandler(Exception)
    def other(error: Exception) -> Any:
        return {"other": str(error)}, 418

    @app.post("/large")
    def large() -> None:
        session_syncio.create_new_session(request, "public", "user-2", {"big": "x" * 6000})

    @app.post("/misused")
    @verify_session(session_required=False)
    def misused() -> None:
        raise GeneralError("of the SDK")

    assert site.post("/large", [("st-auth-mode", "cookie")]).json == {"value": "PayloadTooLargeError"}
    assert site.post("/misused").json == {"other": "of the SDK"}
    assert_refused(site.request("POST", "/auth/signout"), UNAUTHORISED)


def test_a_decorator_that_calls_the_view_in_a_thread_gets_what_it_returned(site: Site, app: Flask) -> None:
    """Nothing there tells whose decorator it is; Flask makes the response."""
    seen: list[Any] = []

    def in_a_thread(view: Any) -> Any:
        @functools.wraps(view)
        def call() -> Any:
            run = copy_current_request_context(lambda: seen.append(view()))
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
            return seen[-1]

        return call

    @app.get("/me")
    @in_a_thread
    @verify_session(session_required=False)
    def me() -> dict[str, Any]:
        return {"user": None}

    assert site.get("/me").json == {"user": None}
    assert seen == [{"user": None}]


def test_decorators_of_the_application_get_a_response(site: Site, app: Flask) -> None:
    """They get a response, as those written for 0.24 expect; a refusal is raised through them."""
    seen: list[str] = []

    def no_cache(view: Any) -> Any:
        @functools.wraps(view)
        def call() -> Any:
            try:
                response = view()
            except UnauthorisedError:
                seen.append("refused")
                raise
            response.headers["Cache-Control"] = "no-store"
            return response

        return call

    @app.get("/me")
    @no_cache
    @verify_session()
    def me() -> dict[str, str]:
        return {"user": g.supertokens.get_user_id()}

    assert_refused(site.get("/me"), UNAUTHORISED)
    reply = signed_in(site).get("/me")
    assert (reply.json, reply.header("cache-control")) == ({"user": "user-1"}, "no-store")
    assert seen == ["refused"]


HIDE = """
import functools
def hide(view):
    @functools.wraps(view)
    def call():
        return {'user': view()['user']}
    return call
"""

NO_STORE = """
import functools
def no_store(view):
    @functools.wraps(view)
    def call():
        response = view()
        response.headers['Cache-Control'] = 'no-store'
        return response
    return call
def counted(view):
    @functools.wraps(view)
    def call():
        return view()
    return call
"""

VIEWS = """
from flask import g
from supertokens_py.recipe.session.framework.flask import verify_session
@verify_session()
def me():
    return {'user': g.supertokens.get_user_id(), 'password': 'secret'}
"""


class Installed:
    """Packages as an installation, an archive or a directory of both code and libraries holds them."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def module(self, name: str, code: str) -> Any:
        """Write the module, in packages where its parents are written, and import it."""
        path = self.root.joinpath(*name.split("."))
        path.mkdir(parents=True)
        return self._import(name, path / "__init__.py", code)

    def file(self, name: str, code: str) -> Any:
        """Write a module that is one file, in no package, and import it."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self._import(name, self.root / f"{name}.py", code)

    def _import(self, name: str, path: Path, code: str) -> Any:
        path.write_text(code)
        importlib.invalidate_caches()
        return importlib.import_module(name)


@pytest.fixture(params=["task", "lib/site-packages"])
def installed(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installed]:
    """A directory of modules: `pip install -t`, and `pip install` of the application with its libraries."""
    monkeypatch.syspath_prepend(str(tmp_path / request.param))
    yield Installed(tmp_path / request.param)
    for name in [one for one in sys.modules if one.split(".")[0] in {"company", "schemas", "shop", "store"}]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("library", "application"),
    [("schemas", "shop"), ("company.schemas", "company.shop"), ("schemas.hiding", "shop.views")],
)
def test_decorators_of_libraries_get_what_the_view_returned(
    site: Site, app: Flask, installed: Installed, library: str, application: str
) -> None:
    """They get what the view returned: a schema that hides fields would let a finished response through.

    Wherever the library lies: below the application's own decorator as well.
    """
    hide = installed.module(library, HIDE).hide
    views = installed.module(application, VIEWS)
    counted = installed.module(f"{application}.caching", NO_STORE).counted
    app.add_url_rule("/me", "me", hide(views.me))
    app.add_url_rule("/counted", "counted", hide(counted(views.me)))
    app.add_url_rule("/twice", "twice", counted(hide(views.me)))
    assert_refused(site.get("/me"), UNAUTHORISED)
    visitor = signed_in(site)
    for path in ("/me", "/counted", "/twice"):
        assert visitor.get(path).json == {"user": "user-1"}, path


def test_a_schema_around_a_class_of_views_gets_what_the_view_returned(
    site: Site, app: Flask, installed: Installed
) -> None:
    """As a decorator of the class, above one of the application around the method."""
    hide = installed.module("schemas", HIDE).hide
    counted = installed.module("shop.caching", NO_STORE).counted
    views = installed.module("shop.views", VIEWS)

    class Me(MethodView):
        decorators: ClassVar = [hide]  # type: ignore[misc]

        def get(self) -> Any:
            return counted(views.me)()

    app.add_url_rule("/me", view_func=Me.as_view("me"))
    assert signed_in(site).get("/me").json == {"user": "user-1"}


def test_decorators_of_an_installed_application_get_a_response(
    site: Site, app: Flask, installed: Installed
) -> None:
    """As those of one that runs from its source, in every module of its package."""
    installed.module("store", "")
    views = installed.module("store.views", VIEWS)
    no_store = installed.module("store.caching", NO_STORE).no_store
    app.add_url_rule("/me", "me", no_store(views.me))
    reply = signed_in(site).get("/me")
    assert (reply.json["user"], reply.header("cache-control")) == ("user-1", "no-store")


def test_decorators_in_a_file_beside_the_view_get_a_response(
    site: Site, app: Flask, installed: Installed
) -> None:
    """`app.py` and `decorators.py` without a package, as small applications are written."""
    views = installed.file("shop", VIEWS)
    no_store = installed.file("store", NO_STORE).no_store
    hide = installed.module("schemas", HIDE).hide
    app.add_url_rule("/me", "me", no_store(views.me))
    app.add_url_rule("/hidden", "hidden", hide(views.me))
    visitor = signed_in(site)
    assert visitor.get("/me").header("cache-control") == "no-store"
    assert visitor.get("/hidden").json == {"user": "user-1"}


def test_a_server_error_after_a_session_error_that_was_handled_stays_one(site: Site, app: Flask) -> None:
    """A hook, or a view, that asks a guard and goes on without a session has done with its error.

    A 401 in place of the outage would make frontends refresh, and send an order a second time.
    """

    @verify_session()
    def session_of_visitor() -> str:
        return g.supertokens.get_user_id()

    @app.before_request
    def look() -> None:
        with contextlib.suppress(UnauthorisedError):
            session_of_visitor()

    @app.get("/down")
    def down() -> tuple[str, int]:
        with contextlib.suppress(UnauthorisedError):
            session_of_visitor()
        return "backend down", 503

    @app.get("/streamed")
    def streamed() -> tuple[Iterator[str], int]:
        return iter(["backend ", "down"]), 500

    for path, status in (("/down", 503), ("/streamed", 500)):
        reply = site.client.request("GET", path, [])
        assert (reply.status, reply.body) == (status, b"backend down"), path


def test_an_answer_in_place_of_a_server_error_may_be_read_by_the_website(site: Site, app: Flask) -> None:
    """It keeps what the extension for CORS has said, and what the other response had to close is closed."""
    closed: list[str] = []

    def layer(view: Callable[[], Any]) -> Callable[[], Any]:
        @functools.wraps(view)
        def call() -> Any:
            try:
                return view()
            except Exception:
                response = app.make_response(("oops", 500))
                response.call_on_close(lambda: closed.append("the server error"))
                return response

        return call

    @app.after_request
    def cors(response: Response) -> Response:
        response.headers["Access-Control-Allow-Origin"] = "https://example.com"
        response.headers["X-Mine"] = "of the server error"
        return response

    app.add_url_rule("/me", "me", layer(verify_session()(lambda: "me")))
    reply = site.client.request("GET", "/me", [])
    assert_refused(reply, UNAUTHORISED)
    assert reply.header("access-control-allow-origin") == "https://example.com"
    assert reply.header("x-mine") is None
    assert closed == ["the server error"]


def test_the_wsgi_application_is_refused_in_place_of_the_app(app: Flask) -> None:
    """FP-41: what other SDKs take; the error says what this one takes."""
    for given, spelt in ((app.wsgi_app, "app.wsgi_app"), ("app", "str")):
        with pytest.raises(ConfigError) as raised:
            Middleware(given)  # type: ignore[arg-type]
        assert str(raised.value) == f"Middleware takes the Flask application: Middleware(app), not {spelt}"
