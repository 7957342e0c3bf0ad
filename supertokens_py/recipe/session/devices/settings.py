"""What is kept of the client of a session, so that users recognise their devices in a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from supertokens_py.client_addresses import ClientIP, checked_hook
from supertokens_py.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """`session.init(devices=DeviceSettings())`: users see where they are signed in, and end it there.

    Args:
        ip: "off", "truncated" (/24 of IPv4, /48 of IPv6) or "full".
        user_agent: "off", "label" (only what is shown, such as "Chrome on Windows") or "full" (at most 512
            characters of the header as well).
        routes: serve `GET {base}/sessions` and `POST {base}/sessions/revoke`.
        require_fresh: seconds since the authentication within which sessions may be revoked by that route.
        track_activity: note the time of requests between refreshes as well, every five minutes at most.
        client_ip: returns the address of the client; default: that of `supertokens_py.init(client_ip=)`, or
            the peer of the connection.

    Raises:
        ConfigError: an argument cannot work; the message names it.
    """

    ip: Literal["off", "truncated", "full"] = "truncated"
    user_agent: Literal["off", "label", "full"] = "full"
    routes: bool = True
    require_fresh: int | None = None
    track_activity: bool = False
    client_ip: ClientIP | None = None

    def __post_init__(self) -> None:
        if self.ip not in ("off", "truncated", "full"):
            raise ConfigError(f'devices: ip must be "off", "truncated" or "full", not {self.ip!r}')
        agent = self.user_agent
        if agent not in ("off", "label", "full"):
            raise ConfigError(f'devices: user_agent must be "off", "label" or "full", not {agent!r}')
        fresh: object = self.require_fresh
        if fresh is not None and (type(fresh) is not int or fresh < 1):
            raise ConfigError(f"devices: require_fresh must be a whole number of seconds, not {fresh!r}")
        checked_hook(self.client_ip, "devices: client_ip")

    @property
    def keeps_something(self) -> bool:
        """Whether the engine has to keep anything of the clients."""
        return self.track_activity or (self.ip, self.user_agent) != ("off", "off")
