"""E-mails of servers under test: where no service is set up they are written to the log."""

from __future__ import annotations

import re
import time

from tests.servers.harness import Server

#: How long the log may take to show an e-mail: it may be written after the answer.
MAIL_SECONDS = 40
_LINK = re.compile(r"http://\S+/auth/reset-password\?token=\S+")


def reset_links(server: Server) -> list[str]:
    """Return the links of all e-mails so far."""
    return _LINK.findall(server.logs())


def next_reset_link(server: Server, before: list[str]) -> str:
    """Return the link of the e-mail that comes after those of `before`."""
    deadline = time.monotonic() + MAIL_SECONDS
    while len(links := reset_links(server)) <= len(before):
        assert time.monotonic() < deadline, "no e-mail was written to the log"
        time.sleep(0.05)
    return links[-1]
