"""What only AWS Lambda has: shapes of events and of answers, and a process that is frozen in between."""

from __future__ import annotations

import asyncio
import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.config import EngineConfig
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from supertokens_py.framework.aws_lambda import LambdaRequest, SessionEvent, middleware
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.recipe import emailpassword, session
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.framework.aws_lambda import verify_session
from tests.support.databases import Sqlite, TestDatabase

from .clients import aws_lambda
from .clients.aws_lambda import template

WEBSITE = "https://example.com"
SERVICES = [
    aws_lambda.HttpApi,
    aws_lambda.FunctionUrl,
    aws_lambda.RestApi,
    aws_lambda.HttpApiPayload1,
    aws_lambda.LoadBalancer,
    aws_lambda.MultiValueLoadBalancer,
]
EVENTS = sorted(path.stem for path in aws_lambda.EVENTS.glob("*.json"))


@pytest.fixture
def database(sqlite_files: Sqlite) -> Iterator[TestDatabase]:
    database = sqlite_files.create()
    start(database.uri)
    yield database
    Supertokens.reset()


def start(uri: str, **info: Any) -> None:
    Supertokens.reset()
    init(
        app_info=InputAppInfo("Test", "https://api.example.com", website_domain=WEBSITE, **info),
        framework="aws_lambda",
        supertokens_config=SupertokensConfig(uri),
        recipe_list=[session.init()],
    )


def start_sign_in(uri: str, **more: Any) -> None:
    Supertokens.reset()
    init(
        app_info=InputAppInfo("Test", "https://api.example.com", website_domain=WEBSITE),
        framework="aws_lambda",
        supertokens_config=SupertokensConfig(
            uri, engine=EngineConfig(argon2_memory_kb=1024, argon2_parallelism=1)
        ),
        recipe_list=[
            session.init(),
            emailpassword.init(email_delivery=EmailDeliveryConfig(LoggingEmailService())),
        ],
        **more,
    )


#: The load balancer's is the last one of X-Forwarded-For, whatever the client has written before.
CLIENTS = dict.fromkeys((service.name for service in SERVICES), "192.0.2.7")
CLIENTS |= dict.fromkeys(("load_balancer", "load_balancer_multi_value"), "203.0.113.9")
FORM_HEADERS = [("content-type", "application/json"), ("rid", "emailpassword"), ("st-auth-mode", "cookie")]


def form(email: str, password: str = "correct horse 1") -> bytes:
    fields = {"email": email, "password": password}
    return json.dumps(
        {"formFields": [{"id": name, "value": value} for name, value in fields.items()]}
    ).encode()


@pytest.fixture(params=SERVICES, ids=lambda service: service.name)
def service(request: pytest.FixtureRequest) -> type[aws_lambda.Service]:
    return request.param


def log_in(event: Any, context: Any) -> dict[str, Any]:
    syncio.create_new_session(event, "public", "ada")
    return {"statusCode": 200, "body": "welcome"}


@verify_session()
def me(event: Any, context: Any) -> Any:
    return {"user": event.session.get_user_id()}


# -- events ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVENTS)
def test_what_an_event_says(name: str) -> None:
    request = LambdaRequest.of(SessionEvent(template(name)))
    socket = name == "websocket_connect"
    assert request.method() == "GET"
    assert request.get_path() == ("/" if socket else "/me")
    assert request.is_websocket() is socket
    assert request.get_header("X-Forwarded-PROTO") == "https"
    assert request.get_header("x-other") is None
    assert request.cookie_header() == ("" if socket else "first=1; second=2")
    assert request.get_query_params() == ({} if socket else {"a": "2"})
    start = "https://" + (request.get_header("host") or "")
    full = "/prod/me" if name == "http_api_stage" else "/me"
    assert request.peer_address() == (None if name.startswith("load_balancer") else "192.0.2.7")
    query = "?a=2" if name == "load_balancer" else "?a=1&a=2"
    assert request.get_original_url() == start + ("/" if socket else full + query)


def test_queries_of_load_balancers_are_encoded() -> None:
    """Those of an API are not."""
    event = template("load_balancer") | {"queryStringParameters": {"a%20b": "c%26d"}}
    request = LambdaRequest.of(SessionEvent(event))
    assert request.get_query_params() == {"a b": "c&d"}
    assert request.get_original_url() == "https://api.example.com/me?a%20b=c%26d"
    event = template("rest_api") | {
        "multiValueQueryStringParameters": {"a b": ["c&d"]},
        "queryStringParameters": None,
    }
    assert LambdaRequest.of(SessionEvent(event)).get_query_params() == {"a b": "c&d"}


@pytest.mark.parametrize(
    ("path", "found"), [("/prod", "/"), ("/prod/me", "/me"), ("/production", "/production"), ("/me", "/me")]
)
def test_a_stage_in_the_path(path: str, found: str) -> None:
    """REST APIs take it away, HTTP APIs do so for domains of your own only."""
    event = template("http_api_stage") | {"rawPath": path}
    assert LambdaRequest.of(SessionEvent(event)).get_path() == found
    event = template("http_api_payload_1") | {"path": path}
    event["requestContext"]["stage"] = "prod"
    assert LambdaRequest.of(SessionEvent(event)).get_path() == found
    event = template("rest_api") | {"path": path}
    assert LambdaRequest.of(SessionEvent(event)).get_path() == path


