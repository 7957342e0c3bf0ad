"""What an error tracker would send of a sign-in: no variable of ours holds a password, a hash, a link."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import supertokens_py
from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.engine import call
from supertokens_py.exceptions import ConfigError
from supertokens_py.framework.asgi import SuperTokensMiddleware
from supertokens_py.framework.wsgi import SuperTokensMiddleware as WsgiMiddleware
from supertokens_py.ingredients.emaildelivery.types import (
    EmailContent,
    EmailDeliveryInterface,
    SMTPSettings,
    SMTPSettingsFrom,
)
from supertokens_py.recipe import emailpassword, session
from supertokens_py.recipe.emailpassword import EmailDeliveryConfig, InputFormField, SMTPService, api, syncio
from supertokens_py.recipe.emailpassword import asyncio as functions
from supertokens_py.runtime import workers
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from supertokens_py.runtime.deferred_work import DeferredWork
from tests.security.test_frames import failure, variables
from tests.support.databases import Sqlite
from tests.support.deferred_work import finish_before_answers

ADDRESS, FIRST, SECOND, THIRD = "ada@example.com", "planted horse 1", "planted mule 2", "planted donkey 3"
OURS = str(Path(supertokens_py.__file__).parent)
HASH = re.compile(r"\$argon2id\$v=19\$[a-z0-9=,]+\$[\w+/]+\$[\w+/]{43}")
#: Where secrets are hidden: what comes in has been shown by its caller already.
HIDING = str(Path(OURS) / "secret.py")


class Watch:
    """Looks at every variable of every frame of ours, at each call and return of a function of ours."""

    def __init__(self) -> None:
        self.secrets: set[str] = {FIRST, SECOND, THIRD}
        self.found: set[str] = set()
        self.seen: set[str] = set()
        self._busy = threading.local()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        name = frame.f_code.co_filename
        if event not in ("call", "return") or not name.startswith(OURS) or name == HIDING:
            return
        if getattr(self._busy, "is_so", False):
            return
        self._busy.is_so = True
        # What a function is called with has been its caller's; from then on it is ours.
        frames: FrameType | None = frame.f_back if event == "call" else frame
        while frames is not None:
            if frames.f_code.co_filename.startswith(OURS):
                self._look(frames)
            frames = frames.f_back
        self._busy.is_so = False

    def _look(self, frame: FrameType) -> None:
        self.seen.add(frame.f_code.co_name)
        for name, value in frame.f_locals.items():
            try:
                shown = repr(value)
            except AttributeError:  # an object that is being made
                continue
            if any(secret in shown for secret in self.secrets) or HASH.search(shown):
                place = f"{Path(frame.f_code.co_filename).relative_to(OURS)}:{frame.f_code.co_qualname}"
                self.found.add(f"{place}: {name} = {shown}")

    @contextmanager
    def over_everything(self) -> Iterator[None]:
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


class Outbox(EmailDeliveryInterface[Any]):
    """Keeps the last link, and has the watch look for its token."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.token = ""
        self.error: Exception | None = None

    async def send_email(self, template_vars: Any, user_context: dict[str, Any]) -> None:
        self.token = str(template_vars.password_reset_link).partition("token=")[2].partition("&")[0]
        self.watch.secrets.add(self.token)
        if self.error is not None:
            raise self.error


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def outbox(watch: Watch, sqlite_files: Sqlite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    """A small site. Threads that tests before have started are not watched, so there are new ones."""
    monkeypatch.setattr(call, "_HASHING", DedicatedPool("passwords", 8))
    monkeypatch.setattr(workers, "_workers", None)
    monkeypatch.setattr(api, "DEFERRED_WORK", DeferredWork("mail", 4))
    outbox = Outbox(watch)
    start(sqlite_files.create().uri, outbox)
    yield outbox
    Supertokens.reset()


def start(uri: str, service: EmailDeliveryInterface[Any]) -> None:
    Supertokens.reset()
    feature = emailpassword.InputSignUpFeature([InputFormField("pin", validate=lambda value, tenant: None)])
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(
            uri, engine=EngineConfig(clean_up_interval=0, argon2_memory_kb=1024, argon2_parallelism=1)
        ),
        recipe_list=[
            session.init(),
            emailpassword.init(email_delivery=EmailDeliveryConfig(service), sign_up_feature=feature),
        ],
    )


def body_of(more: dict[str, str], fields: dict[str, str]) -> bytes:
    import json

    form = [{"id": name, "value": value} for name, value in fields.items()]
    return json.dumps({"formFields": form, **more}).encode()


def send_asgi(path: str, more: dict[str, str] | None = None, **fields: str) -> bytes:
    body, sent = body_of(more or {}, fields), list[dict[str, Any]]()
    scope = {
        "type": "http",
        "method": "POST",
        "path": f"/auth{path}",
        "headers": [(b"content-type", b"application/json"), (b"st-auth-mode", b"header")],
        "query_string": b"",
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def nothing(*_: Any) -> None:
        raise AssertionError("the route was not found")

    asyncio.run(SuperTokensMiddleware(nothing)(scope, receive, send))
    return b"".join(message.get("body", b"") for message in sent)


def send_wsgi(path: str, more: dict[str, str] | None = None, **fields: str) -> bytes:
    import io

    body = body_of(more or {}, fields)
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/auth{path}",
        "QUERY_STRING": "",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_ST_AUTH_MODE": "header",
        "wsgi.input": io.BytesIO(body),
    }

    def nothing(*_: Any) -> Any:
        raise AssertionError("the route was not found")

    return b"".join(WsgiMiddleware(nothing)(environ, lambda *_: None))


