"""A Lambda function behind stand-ins of the services that invoke it.

They make events of the shapes that AWS documents (events/*.json, with each member that its pages name), and
read responses as strictly as those do.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qsl, unquote

from supertokens_py.framework.aws_lambda import middleware
from supertokens_py.framework.request_registry import as_base_request
from supertokens_py.recipe.session.framework.aws_lambda import verify_session
from supertokens_py.testing import conformance
from supertokens_py.testing.conformance import Answer, Handshake, Headers, Reply, Route

EVENTS = Path(__file__).parents[1] / "events"
MINE = frozenset({"accept", "content-length", "cookie"})  # of the templates, not of each request

Lines = list[tuple[str, str]]


def template(name: str) -> dict[str, Any]:
    """Return one event as it is in its file."""
    return json.loads((EVENTS / f"{name}.json").read_text())


class Service(ABC):
    """What invokes a function: one request in, one event; one answer, one response."""

    name: ClassVar[str]

    def __init__(self, handler: Callable[[Any, Any], Any]) -> None:
        self.handler = handler
        self.error: BaseException | None = None

    @abstractmethod
    def event(self, method: str, path: str, query: str, lines: Lines) -> dict[str, Any]:
        """Return the event of a request without a body."""

    @abstractmethod
    def lines(self, answer: dict[str, Any]) -> Lines | None:
        """Return the header lines of an answer; None for one that the service does not understand."""

    def request(
        self, method: str, target: str, headers: Headers, body: bytes = b"", root_path: str = ""
    ) -> Reply:
        path, _, query = target.partition("?")
        event = self.event(method, path, query, [*headers])
        if body:
            event |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
        self.error = None
        try:
            answer = self.handler(event, None)
        except Exception as error:
            self.error = error
            raise
        json.dumps(answer)  # Lambda does
        lines = self.lines(answer)
        if lines is None:
            return Reply(502, (), b'{"message": "Internal server error"}')
        text = answer.get("body") or ""
        content = b64decode(text) if answer.get("isBase64Encoded") else text.encode()
        assert all(isinstance(value, str) for _, value in lines)
        pairs = tuple((name.lower(), value) for name, value in lines)
        return Reply(answer["statusCode"], pairs, content)

    def together(self, requests: Any) -> list[Reply]:
        return [self.request(*request) for request in requests]

    def handshake(self, target: str, headers: Headers) -> Handshake:
        raise NotImplementedError

    def close(self) -> None:
        return


class HttpApi(Service):
    """Payload 2.0: cookies in a list of their own, other names joined by commas."""

    name = "http_api"

    def event(self, method: str, path: str, query: str, lines: Lines) -> dict[str, Any]:
        event = template(self.name)
        kept = {name: value for name, value in event["headers"].items() if name not in MINE}
        for name, value in lines:
            if name.lower() != "cookie":
                kept[name.lower()] = f"{kept[name]},{value}" if name in kept else value
        cookies = [pair.strip() for name, value in lines if name == "cookie" for pair in value.split(";")]
        event |= {"rawPath": path, "rawQueryString": query, "headers": kept, "cookies": cookies}
        event["requestContext"]["http"] |= {"method": method, "path": path}
        if not cookies:
            del event["cookies"]
        return event

    def lines(self, answer: dict[str, Any]) -> Lines | None:
        assert set(answer) <= {"statusCode", "headers", "cookies", "body", "isBase64Encoded"}
        assert "set-cookie" not in {name.lower() for name in answer.get("headers", {})}
        cookies = [("set-cookie", line) for line in answer.get("cookies", ())]
        return [*answer.get("headers", {}).items(), *cookies]


class FunctionUrl(HttpApi):
    name = "function_url"


class SignedFunctionUrl(HttpApi):
    """Under the auth type AWS_IAM: who signed the request stands in the event."""

    name = "function_url_iam"


class RestApi(Service):
    """Payload 1.0: everything twice, and no member in an answer that is not known."""

    name = "rest_api"

    def event(self, method: str, path: str, query: str, lines: Lines) -> dict[str, Any]:
        event = template(self.name)
        lists = {name: list(values) for name, values in event["multiValueHeaders"].items()}
        lists = {name: values for name, values in lists.items() if name.lower() not in MINE}
        for name, value in lines:
            lists.setdefault(name, []).append(value)
        queries: dict[str, list[str]] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            queries.setdefault(name, []).append(value)
        event |= {"path": unquote(path), "httpMethod": method, "multiValueHeaders": lists}
        event["headers"] = {name: values[-1] for name, values in lists.items()}
        event["multiValueQueryStringParameters"] = queries or None
        event["queryStringParameters"] = {name: values[-1] for name, values in queries.items()} or None
        event["requestContext"] |= {"path": unquote(path), "httpMethod": method}
        return event

    def lines(self, answer: dict[str, Any]) -> Lines | None:
        if set(answer) - {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}:
            return None
        assert not answer.get("isBase64Encoded")  # nobody has configured binary media types
        several = answer.get("multiValueHeaders", {})
        return [(name, value) for name, values in several.items() for value in values]


class HttpApiPayload1(RestApi):
    """An HTTP API that was told to send payload 1.0: names of headers in lower case, and a version."""

    name = "http_api_payload_1"

    def event(self, method: str, path: str, query: str, lines: Lines) -> dict[str, Any]:
        return super().event(method, path, query, [(name.lower(), value) for name, value in lines])


class LoadBalancer(Service):
    """One value for each name, told apart by their case; queries stay encoded."""

    name = "load_balancer"

    def event(self, method: str, path: str, query: str, lines: Lines) -> dict[str, Any]:
        event = template(self.name)
        kept = {name: value for name, value in event["headers"].items() if name not in MINE}
        kept |= {name.lower(): value for name, value in lines}
        pairs = [pair.partition("=") for pair in query.split("&") if pair]
        queries = {name: value for name, _, value in pairs}
        return event | {"httpMethod": method, "path": path, "headers": kept, "queryStringParameters": queries}

    def lines(self, answer: dict[str, Any]) -> Lines | None:
        return [*answer.get("headers", {}).items()]


class MultiValueLoadBalancer(Service):
    """With multi-value headers on: the others are not even read."""

    name = "load_balancer_multi_value"

    def event(self, method: str, path: str, query: str, lines: Lines) -> dict[str, Any]:
        event = template(self.name)
        lists = {name: value for name, value in event["multiValueHeaders"].items() if name not in MINE}
        for name, value in lines:
            lists.setdefault(name.lower(), []).append(value)
        queries: dict[str, list[str]] = {}
        for name, _, value in (pair.partition("=") for pair in query.split("&") if pair):
            queries.setdefault(name, []).append(value)
        event |= {"httpMethod": method, "path": path, "multiValueHeaders": lists}
        return event | {"multiValueQueryStringParameters": queries}

    def lines(self, answer: dict[str, Any]) -> Lines | None:
        several = answer.get("multiValueHeaders", {})
        return [(name, value) for name, values in several.items() for value in values]


def _response(answer: Answer) -> dict[str, Any]:
    several: dict[str, list[str]] = {}
    for name, value in answer.headers:
        several.setdefault(name, []).append(value)
    return {
        "statusCode": answer.status,
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": several,
        "body": answer.content.decode(),
    }


def function(routes: Sequence[Route]) -> Callable[[Any, Any], Any]:
    """Return the handler of the suite's application."""
    views = {route.path: _view(route) for route in routes}

    @middleware
    def handler(event: Any, context: Any) -> Any:
        view = views.get(as_base_request(event).get_path())
        return {"statusCode": 404} if view is None else view(event, context)

    return handler


def _view(route: Route) -> Callable[[Any, Any], Any]:
    def view(event: Any, context: Any) -> Any:
        if as_base_request(event).method() not in route.methods:
            return {"statusCode": 405}
        return _response(route.blocking(event, event.session))

    return view if route.guard is None else verify_session(**route.guard)(view)


class HttpApiDriver(conformance.Driver):
    framework = "aws_lambda"
    mode: Literal["asgi", "wsgi"] = "wsgi"
    service: ClassVar[type[Service]] = HttpApi

    def build(self, routes: Sequence[Route]) -> Any:
        return self.service(function(routes))


#: What a suite of several frameworks names.
Driver = HttpApiDriver


class FunctionUrlDriver(HttpApiDriver):
    service = FunctionUrl


class SignedFunctionUrlDriver(HttpApiDriver):
    service = SignedFunctionUrl


class RestApiDriver(HttpApiDriver):
    service = RestApi


class HttpApiPayload1Driver(HttpApiDriver):
    service = HttpApiPayload1


class LoadBalancerDriver(HttpApiDriver):
    service = LoadBalancer


class MultiValueLoadBalancerDriver(HttpApiDriver):
    service = MultiValueLoadBalancer
