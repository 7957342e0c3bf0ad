"""E-mails: what they say, how they are sent, and what happens where nobody said how."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.ingredients.emaildelivery.development import delivery_of
from supertokens_py.ingredients.emaildelivery.letter_html import Letter
from supertokens_py.ingredients.emaildelivery.smtp import BaseSMTPService, Transporter
from supertokens_py.ingredients.emaildelivery.types import (
    EmailContent,
    EmailDeliveryConfig,
    EmailDeliveryInterface,
    SMTPSettings,
    SMTPSettingsFrom,
)
from supertokens_py.runtime.bridge import step

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

SENDER = SMTPSettingsFrom("Shop", "shop@example.com")
PLAIN = EmailContent("Hello Ada", "Hi", "ada@example.org")


class Received:
    """A mail server's handler that keeps what comes."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.logins: list[tuple[str, str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"secret", handled=False)


@pytest.fixture
def received() -> Received:
    return Received()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.fixture
def serve(received: Received) -> Iterator[Any]:
    """Start a mail server: `serve(**arguments of aiosmtpd)`; returns its port."""
    running: list[Controller] = []

    def started(**settings: Any) -> int:
        controller = Controller(received, hostname="127.0.0.1", port=unused_port(), **settings)
        controller.start()
        running.append(controller)
        return controller.port

    yield started
    for controller in running:
        controller.stop()


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def settings(port: int, **more: Any) -> SMTPSettings:
    return SMTPSettings("localhost", port, SENDER, **more)


def send(content: EmailContent, to: SMTPSettings) -> None:
    step(Transporter(to).send_email(content))


# -- what is sent ------------------------------------------------------------------------------------


def test_a_plain_e_mail_has_the_headers_of_one(serve: Any, received: Received) -> None:
    send(PLAIN, settings(serve()))
    (message,) = received.messages
    assert (message["From"], message["To"], message["Subject"]) == (
        "Shop <shop@example.com>",
        "ada@example.org",
        "Hi",
    )
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Date"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert message.get_content().splitlines() == ["Hello Ada"]


def test_a_letter_is_html_and_plain_text(serve: Any, received: Received) -> None:
    """What is markup in names stays text."""
    letter = Letter(
        app="<b>Shop</b>",
        to="ada@example.org",
        subject="Größe",
        message="Hello & goodbye",
        button="Go",
        link="https://example.com/a?b=1&c=2",
        note="Or not",
    )
    send(letter.content(), settings(serve()))
    (message,) = received.messages
    assert message["Subject"] == "Größe"
    text, html = (message.get_body([kind]) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "Go: https://example.com/a?b=1&c=2" in text.get_content()
    assert "<b>Shop</b>" in text.get_content()
    assert "button" not in text.get_content()  # there is none in plain text
    page = html.get_content()
    assert "&lt;b&gt;Shop&lt;/b&gt;" in page
    assert "<b>Shop" not in page
    assert 'href="https://example.com/a?b=1&amp;c=2"' in page
    assert "prefers-color-scheme: dark" in page
    assert "If the button does not work, open this link:" in page


@pytest.mark.parametrize(
    ("code", "link"), [("123 456", None), (None, "https://a.example/"), ("1<2", "https://b/")]
)
def test_a_letter_has_a_code_a_link_or_both(code: str | None, link: str | None) -> None:
    letter = Letter(
        app="Shop",
        to="a@b.com",
        subject="Hi",
        message="Hello",
        code=code,
        button="Go",
        link=link,
        note="Or not",
    )
    content = letter.content()
    parts = [code, f"Go: {link}" if link else None]
    secrets = "".join(f"{part}\n\n" for part in parts if part)
    assert content.text == f"Shop\n\nHello\n\n{secrets}Or not\n\nThis e-mail is for a@b.com.\n"
    shown = None if code is None else code.replace("<", "&lt;")
    assert (shown is None) == ("letter-spacing" not in content.body)
    assert shown is None or f">{shown}</p>" in content.body
    assert (link is None) == ("<a " not in content.body)
    for secret in (code, link):
        assert secret is None or secret not in repr((letter, content))


@pytest.mark.parametrize(
    "wrong",
    [
        EmailContent("x", "Hi\r\nBcc: eve@example.com", "ada@example.org"),
        EmailContent("x", "Hi", "ada@example.org\r\nBcc: eve@example.com"),
        EmailContent("x", "Hi", "ada@example.org, eve@example.com"),
        EmailContent("x", "Hi", ""),
    ],
)
def test_no_header_can_be_smuggled_in(wrong: EmailContent, received: Received, serve: Any) -> None:
    with pytest.raises(BadInputError, match="cannot be in an e-mail"):
        send(wrong, settings(serve()))
    assert received.messages == []


# -- how it is sent ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("secure", [None, False, True])
def test_a_password_goes_through_tls_only(
    serve: Any, received: Received, certificate: Path, secure: bool | None
) -> None:
    context = server_context(certificate)
    auth = {"authenticator": received.authenticate, "auth_required": True}
    if secure:
        port = serve(ssl_context=context, auth_require_tls=False, **auth)
    else:
        port = serve(tls_context=context, require_starttls=True, **auth)
    send(PLAIN, settings(port, password="secret", secure=secure))
    send(PLAIN, settings(port, password="secret", secure=secure, username="u"))
    assert received.logins == [("shop@example.com", "secret"), ("u", "secret")]
    assert len(received.messages) == 2
    with pytest.raises(OSError, match="535"):
        send(PLAIN, settings(port, password="wrong", secure=secure))


@pytest.mark.parametrize("secure", [None, False])
def test_without_tls_no_password_is_sent(serve: Any, received: Received, secure: bool | None) -> None:
    port = serve(authenticator=received.authenticate, auth_require_tls=False)
    with pytest.raises(OSError, match="offers no STARTTLS"):
        send(PLAIN, settings(port, password="secret", secure=secure))
    assert received.logins == received.messages == []


def test_without_tls_nothing_leaves_this_machine(
    serve: Any, received: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless `secure=False` says that it may, as to a relay in one's own network."""
    from supertokens_py.ingredients.emaildelivery import smtp

    port = serve()
    monkeypatch.setattr(smtp, "is_local", lambda host: False)
    with pytest.raises(OSError, match="offers no STARTTLS"):
        send(PLAIN, settings(port))
    send(PLAIN, settings(port, secure=False))
    assert len(received.messages) == 1


@pytest.mark.parametrize("secure", [None, True])
def test_a_certificate_of_nobody_is_refused(
    serve: Any, received: Received, certificate: Path, secure: bool | None
) -> None:
    context = server_context(certificate)
    port = serve(ssl_context=context) if secure else serve(tls_context=context)
    with pytest.raises(ssl.SSLCertVerificationError):
        send(PLAIN, settings(port, secure=secure))
    assert received.messages == []


async def test_a_silent_server_keeps_neither_the_event_loop_nor_the_caller_forever() -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "localhost", 0)
    port = server.sockets[0].getsockname()[1]
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.01)
            ticks += 1

    ticking = asyncio.create_task(tick())
    with pytest.raises(OSError, match="timed out"):
        await Transporter(settings(port, timeout_s=0.3)).send_email(PLAIN)
    ticking.cancel()
    server.close()
    await server.wait_closed()
    assert ticks > 3