@pytest.mark.parametrize("send", [send_asgi, send_wsgi], ids=["asgi", "wsgi"])
def test_no_variable_holds_what_a_form_holds(
    watch: Watch, outbox: Outbox, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At no step of a sign-up, a sign-in and a reset."""
    finish_before_answers(monkeypatch)
    with watch.over_everything():
        assert b'"OK"' in send("/signup", email=ADDRESS, password=FIRST, pin=THIRD)
        assert b"WRONG" in send("/signin", email=ADDRESS, password=SECOND)
        assert b'"OK"' in send("/signin", email=ADDRESS, password=FIRST)
        assert b'"OK"' in send("/user/password/reset/token", email=ADDRESS)
        assert b'"OK"' in send("/user/password/reset", {"token": outbox.token}, password=SECOND)
    assert sorted(watch.found) == []
    assert {"authenticate", "sign_up", "consume_reset_token", "update", "equals"} <= watch.seen


def test_no_variable_holds_what_functions_are_called_with(watch: Watch, outbox: Outbox) -> None:
    """Blocking or not."""
    with watch.over_everything():
        user = syncio.sign_up("public", ADDRESS, FIRST).user
        syncio.sign_in("public", ADDRESS, FIRST)
        asyncio.run(functions.verify_credentials("public", ADDRESS, SECOND))
        token = syncio.create_reset_password_token("public", user.id).token
        watch.secrets.add(str(token))
        syncio.reset_password_using_token("public", token, SECOND)
        link = syncio.create_reset_password_link("public", user.id)
        watch.secrets.add(str(link).partition("token=")[2].partition("&")[0])
        syncio.send_reset_password_email("public", user.id)
        syncio.consume_password_reset_token("public", outbox.token)
        syncio.update_email_or_password(user.id, password=THIRD)
        syncio.sign_in("public", ADDRESS, THIRD)
    assert link.startswith("https://example.com/auth/reset-password?token=")
    assert link.link == link
    assert sorted(watch.found) == []


FAULTS: dict[str, str] = {
    "users": "DROP TABLE emailpassword_users",
    "tokens": "DROP TABLE emailpassword_pswd_reset_tokens",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_frame_of_a_failure_holds_it(watch: Watch, sqlite_files: Sqlite, fault: str) -> None:
    """Where the database fails in the middle of it, and its error says what was to be written."""
    outbox, database = Outbox(watch), sqlite_files.create()
    start(database.uri, outbox)
    user = syncio.sign_up("public", ADDRESS, FIRST).user
    syncio.send_reset_password_email("public", user.id)
    database.query(FAULTS[fault])
    calls: list[Callable[[], Any]] = [
        lambda: syncio.sign_up("public", "eve@example.com", FIRST),
        lambda: syncio.sign_in("public", ADDRESS, FIRST),
        lambda: syncio.send_reset_password_email("public", user.id),
        lambda: syncio.reset_password_using_token("public", outbox.token, SECOND),
        lambda: syncio.update_email_or_password(user.id, password=SECOND),
    ]
    errors = [error for call in calls if (error := failure(call)) is not None]
    Supertokens.reset()
    assert errors
    shown = "\n".join(variables(error, of=OURS) for error in errors)
    assert [secret for secret in watch.secrets if secret in shown] == []


def test_no_frame_of_a_failed_e_mail_holds_its_link(
    watch: Watch, outbox: Outbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is logged with its traceback, which trackers read."""
    finish_before_answers(monkeypatch)
    send_asgi("/signup", email=ADDRESS, password=FIRST, pin=THIRD)
    outbox.error = OSError("no route to mail.example.com")
    with caplog.at_level(logging.ERROR):
        send_asgi("/user/password/reset/token", email=ADDRESS)
    (error,) = [record.exc_info[1] for record in caplog.records if record.exc_info]
    assert str(error) == "no route to mail.example.com"
    assert outbox.token
    assert outbox.token not in variables(error)


def test_no_frame_of_the_mail_client_holds_mail_or_password(refusing_server: int) -> None:
    """Neither of ours nor of the library's, whose frames hold the whole conversation."""
    settings = SMTPSettings("127.0.0.1", refusing_server, SMTPSettingsFrom("Shop", "shop@example.com"))
    service: Any = SMTPService(settings)
    content = EmailContent(f"<a href='https://x/?token={FIRST}'>", "Hello", ADDRESS, True, f"token={FIRST}")
    error = failure(lambda: asyncio.run(service.transporter.send_email(content)))
    assert "mailbox is full" in str(error)
    assert FIRST not in variables(error)
    wrong = failure(
        lambda: SMTPSettings("", 25, SMTPSettingsFrom("Shop", "shop@example.com"), password=FIRST)
    )
    assert isinstance(wrong, ConfigError)
    assert FIRST not in variables(wrong)
    assert FIRST not in repr(content)


@pytest.fixture
def refusing_server() -> Iterator[int]:
    """A mail server that reads e-mails and refuses them."""
    import socketserver

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 hello\r\n")
            while line := self.rfile.readline():
                word = line[:4].upper()
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    while self.rfile.readline() not in (b".\r\n", b""):
                        pass
                    self.wfile.write(b"552 mailbox is full\r\n")
                elif word == b"QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
