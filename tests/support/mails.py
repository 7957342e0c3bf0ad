"""E-mails of servers under test: where no service is set up they are written to the log."""

from __future__ import annotations

import re
import time

from tests.servers.harness import Server

#: How long the log may take to show an e-mail: it may be written after the answer.
MAIL_SECONDS = 40


def mailed_links(server: Server, screen: str) -> list[str]:
    """Return the links of all e-mails so far that open a screen, such as "reset-password"."""
    return re.findall(rf"http://\S+/auth/{screen}\?token=\S+", server.logs())


def next_mailed_link(server: Server, screen: str, before: list[str]) -> str:
    """Return the link of the e-mail that comes after those of `before`."""
    deadline = time.monotonic() + MAIL_SECONDS
    while len(links := mailed_links(server, screen)) <= len(before):
        assert time.monotonic() < deadline, f"no e-mail in the log:\n{server.logs()}"
        time.sleep(0.05)
    return links[-1]
