"""Text messages: how Twilio gets them, and what happens where nobody said how they are sent."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supertokens_py.exceptions import ConfigError
from supertokens_py.ingredients.smsdelivery import LoggingSMSService
from supertokens_py.ingredients.smsdelivery.development import sms_delivery_of
from supertokens_py.ingredients.smsdelivery.twilio import BaseTwilioService, SMSNotSentError, TwilioClient
from supertokens_py.ingredients.smsdelivery.types import (
    SMSContent,
    SMSDeliveryConfig,
    SMSDeliveryInterface,
    TwilioSettings,
)
from supertokens_py.runtime.bridge import step
from tests.support.twilio import FakeTwilio

TO, FROM = "+16502530000", "+15550100"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine is set up with."""
    monkeypatch.setenv("NO_PROXY", "localhost")


@pytest.fixture
def twilio() -> Iterator[FakeTwilio]:
    fake = FakeTwilio()
    yield fake
    fake.close()


def write(text: str) -> SMSContent:
    return SMSContent(text, TO)


def settings(fake: FakeTwilio, **more: Any) -> TwilioSettings:
    given: dict[str, Any] = {"from_": FROM, **more}
    return TwilioSettings("AC/1", "secret", opts={"base_url": fake.url}, **given)


# -- Twilio ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sender", "field"),
    [
        ({"from_": FROM}, {"From": FROM}),
        ({"from_": None, "messaging_service_sid": "MG1"}, {"MessagingServiceSid": "MG1"}),
    ],
)
async def test_a_message_reaches_twilio(twilio: FakeTwilio, sender: Any, field: dict[str, str]) -> None:
    service = BaseTwilioService[str](settings(twilio, **sender), None, write)
    await service.send_sms("code 1 2 3 & more", {})
    assert twilio.messages == [{"To": TO, "Body": "code 1 2 3 & more", **field}]
    assert twilio.paths == ["/2010-04-01/Accounts/AC%2F1/Messages.json"]
    assert twilio.accounts == ["AC/1:secret"]


def test_a_blocking_caller_needs_no_event_loop(twilio: FakeTwilio) -> None:
    step(BaseTwilioService[str](settings(twilio), None, write).send_sms("hello", {}))
    assert [message["Body"] for message in twilio.messages] == ["hello"]


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        (
            (400, {"code": 21211, "message": f"The 'To' number {TO} is not valid"}),
            21211,
            "Twilio refused the message: HTTP 400, code 21211",
        ),
        ((503, b"<html>"), None, "Twilio refused the message: HTTP 503, code None"),
        ((301, {}), None, "Twilio refused the message: HTTP 301, code None"),
        ((401, ["x"]), None, "Twilio refused the message: HTTP 401, code None"),
    ],
)
def test_a_refusal_says_why_and_shows_nothing(
    twilio: FakeTwilio, answer: Any, code: int | None, text: str
) -> None:
    """Neither what the message said nor the account's secret, not even in the frames of the error."""
    twilio.answer = answer
    with pytest.raises(SMSNotSentError) as raised:
        step(BaseTwilioService[str](settings(twilio), None, write).send_sms("the c0de-xyz", {}))
    assert (str(raised.value), raised.value.code) == (text, code)
    frames = traceback.TracebackException.from_exception(raised.value, capture_locals=True)
    ours = [frame for frame in frames.stack if "supertokens_py" in frame.filename]
    shown = "".join(f"{frame.name} {frame.locals}" for frame in ours if frame.name not in ("send_sms",))
    assert ours
    assert "secret" not in shown.replace("secret.py", "")
    assert "c0de-xyz" not in shown


def test_who_cannot_be_reached_is_said(twilio: FakeTwilio) -> None:
    twilio.close()
    with pytest.raises(OSError, match="Twilio could not be reached: ConnectError"):
        TwilioClient(settings(twilio)).messages.create(to=TO, body="x", from_=FROM)


def test_a_certificate_of_nobody_is_refused(certificate: Path) -> None:
    fake = FakeTwilio(certificate)
    with pytest.raises(SMSNotSentError, match="could not be reached"):
        TwilioClient(settings(fake)).create(TO, "x", FROM)
    fake.close()
    assert fake.messages == []


@pytest.mark.usefixtures("trusted")
def test_messages_go_through_tls(certificate: Path) -> None:
    fake = FakeTwilio(certificate)
    assert TwilioClient(settings(fake)).create(TO, "x", FROM) == {"sid": "SM1", "status": "queued"}
    fake.close()
    assert len(fake.messages) == 1


