"""E-mail addresses: which ones are accepted, as by the official frontends."""

from __future__ import annotations

import re

from supertokens_py.types.users import MAX_EMAIL, keeps_its_letters, normalised_email

_ATOM = re.compile(r"""[^<>()\[\]\\.,;:\s@"]+""")
# Nothing within that a mail header would take for a second address.
_QUOTED = re.compile(r'"(?:[^"\\<>,@]|\\["\\])+"')
_ENCODED_WORD = "=?"  # RFC 2047: mail libraries decode it, so it is another spelling of some mailbox
_LABEL = re.compile(r"[A-Za-z0-9-]+")
_IPV4 = re.compile(r"\[[0-9]{1,3}(?:\.[0-9]{1,3}){3}\]")
_LAST_LABEL = re.compile(r"[A-Za-z]{2,}")


def is_address(text: str) -> bool:
    """Return whether a text is an e-mail address, in time that grows with its length only."""
    local, at, domain = text.rpartition("@")
    if not at or not _is_plain(text) or _ENCODED_WORD in local:
        return False
    return (_is_dotted(local) or _is_quoted(local)) and _is_domain(domain)


def is_one_recipient(text: str) -> bool:
    """Return whether a mail header that has this text has one recipient, if perhaps none that is reachable.

    Providers of sign-ins know addresses of more kinds than `is_address` does, as in "ada@intranet".
    """
    if is_address(text):
        return True
    local, _, domain = text.partition("@")
    fits = _is_plain(text) and _ENCODED_WORD not in text
    return fits and _is_dotted(local) and _is_dotted(domain)


def is_recipient_or_name(text: str) -> bool:
    """Return whether it is one recipient, or a name without "@" that an application signs people in by."""
    return is_one_recipient(text) or ("@" not in text and _is_plain(text))


def _is_plain(text: str) -> bool:
    return len(text) <= MAX_EMAIL and text.isprintable() and keeps_its_letters(text)


def _is_dotted(text: str) -> bool:
    return all(_ATOM.fullmatch(atom) for atom in text.split("."))


def _is_quoted(local: str) -> bool:
    """Return whether it is a local part that needs its quotes: any other is one mailbox's second name."""
    return bool(_QUOTED.fullmatch(local)) and not _is_dotted(local[1:-1])


def _is_domain(domain: str) -> bool:
    if _IPV4.fullmatch(domain):
        return True
    *labels, last = domain.split(".")
    return (
        bool(labels)
        and all(_LABEL.fullmatch(label) for label in labels)
        and bool(_LAST_LABEL.fullmatch(last))
    )


def is_made_up(email: str) -> bool:
    """Return whether an address is one that recipes without addresses make up: nobody can sign in with it."""
    return normalised_email(email).endswith(("@stfakeemail.supertokens.com", ".fakeemail.com"))