@pytest.mark.parametrize(("host", "port"), [("", 25), ("mail", 0), ("mail", 70_000), ("mail", True)])
def test_settings_that_cannot_work_are_refused(host: str, port: int) -> None:
    with pytest.raises(ConfigError, match="host, and a port"):
        SMTPSettings(host, port, SENDER)


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(settings(1, password="secret"))


async def test_content_and_sending_may_be_replaced(serve: Any, received: Received) -> None:
    def override(original: Any) -> Any:
        get_content, send_raw = original.get_content, original.send_raw_email

        async def changed(template_vars: str, user_context: Any) -> EmailContent:
            content = await get_content(template_vars, user_context)
            content.subject = f"Re: {content.subject}"
            return content

        async def send_raw_email(content: EmailContent, user_context: Any) -> None:
            user_context["seen"] = content.subject
            await send_raw(content, user_context)

        original.get_content, original.send_raw_email = changed, send_raw_email
        return original

    service = BaseSMTPService[str](
        settings(serve()), override, lambda text: EmailContent(text, "Hi", "a@b.com")
    )
    context: dict[str, Any] = {}
    await service.send_email("hello", context)
    assert received.messages[0]["Subject"] == context["seen"] == "Re: Hi"
    with pytest.raises(ConfigError, match="must return the service"):
        BaseSMTPService(settings(1), lambda _: None, lambda _: PLAIN)  # type: ignore[arg-type,return-value]


# -- where nobody said how ---------------------------------------------------------------------------


def write(text: str) -> EmailContent:
    return EmailContent(f"<p>{text}</p>", "Hi", "ada@example.org", is_html=True, text=text)


def service_of(config: Any, *, is_development: bool = False) -> EmailDeliveryInterface[str]:
    return delivery_of(config, write, recipe="emailpassword", is_development=is_development)


def test_in_development_links_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        step(service_of(None, is_development=True).send_email("http://localhost/link", {}))
    assert "(development). To ada@example.org: Hi\nhttp://localhost/link" in caplog.text


def test_elsewhere_a_service_is_needed(caplog: pytest.LogCaptureFixture) -> None:
    for config in (None, EmailDeliveryConfig[str]()):
        with pytest.raises(ConfigError, match=r"email_delivery=emailpassword\.EmailDeliveryConfig\("):
            service_of(config)
    step(service_of(EmailDeliveryConfig(LoggingEmailService[str]())).send_email("a link", {}))
    assert "a link" in caplog.text


def test_an_override_may_send_by_itself_or_change_the_service() -> None:
    sent: list[str] = []

    def override(original: Any) -> Any:
        async def send_email(template_vars: str, user_context: Any) -> None:
            sent.append(template_vars)
            if template_vars == "pass on":
                await default(template_vars, user_context)

        default = original.send_email
        original.send_email = send_email
        return original

    service = service_of(EmailDeliveryConfig(override=override))
    step(service.send_email("hello", {}))
    with pytest.raises(ConfigError, match="no e-mail service"):
        step(service.send_email("pass on", {}))
    assert sent == ["hello", "pass on"]
    with pytest.raises(ConfigError, match="must return the service"):
        service_of(EmailDeliveryConfig(override=lambda _: None))  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("arguments", [{"service": 1}, {"override": 1}])
def test_a_config_of_something_else_is_refused(arguments: Any) -> None:
    with pytest.raises(ConfigError):
        EmailDeliveryConfig(**arguments)


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Neither `smtplib` nor `ssl` for an app of sessions alone."""
    script = "import sys, supertokens_py, supertokens_py.recipe.session; print('smtplib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