@pytest.mark.parametrize(
    ("opts", "host"),
    [
        ({}, "api.twilio.com"),
        ({"region": "ie1"}, "api.ie1.twilio.com"),
        ({"edge": "dublin", "region": "ie1"}, "api.dublin.ie1.twilio.com"),
        ({"edge": "sydney"}, "api.sydney.us1.twilio.com"),
        ({"base_url": "https://sms.example.com/", "timeout": 3}, "sms.example.com"),
    ],
)
def test_where_messages_are_sent(opts: dict[str, Any], host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any option it is Twilio itself; nothing is sent here."""
    import httpx2

    asked: list[Any] = []

    def post(url: str, **arguments: Any) -> httpx2.Response:
        asked.append((url, arguments["timeout"]))
        return httpx2.Response(201, json={})

    monkeypatch.setattr(httpx2, "post", post)
    TwilioClient(TwilioSettings("AC1", "secret", FROM, opts=opts)).create(TO, "x", FROM)
    assert asked == [(f"https://{host}/2010-04-01/Accounts/AC1/Messages.json", opts.get("timeout", 10.0))]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "exactly one of 'from_' and 'messaging_service_sid'"),
        ({"from_": FROM, "messaging_service_sid": "MG1"}, "exactly one of"),
        ({"from_": FROM, "opts": {"proxy": 1}}, "has no proxy; there are base_url, edge"),
    ],
)
def test_settings_that_cannot_work_are_refused(arguments: Any, text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        TwilioSettings("AC1", "secret", **arguments)


def test_the_secret_is_never_sent_unencrypted_nor_shown() -> None:
    given = TwilioSettings("AC1", "secret", FROM, opts={"base_url": "http://sms.example.com"})
    with pytest.raises(ConfigError, match="must begin with https"):
        TwilioClient(given)
    assert "secret" not in repr(given)


async def test_content_and_sending_may_be_replaced(twilio: FakeTwilio) -> None:
    def override(original: Any) -> Any:
        get_content, send_raw = original.get_content, original.send_raw_sms

        async def changed(template_vars: str, user_context: Any) -> SMSContent:
            content = await get_content(template_vars, user_context)
            content.body += "!"
            return content

        async def send_raw_sms(
            content: SMSContent, user_context: Any, from_: Any = None, messaging_service_sid: Any = None
        ) -> None:
            user_context["seen"] = (content.body, from_, messaging_service_sid)
            await send_raw(content, user_context, from_, messaging_service_sid)
            original.twilio_client.messages.create(to=TO, body="again", from_=from_)

        original.get_content, original.send_raw_sms = changed, send_raw_sms
        return original

    context: dict[str, Any] = {}
    await BaseTwilioService[str](settings(twilio), override, write).send_sms("hello", context)
    assert context["seen"] == ("hello!", FROM, None)
    assert [message["Body"] for message in twilio.messages] == ["hello!", "again"]
    with pytest.raises(ConfigError, match="must return the service"):
        BaseTwilioService(settings(twilio), lambda _: None, write)  # type: ignore[arg-type,return-value]
    with pytest.raises(ConfigError, match="must be a TwilioSettings"):
        BaseTwilioService("AC1", None, write)  # type: ignore[arg-type]


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(
        ConfigError, match=r"^TwilioService needs the extra 'phone' \(docs/installation\.md\)$"
    ):
        TwilioClient(TwilioSettings("AC1", "secret", from_=FROM))


# -- where nobody said how ---------------------------------------------------------------------------


def service_of(config: Any, *, is_development: bool = False) -> SMSDeliveryInterface[str]:
    return sms_delivery_of(config, write, recipe="passwordless", is_development=is_development)


def test_in_development_messages_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        step(service_of(None, is_development=True).send_sms("your code", {}))
    assert f"(development). To {TO}:\nyour code" in caplog.text


def test_messages_that_an_application_logs_by_itself(caplog: pytest.LogCaptureFixture) -> None:
    """There is no text then, so all fields are: this is for development."""
    step(LoggingSMSService[SMSContent]().send_sms(SMSContent("your code", TO), {}))
    assert caplog.messages == [f"no SMS service is set up (development): body: your code, to_phone: {TO}"]


def test_elsewhere_a_service_is_needed(caplog: pytest.LogCaptureFixture) -> None:
    for config in (None, SMSDeliveryConfig[str]()):
        with pytest.raises(ConfigError, match=r"sms_delivery=passwordless\.SMSDeliveryConfig\("):
            service_of(config)
    step(service_of(SMSDeliveryConfig(LoggingSMSService[str]())).send_sms("a code", {}))
    assert "a code" in caplog.text


def test_an_override_may_send_by_itself_or_change_the_service() -> None:
    sent: list[str] = []

    def override(original: Any) -> Any:
        async def send_sms(template_vars: str, user_context: Any) -> None:
            sent.append(template_vars)
            if template_vars == "pass on":
                await default(template_vars, user_context)

        default = original.send_sms
        original.send_sms = send_sms
        return original

    service = service_of(SMSDeliveryConfig(override=override))
    step(service.send_sms("hello", {}))
    with pytest.raises(ConfigError, match="no SMS service"):
        step(service.send_sms("pass on", {}))
    assert sent == ["hello", "pass on"]
    with pytest.raises(ConfigError, match="override of sms_delivery in passwordless"):
        service_of(SMSDeliveryConfig(override=lambda _: None))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("arguments", [{"service": 1}, {"override": 1}])
def test_a_config_of_something_else_is_refused(arguments: Any) -> None:
    with pytest.raises(ConfigError):
        SMSDeliveryConfig(**arguments)
