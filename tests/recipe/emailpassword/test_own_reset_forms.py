"""A form of the application's own that asks for a reset has what the route has: limits, and equal timing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from starlette.requests import Request
from werkzeug.test import TestResponse

from supertokens_py.exceptions import BadInputError
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.emailpassword import InputOverrideConfig
from supertokens_py.recipe.emailpassword import asyncio as emailpassword_async
from supertokens_py.recipe.emailpassword.interfaces import GeneratePasswordResetTokenPostNotAllowedResponse
from supertokens_py.recipe.emailpassword.syncio import (
    request_password_reset,
    reset_password_using_token,
    sign_in,
    sign_up,
)
from supertokens_py.runtime.deferred_work import DeferredWork
from supertokens_py.types.response import GeneralErrorResponse
from tests.support.clock import Clock

from .conftest import ADDRESS, PASSWORD, Outbox, Start
from .test_clients import from_header

STRANGER = "eve@example.com"


@pytest.fixture
def site() -> Iterator[FlaskClient]:
    app = flask.Flask(__name__)
    Middleware(app)

    @app.post("/forgot")
    def forgot() -> str:
        tenant_id = flask.request.form.get("tenant", "public")
        request_password_reset(flask.request, tenant_id, flask.request.form["email"])
        return "on its way"

    with app.test_client() as client:
        yield client


def ask(site: FlaskClient, email: str, client: str = "192.0.2.7") -> TestResponse:
    return site.post("/forgot", data={"email": email}, headers={"x-real-ip": client})


def test_a_link_is_sent_that_sets_a_new_password(start: Start, site: FlaskClient, outbox: Outbox) -> None:
    start()
    sign_up("public", ADDRESS, PASSWORD)
    assert [ask(site, email).text for email in (f" {ADDRESS.upper()} ", STRANGER)] == ["on its way"] * 2
    assert [letter.user.email for letter in outbox.sent] == [ADDRESS]
    assert reset_password_using_token("public", outbox.token, "another horse 2").status == "OK"
    assert sign_in("public", ADDRESS, "another horse 2").status == "OK"


@pytest.mark.parametrize("tenant_id", ["Public", " public ", ""])
def test_the_tenant_may_be_written_as_for_a_sign_in(
    start: Start, site: FlaskClient, outbox: Outbox, tenant_id: str
) -> None:
    start()
    sign_up(tenant_id, ADDRESS, PASSWORD)
    assert site.post("/forgot", data={"email": ADDRESS, "tenant": tenant_id}).text == "on its way"
    assert [letter.user.email for letter in outbox.sent] == [ADDRESS]
    assert reset_password_using_token(tenant_id, outbox.token, "another horse 2").status == "OK"


def test_an_address_has_its_share_of_links(
    start: Start, site: FlaskClient, outbox: Outbox, clock: Clock
) -> None:
    start(client_ip=from_header)
    sign_up("public", ADDRESS, PASSWORD)
    for _ in range(8):
        assert ask(site, ADDRESS).text == "on its way"
        clock.advance(ms=15_000)
    assert len(outbox.sent) == 5


def test_a_client_has_its_share_of_resets(start: Start, site: FlaskClient, outbox: Outbox) -> None:
    start(client_ip=from_header, engine={"password_resets_per_client_and_hour": 2})
    answers = [ask(site, f"a{number}@example.com") for number in range(3)]
    assert [answer.text for answer in answers[:2]] == ["on its way"] * 2
    assert "Too many attempts. Please try again in 30 minutes" in answers[2].text
    assert ask(site, STRANGER, client="192.0.2.8").text == "on its way"


def test_the_address_is_looked_up_after_the_answer(
    start: Start, site: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, waiting = list[str](), list[Any]()

    def functions(original: Any) -> Any:
        def get_user_by_email(email: str, tenant_id: str, user_context: dict[str, Any]) -> None:
            asked.append(email)

        original.get_user_by_email = get_user_by_email
        return original

    def keep(self: DeferredWork, work: Any, *, size: int) -> bool:
        waiting.append(work)
        return True

    monkeypatch.setattr(DeferredWork, "start", keep)
    start(override=InputOverrideConfig(functions=functions))
    assert ask(site, ADDRESS).text == "on its way"
    assert (asked, len(waiting)) == ([], 1)


@pytest.mark.parametrize("email", [None, object(), "", "ada", "ada@example.com, eve@example.com"])
def test_what_is_no_address_is_refused(start: Start, email: Any) -> None:
    """Also of a form without the field, or with a file in it: anybody can send one."""
    start()
    app = flask.Flask(__name__)
    with app.test_request_context("/"), pytest.raises(BadInputError, match=r"Email is not valid"):
        request_password_reset(flask.request, "public", email)


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (None, "on its way"),
        (GeneralErrorResponse("Solve the captcha"), "Solve the captcha"),
        (GeneratePasswordResetTokenPostNotAllowedResponse("Ask support"), "Ask support"),
    ],
)
def test_the_override_of_the_route_is_asked(
    start: Start, site: FlaskClient, outbox: Outbox, refusal: Any, message: str
) -> None:
    """As for the forms that send codes; what it refuses is an error, so that no page says it was sent."""
    asked: list[Any] = []

    def apis(original: Any) -> Any:
        send = original.generate_password_reset_token_post

        async def post(form_fields: Any, tenant_id: str, api_options: Any, user_context: Any) -> Any:
            asked.append([(one.id, one.value) for one in form_fields])
            if refusal is not None:
                return refusal
            return await send(form_fields, tenant_id, api_options, user_context)

        original.generate_password_reset_token_post = post
        return original

    start(override=InputOverrideConfig(apis=apis))
    sign_up("public", ADDRESS, PASSWORD)
    assert message in ask(site, f" {ADDRESS}").text
    assert asked == [[("email", ADDRESS)]]
    assert len(outbox.sent) == (refusal is None)


async def test_the_view_may_have_read_the_body(start: Start, outbox: Outbox) -> None:
    """No other than the view may wait for it then."""
    start()
    await emailpassword_async.sign_up("public", ADDRESS, PASSWORD)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"email=ada"}

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""}
    request = Request(scope, receive)
    assert [part async for part in request.stream()] == [b"email=ada", b""]
    await emailpassword_async.request_password_reset(request, "public", ADDRESS)
    assert len(outbox.sent) == 1