@pytest.mark.parametrize("name", ["http_api_stage", "rest_api"])
def test_the_sdks_routes_behind_a_stage(name: str, database: TestDatabase) -> None:
    """The stage is a prefix that browsers see: cookies are for the path that they ask."""
    start(database.uri, api_gateway_path="/prod")
    path = "/auth/session/refresh"
    session = syncio.create_new_session_without_request_response("public", "ada")
    token = session.get_all_session_tokens_dangerously()["refreshToken"]
    event = template(name) | {"headers": {"Cookie": f"sRefreshToken={token}"}, "httpMethod": "POST"}
    event |= {"rawPath": f"/prod{path}"} if name == "http_api_stage" else {"path": path}
    event = {name: value for name, value in event.items() if name not in ("cookies", "multiValueHeaders")}
    event["requestContext"]["http"] = {"method": "POST"}
    answer = middleware(me)(event, None)
    assert answer["statusCode"] == 200
    cookies = answer.get("cookies") or answer["multiValueHeaders"]["Set-Cookie"]
    assert any(f"Path=/prod{path};" in line for line in cookies)


def test_bodies(database: TestDatabase) -> None:
    """Plain, in base64, and none."""

    @middleware
    def read(event: Any, context: Any) -> Any:
        request = LambdaRequest.of(event)
        body = request.body()
        with pytest.raises(StopIteration) as done:
            body.send(None)  # nothing is waited for
        return {"body": done.value.value.decode()}

    for given, found in (("hällo", "hällo"), (None, "")):
        answer = read(template("http_api") | {"body": given}, None)
        assert json.loads(answer["body"]) == {"body": found}
    encoded = {"body": b64encode("hällo".encode()).decode(), "isBase64Encoded": True}
    assert json.loads(read(template("rest_api") | encoded, None)["body"]) == {"body": "hällo"}


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"source": "aws.events", "detail-type": "Scheduled Event"},
        {"requestContext": {"eventType": "MESSAGE", "connectionId": "x"}, "body": "hello"},
        {"requestContext": {"eventType": "DISCONNECT", "connectionId": "x"}},
        template("http_api") | {"type": "REQUEST", "routeArn": "arn"},
        ["not", "a", "dict"],
        None,
    ],
)
def test_other_events_are_passed_on(event: Any) -> None:
    """Queues, schedules, messages of a WebSocket, authorizers: whoever else invokes the function."""
    seen: list[Any] = []
    assert middleware(lambda given, context: seen.append(given) or "done")(event, None) == "done"
    assert len(seen) == 1
    assert seen[0] is event


def test_the_event_is_still_a_dictionary(database: TestDatabase) -> None:
    """A handler logs it, and its session is beside it."""
    seen: list[Any] = []

    @middleware
    @verify_session(session_required=False)
    def handler(event: Any, context: Any) -> Any:
        seen.append(event)
        assert (event.session, context) == (None, "context")

    given = template("http_api")
    assert handler(given, "context")["body"] == "null"
    assert json.loads(json.dumps(seen[0])) == given
    with pytest.raises(GeneralError, match="dict is not a request of"):
        syncio.get_session(given)


# -- answers ---------------------------------------------------------------------------------------


def test_both_cookies_arrive(service: Any, database: TestDatabase) -> None:
    """Also at a load balancer that takes one value for each name."""
    reply = service(middleware(log_in)).request("POST", "/login", [("st-auth-mode", "cookie")])
    assert (reply.status, reply.body) == (200, b"welcome")
    assert reply.cookie_names == ["sAccessToken", "sRefreshToken"]
    cookie = f"sAccessToken={reply.cookie('sAccessToken').raw}"
    assert service(me).request("GET", "/me", [("cookie", cookie)]).json == {"user": "ada"}
    assert service(me).request("GET", "/me", []).json == {"message": "unauthorised"}


