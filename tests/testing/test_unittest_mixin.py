"""Test cases of `unittest` get what the fixtures give to functions."""

from __future__ import annotations

import unittest
from collections.abc import Iterator
from typing import ClassVar

import pytest
from flask import Flask

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe import emailpassword, session, thirdparty
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_all_session_handles_for_user,
)
from supertokens_py.testing import SupertokensClock, SupertokensTestMixin


@pytest.fixture(autouse=True)
def app() -> Iterator[Supertokens]:
    Supertokens.reset()
    init(
        app_info=InputAppInfo(
            app_name="Shop", api_domain="http://localhost", website_domain="http://localhost"
        ),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init()],
    )
    yield Supertokens.get_instance()
    Supertokens.reset()


class Example(SupertokensTestMixin, unittest.TestCase):
    """Collected by nobody: the tests below run it."""

    __test__ = False
    supertokens_engine: ClassVar[dict[str, int]] = {"access_token_validity": 60}

    def setUp(self) -> None:
        self.first = create_new_session_without_request_response("public", "ada")

    def runTest(self) -> None:
        assert get_all_session_handles_for_user("ada") == [self.first.get_handle()]
        assert self.supertokens is Supertokens.get_instance()
        payload = self.first.get_access_token_payload()
        assert payload["exp"] - payload["iat"] == 60
        before = self.supertokens_clock.now_ms
        assert self.supertokens_clock.advance("2h") - before == 7_200_000


class SignsUp(SupertokensTestMixin, unittest.TestCase):
    """Collected by nobody: the tests below run it."""

    __test__ = False

    def runTest(self) -> None:
        flask = Flask(__name__)
        Middleware(flask)
        client = flask.test_client()
        login = self.sign_up_as(client, "bob@example.com", mode="header")
        assert len(self.supertokens_outbox) == 0
        form = [{"id": "email", "value": "bob@example.com"}]
        client.post("/auth/user/password/reset/token", json={"formFields": form})
        assert self.supertokens_outbox.last_to("bob@example.com").user_id == login.user.id
        google = self.sign_up_as(flask.test_client(), "eve@example.com", provider="google", mode="header")
        assert google.user.emails == ["eve@example.com"]


def test_each_test_has_an_outbox_and_users_of_its_own() -> None:
    """The second run finds neither a message nor a user of the first."""
    Supertokens.reset()
    google = thirdparty.ProviderInput(
        thirdparty.ProviderConfig("google", clients=[thirdparty.ProviderClientConfig("id", "secret")])
    )
    init(
        app_info=InputAppInfo(
            app_name="Shop", api_domain="http://localhost", website_domain="http://localhost"
        ),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[
            session.init(),
            emailpassword.init(),
            thirdparty.init(thirdparty.SignInAndUpFeature([google])),
        ],
    )
    for _ in range(2):
        result = unittest.TestResult()
        SignsUp().run(result)
        assert (result.testsRun, result.errors, result.failures) == (1, [], [])


def test_each_test_has_sessions_and_a_clock_of_its_own(app: Supertokens) -> None:
    clocks: list[SupertokensClock] = []
    for _ in range(2):
        test, result = Example(), unittest.TestResult()
        test.run(result)
        assert (result.testsRun, result.errors, result.failures) == (1, [], [])
        clocks.append(test.supertokens_clock)
    assert clocks[0] is not clocks[1]
    assert Supertokens.get_instance() is app
    assert get_all_session_handles_for_user("ada") == []
