"""Whom events of sessions are sent to, and what one of them says (Standard Webhooks, version 1). Pure."""

from __future__ import annotations

import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, get_args
from urllib.parse import urlsplit

from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import SecretBytes, masked

from .event_records import EventType, SessionEvent

#: How long after each failed try the next one is, in milliseconds; after the last of these there is none.
BACK_OFF_MS: tuple[int, ...] = (5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000)

_PREFIX = "whsec_"
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_SHORTEST, _LONGEST = 24, 64  #: bytes of a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that events are posted to, each at least once, signed as Standard Webhooks has it.

    Args:
        url: https; http is for this machine alone (localhost). Nothing else ever changes where events go.
        secret: "whsec_" and 24 to 64 random bytes in base64. Several while one is replaced: each event is
            signed with all of them.
        types: of the events to send, such as "session.revoked"; None is all.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    url: str = field(repr=False)
    secret: str | Sequence[str] = field(repr=False)
    types: Sequence[EventType] | None = None

    def __post_init__(self) -> None:
        _check_url(self.url)
        if not self.keys:
            raise ConfigError(f"Webhook {self.endpoint}: there is no secret")
        unknown = [one for one in self.types or () if one not in get_args(EventType)]
        if unknown or isinstance(self.types, str):
            raise ConfigError(
                f"Webhook {self.endpoint}: types must be some of {', '.join(get_args(EventType))}"
            )
        given = self.secret
        kept = masked(given) if isinstance(given, str) else tuple(map(masked, given))
        object.__setattr__(self, "secret", kept)

    @property
    def endpoint(self) -> str:
        """What the address is called where others may read it: its host, and a digest of all of it."""
        digest = sha256(self.url.encode()).hexdigest()[:8]
        return f"{urlsplit(self.url).netloc[:100]}#{digest}"

    @property
    def keys(self) -> tuple[SecretBytes, ...]:
        """The keys that sign."""
        given: object = self.secret
        secrets = self.secret if isinstance(given, list | tuple) else (given,)
        return tuple(_key(one, self.endpoint) for one in secrets)


def signed_headers(webhook: Webhook, message_id: str, body: bytes, *, now_s: int) -> dict[str, str]:
    """Return the headers that say and prove what a message is."""
    content = f"{message_id}.{now_s}.".encode() + body
    signatures = [b64encode(hmac.new(key, content, sha256).digest()).decode() for key in webhook.keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def message_id(event: SessionEvent) -> str:
    """Return the id of a message: the same in every try, and another one for every other event."""
    parts = (event.seq, event.at_ms, event.type, event.handle)
    return "evt_" + sha256(json.dumps(parts).encode()).hexdigest()[:32]


def message_body(event: SessionEvent, *, access_token_validity_ms: int) -> bytes:
    """Return what is sent.

    `access_token_exp` is the `exp` (seconds) that no access token of the session which existed then exceeds:
    whoever verifies them without us may forget an ended session after it.
    """
    data: dict[str, Any] = {
        "session_handle": event.handle,
        "user_id": event.user_id,
        "tenant_id": event.tenant_id,
        "actor_id": event.actor_id,
        **_public(event.facts),
    }
    if event.handle is not None:
        data["access_token_exp"] = (event.at_ms + access_token_validity_ms) // 1000
    at = datetime.fromtimestamp(event.at_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")
    message = {"type": event.type, "timestamp": at.replace("+00:00", "Z"), "data": data}
    return json.dumps(message, separators=(",", ":")).encode()


def retry_after_ms(attempts: int) -> int | None:
    """Return how long to wait after so many failed tries; None to give up."""
    return BACK_OFF_MS[attempts - 1] if attempts <= len(BACK_OFF_MS) else None


def _public(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _check_url(url: object) -> None:
    if isinstance(url, str) and not (url.isascii() and url.isprintable() and " " not in url):
        raise ConfigError(
            "Webhook: url must be printable ASCII without spaces: write a host with others as xn--..., "
            "and a path percent-encoded"
        )
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConfigError("Webhook: url is not a URL") from None
    if not host or parts.scheme not in ("https", "http"):
        raise ConfigError("Webhook: url must be an absolute https:// URL")
    if parts.scheme == "http" and host not in _LOCAL_HOSTS:
        raise ConfigError("Webhook: url must be https; http is for localhost alone")
    if parts.username is not None or parts.fragment:
        raise ConfigError("Webhook: url must have neither a user name nor a fragment")


def _key(secret: object, endpoint: str) -> SecretBytes:
    text = masked(secret if isinstance(secret, str) else "")
    try:
        key = SecretBytes(b64decode(text.removeprefix(_PREFIX), validate=True))
    except ValueError:
        key = SecretBytes()
    if not text.startswith(_PREFIX) or not _SHORTEST <= len(key) <= _LONGEST:
        raise ConfigError(
            f"Webhook {endpoint}: secret must be {_PREFIX!r} and {_SHORTEST} to {_LONGEST} bytes in base64"
        )
    return key