@pytest.mark.parametrize(
    ("answered", "body", "kind"),
    [
        ({"a": 1}, b'{"a": 1}', "application/json"),
        ("text", b"text", "application/json"),
        (None, b"null", "application/json"),
        ({"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "x"}, b"x", "text/plain"),
        ({"statusCode": "200", "body": "x"}, b"x", None),
    ],
)
def test_what_handlers_may_answer(
    answered: Any, body: bytes, kind: str | None, service: Any, database: TestDatabase
) -> None:
    """Payload 2.0 takes anything for a 200, so all do."""
    reply = service(middleware(lambda event, context: answered)).request("GET", "/", [])
    assert (int(reply.status), reply.body, reply.header("content-type")) == (200, body, kind)


def test_binary_answers_stay_as_they_are(database: TestDatabase) -> None:
    answered = {"statusCode": 200, "isBase64Encoded": True, "body": "AAEC"}
    answer = middleware(lambda event, context: answered)(template("http_api"), None)
    assert b64decode(answer["body"]) == b"\0\1\2"
    assert answer["isBase64Encoded"] is True


def test_all_ways_to_write_headers(service: Any, database: TestDatabase) -> None:
    """`headers`, `multiValueHeaders` and `cookies`, whichever service asks; a name counts once."""
    answered = {
        "statusCode": 200,
        "headers": {"X-One": 1, "x-both": "dropped", "Set-Cookie": "a=1"},
        "multiValueHeaders": {"X-Both": ["2", "3"]},
        "cookies": ["b=2"],
        "statusDescription": "200 OK",
    }
    reply = service(middleware(lambda event, context: answered)).request("GET", "/", [])
    assert reply.status == 200
    assert reply.header("x-one") == "1"
    assert ",".join(reply.all("x-both")).replace(" ", "") == "2,3"
    assert sorted(cookie.name for cookie in reply.set_cookies) == ["a", "b"]


def test_errors_of_the_application_fail_the_invocation(database: TestDatabase) -> None:
    """The session that it had created is revoked."""

    @middleware
    def handler(event: Any, context: Any) -> Any:
        log_in(event, context)
        raise LookupError("mine")

    with pytest.raises(LookupError):
        handler(template("http_api"), None)
    assert syncio.get_all_session_handles_for_user("ada") == []


def test_a_store_away(database: TestDatabase) -> None:
    @middleware
    def handler(event: Any, context: Any) -> Any:
        raise EngineUnavailableError("gone")

    answer = handler(template("rest_api"), None)
    assert answer["statusCode"] == 503
    assert answer["multiValueHeaders"]["Retry-After"] == ["1"]


@pytest.mark.parametrize(
    ("origin", "status"), [(WEBSITE, 200), ("https://evil.example", 401), (None, 200), ("null", 401)]
)
def test_websockets(origin: str | None, status: int, database: TestDatabase) -> None:
    """The handshake of an API for WebSockets; the answer has no headers that anybody would pass on."""
    session = syncio.create_new_session_without_request_response("public", "ada")
    event = template("websocket_connect")
    event["multiValueHeaders"]["Cookie"] = [f"sAccessToken={session.get_access_token()}"]
    if origin is not None:
        event["multiValueHeaders"]["Origin"] = [origin]
    assert me(event, None)["statusCode"] == status


# -- sign-in ---------------------------------------------------------------------------------------


def client_ip(request: LambdaRequest) -> str | None:
    """What docs/aws-lambda.md recommends."""
    context = request.request["requestContext"]
    if "elb" in context:
        return (request.get_header("x-forwarded-for") or "").rpartition(",")[2]
    return (context.get("http") or context["identity"])["sourceIp"]


def test_sign_up_and_sign_in(service: Any, database: TestDatabase) -> None:
    """Forms in a body, plain or in base64, a query, cookies: as each service passes them on."""
    seen: list[str | None] = []
    start_sign_in(database.uri, client_ip=lambda request: seen.append(client_ip(request)) or seen[-1])
    client = service(middleware(me))
    exists = "/auth/emailpassword/email/exists?email=ada%2Bshop@example.com"
    assert client.request("GET", exists, []).json == {"status": "OK", "exists": False}
    up = client.request("POST", "/auth/signup", FORM_HEADERS, form("ada+shop@example.com"))
    assert (up.status, up.json["status"]) == (200, "OK")
    assert up.cookie_names == ["sAccessToken", "sRefreshToken"]
    assert client.request("GET", exists, []).json == {"status": "OK", "exists": True}
    into = client.request("POST", "/auth/signin", FORM_HEADERS, form("ada+shop@example.com"))
    cookie = ("cookie", f"sAccessToken={into.cookie('sAccessToken').raw}")
    assert client.request("GET", "/me", [cookie]).json == {"user": up.json["user"]["id"]}
    wrong = client.request("POST", "/auth/signin", FORM_HEADERS, form("ada+shop@example.com", "wrong 123"))
    assert (wrong.json, wrong.cookie_names) == ({"status": "WRONG_CREDENTIALS_ERROR"}, [])
    assert {(address or "").strip() for address in seen} == {CLIENTS[service.name]}


# -- between invocations -----------------------------------------------------------------------------


def test_nothing_is_left_behind(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread, which would be frozen in a transaction, no event loop, and nothing that is not written."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "shop")
    started: list[Any] = []
    monkeypatch.setattr(threading.Thread, "start", started.append)
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: pytest.fail("an event loop"))
    for user in ("ada", "grace"):

        @middleware
        def handler(event: Any, context: Any, user: str = user) -> Any:
            return syncio.create_new_session(event, "public", user).get_user_id()

        handler(template("http_api"), None)
        known = database.query("SELECT user_id FROM user_last_active WHERE user_id = %s", user)
        assert len(known) == 1
    assert started == []


def test_what_is_pending_is_written_anywhere(database: TestDatabase) -> None:
    """Where threads run, nobody has to wait for them."""
    middleware(log_in)(template("http_api"), None)
    assert len(database.query("SELECT user_id FROM user_last_active")) == 1
