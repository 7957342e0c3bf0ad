"""E-mails of servers under test: where no service is set up they are written to the log."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tests.servers.harness import Server

#: How long the log may take to show an e-mail: it may be written after the answer.
MAIL_SECONDS = 40
_LETTER = re.compile(r"no e-mail service is set up.*?This e-mail is for", re.DOTALL)
_MESSAGE = re.compile(r"no SMS service is set up \(development\)\. To \S+:\n(.*)")
_CODE = re.compile(r"^(\d{6})$", re.MULTILINE)
_LINK = re.compile(r"http://\S+/auth/verify\?\S+#\S+")

Found = TypeVar("Found")


@dataclass(frozen=True)
class MailedCode:
    """What an e-mail of `passwordless` has; "" for what it has not."""

    code: str
    link: str


def mailed_links(server: Server, screen: str) -> list[str]:
    """Return the links of all e-mails so far that open a screen, such as "reset-password"."""
    return re.findall(rf"http://\S+/auth/{screen}\?token=\S+", server.logs())


def next_mailed_link(server: Server, screen: str, before: list[str]) -> str:
    """Return the link of the e-mail that comes after those of `before`."""
    return _next(server, lambda: mailed_links(server, screen), before)


def mailed_codes(server: Server) -> list[MailedCode]:
    """Return the codes and links of all e-mails so far that sign somebody in."""
    letters = _LETTER.findall(server.logs())
    found = [MailedCode(_only(_CODE.findall(letter)), _only(_LINK.findall(letter))) for letter in letters]
    return [each for each in found if each != MailedCode("", "")]


def next_mailed_code(server: Server, before: list[MailedCode]) -> MailedCode:
    """Return what the e-mail has that comes after those of `before`."""
    return _next(server, lambda: mailed_codes(server), before)


def texted_codes(server: Server) -> list[str]:
    """Return the codes of all text messages so far."""
    return [_only(re.findall(r"\b\d{6}\b", message)) for message in _MESSAGE.findall(server.logs())]


def next_texted_code(server: Server, before: list[str]) -> str:
    """Return the code of the text message that comes after those of `before`."""
    return _next(server, lambda: texted_codes(server), before)


def _only(found: list[str]) -> str:
    return found[0] if found else ""


def _next(server: Server, mails: Callable[[], list[Found]], before: list[Found]) -> Found:
    deadline = time.monotonic() + MAIL_SECONDS
    while len(found := mails()) <= len(before):
        assert time.monotonic() < deadline, f"no e-mail in the log:\n{server.logs()}"
        time.sleep(0.05)
    return found[-1]
