"""The published suite, on each framework that has an adapter."""

from __future__ import annotations

from supertokens_py.testing.conformance import Conformance

from .clients import django_async, django_sync, fastapi, flask, quart


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
