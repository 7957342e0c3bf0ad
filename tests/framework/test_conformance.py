"""The published suite, on each framework that has an adapter."""

from __future__ import annotations

import pytest

from supertokens_py.testing.conformance import Conformance, WsgiClient

from .clients import (
    aiohttp,
    aws_lambda,
    django_async,
    django_sync,
    drf,
    fastapi,
    flask,
    litestar,
    ninja_async,
    ninja_sync,
    quart,
    sanic,
    starlette,
    tornado,
)


class TestFastApi(Conformance):
    driver = fastapi.Driver


class TestFlask(Conformance):
    driver = flask.Driver


class TestDjangoSync(Conformance):
    driver = django_sync.Driver


class TestDjangoAsync(Conformance):
    driver = django_async.Driver


class TestQuart(Conformance):
    driver = quart.Driver


class TestDjangoRest(Conformance):
    driver = drf.Driver


class TestNinjaSync(Conformance):
    driver = ninja_sync.Driver


class TestNinjaAsync(Conformance):
    driver = ninja_async.Driver


class TestQuartOnHypercorn(Conformance):
    driver = quart.OnHypercorn


class TestAiohttp(Conformance):
    driver = aiohttp.Driver


class TestSanic(Conformance):
    driver = sanic.Driver


class TestTornado(Conformance):
    driver = tornado.Driver


class TestStarlette(Conformance):
    driver = starlette.Driver


class TestLitestar(Conformance):
    driver = litestar.Driver


class OnLambda(Conformance):
    driver = aws_lambda.HttpApiDriver
    # The middleware makes the request: without it there is none. test_aws_lambda.py has what is said then.
    test_a_forgotten_middleware = None  # type: ignore[assignment]


class TestHttpApi(OnLambda):
    driver = aws_lambda.HttpApiDriver


class TestFunctionUrl(OnLambda):
    driver = aws_lambda.FunctionUrlDriver


class TestSignedFunctionUrl(OnLambda):
    driver = aws_lambda.SignedFunctionUrlDriver


class TestRestApi(OnLambda):
    driver = aws_lambda.RestApiDriver


class TestHttpApiPayload1(OnLambda):
    driver = aws_lambda.HttpApiPayload1Driver


class TestLoadBalancer(OnLambda):
    driver = aws_lambda.LoadBalancerDriver
    # It passes on one value of each query parameter; test_aws_lambda.py has the rest.
    test_what_a_request_carries = None  # type: ignore[assignment]


class TestMultiValueLoadBalancer(OnLambda):
    driver = aws_lambda.MultiValueLoadBalancerDriver


def test_wsgi_has_no_websockets() -> None:
    """A driver that says it has them is told."""
    with pytest.raises(NotImplementedError):
        WsgiClient(None).handshake("/socket", [])
