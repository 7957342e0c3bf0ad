"""Tests of an application reach nobody: no webhook of it is called, and no delivery service."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine.event_records import EventQuery
from supertokens_py.framework.fastapi import get_middleware
from supertokens_py.recipe import passwordless, session
from supertokens_py.recipe.session import EventSettings, Webhook
from supertokens_py.testing import SupertokensTestMixin, login_as
from tests.support.receiver import Receiver, receiving

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
REAL: list[str] = []  #: what the delivery service of the application was asked to send, and to whom


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    REAL.clear()
    with receiving() as made:
        yield made


class Service:
    """The application's own."""

    async def send_email(self, template_vars: Any, user_context: Any) -> None:
        REAL.append(template_vars.email)

    async def send_sms(self, template_vars: Any, user_context: Any) -> None:
        REAL.append(template_vars.phone_number)


def shop(receiver: Receiver) -> None:
    service: Any = Service()
    webhook = Webhook(url=receiver.url, secret=SECRET)
    init(
        InputAppInfo("Shop", api_domain="https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[
            session.init(events=EventSettings(webhooks=[webhook])),
            passwordless.init(
                passwordless.ContactEmailOrPhoneConfig(),
                "USER_INPUT_CODE",
                email_delivery=passwordless.EmailDeliveryConfig(service),
                sms_delivery=passwordless.SMSDeliveryConfig(service),
            ),
        ],
    )


def use() -> None:
    """Sign in, and ask for an e-mail and a text message."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    client = TestClient(app, base_url="https://api.example.com")
    login_as(client, "ada")
    for body in ({"email": "bob@example.com"}, {"phoneNumber": "+16502530000"}):
        assert client.post("/auth/signinup/code", json=body).json()["status"] == "OK"
    Supertokens.get_instance().flush()  # which sends what is due


def assert_nobody_heard(receiver: Receiver) -> None:
    engine: Any = Supertokens.get_instance().engine
    kept = engine.events.latest(EventQuery()).events
    assert [event.type for event in kept] == ["session.created"]
    assert (receiver.messages, REAL) == ([], [])


@pytest.fixture
def application(receiver: Receiver) -> Iterator[None]:
    """An application that calls `init` when it is imported."""
    Supertokens.reset()
    shop(receiver)
    yield
    Supertokens.reset()


def test_with_the_fixture(application: None, receiver: Receiver, supertokens: Supertokens) -> None:
    use()
    assert_nobody_heard(receiver)


def test_with_the_fixture_and_a_factory(receiver: Receiver, supertokens: Supertokens) -> None:
    shop(receiver)
    assert supertokens.app_info.app_name == "Shop"  # it stands for the app that was made
    use()
    assert_nobody_heard(receiver)


def test_the_outbox_has_them_whenever_it_is_asked_for(
    application: None, supertokens: Supertokens, request: pytest.FixtureRequest
) -> None:
    use()
    outbox = request.getfixturevalue("supertokens_outbox")
    assert [(one.to, one.by) for one in outbox] == [("bob@example.com", "email"), ("+16502530000", "sms")]


class Uses(SupertokensTestMixin, unittest.TestCase):
    """Collected by nobody: the test below runs it."""

    __test__ = False
    receiver: Receiver

    def runTest(self) -> None:
        use()
        assert_nobody_heard(self.receiver)
        assert [one.to for one in self.supertokens_outbox] == ["bob@example.com", "+16502530000"]


def test_with_the_mixin(application: None, receiver: Receiver) -> None:
    test, result = Uses(), unittest.TestResult()
    test.receiver = receiver
    test.run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


def test_outside_of_tests_they_are_sent_as_ever(application: None, receiver: Receiver) -> None:
    """So the tests above would notice."""
    app = FastAPI()
    app.add_middleware(get_middleware())
    client = TestClient(app, base_url="https://api.example.com")
    login_as(client, "ada", allow_real_store=True)
    client.post("/auth/signinup/code", json={"email": "bob@example.com"})
    Supertokens.get_instance().flush()
    assert (receiver.types, REAL) == (["session.created"], ["bob@example.com"])
