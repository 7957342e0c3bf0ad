"""From where requests may come: `ip_allow_regex` and `ip_deny_regex` of the server and of tenants."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from supertokens_py.constants import DEFAULT_TENANT_ID
from supertokens_py.engine.call import call_engine
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.validation import compiled_pattern
from supertokens_py.exceptions import ConfigError, EngineUnavailableError

from .endpoint_request import Refused

_log = logging.getLogger(__name__)

REFUSED = "Requests from this IP address are not allowed"
#: Within this time a server sees what another one changed.
_MEMORY_S = 60


@dataclass(frozen=True, slots=True)
class Rules:
    """Two patterns that a whole address has to match, or must not; without one, nothing is asked."""

    allow: re.Pattern[str] | None = None
    deny: re.Pattern[str] | None = None

    def permit(self, address: str) -> bool:
        """Return whether a request from `address` may pass."""
        if self.allow is not None and not self.allow.fullmatch(address):
            return False
        return self.deny is None or not self.deny.fullmatch(address)


_NOBODY = Rules(allow=re.compile(r"(?!)"))


def rules(allow: str | None, deny: str | None) -> Rules:
    """Return the rules of two settings.

    Raises:
        ConfigError: names the one that is no regular expression.
    """
    return Rules(_pattern("ip_allow_regex", allow), _pattern("ip_deny_regex", deny))


class IpRules:
    """Checks where requests come from. A class because it remembers the rules of tenants."""

    def __init__(self, engine: Engine, own: Rules, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine = engine
        self._own = own
        self._clock = clock
        self._of_tenants: Mapping[str, Rules] | None = None
        self._fresh_until_s = 0.0

    async def check(self, tenant_id: str, address: str) -> None:
        """Refuse a request to a tenant from an address that its rules exclude.

        Raises:
            Refused: with 403.
            EngineUnavailableError: the rules of tenants were never read, and cannot be now.
        """
        own = self._own
        if tenant_id != DEFAULT_TENANT_ID:  # the public tenant's settings are the server's
            own = (await self._current()).get(tenant_id, own)
        if not own.permit(_plain(address)):
            raise Refused(403, REFUSED)

    def forget(self) -> None:
        """Read the rules of tenants again before the next request: one was changed here."""
        self._fresh_until_s = 0.0

    async def _current(self) -> Mapping[str, Rules]:
        known, now_s = self._of_tenants, self._clock()
        if known is not None and now_s < self._fresh_until_s:
            return known
        self._fresh_until_s = now_s + _MEMORY_S  # one request reads them, the others go by the older ones
        try:
            tenants = await call_engine(None, self._engine.tenants.all)
        except EngineUnavailableError:
            self._fresh_until_s = 0.0
            if known is None:
                raise
            return known
        self._of_tenants = {
            tenant.tenant_id: self._with_own(tenant.core_config)
            for tenant in tenants
            if tenant.core_config.keys() & {"ip_allow_regex", "ip_deny_regex"}
        }
        return self._of_tenants

    def _with_own(self, config: Mapping[str, Any]) -> Rules:
        """Return a tenant's rules; what it does not set, it has from the server."""
        try:
            of_tenant = rules(config.get("ip_allow_regex"), config.get("ip_deny_regex"))
        except ConfigError as error:
            _log.error("nobody may call a tenant whose rules cannot be read: %s", error)
            return _NOBODY
        return Rules(of_tenant.allow or self._own.allow, of_tenant.deny or self._own.deny)


def _plain(address: str) -> str:
    """Return an IPv4 address as such, where a socket of both families shows it as `::ffff:192.0.2.1`."""
    try:
        mapped = getattr(ip_address(address), "ipv4_mapped", None)
    except ValueError:
        return address
    return address if mapped is None else str(mapped)


def _pattern(name: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return compiled_pattern(text)
    except ValueError as error:
        raise ConfigError(f"{name} is no regular expression: {text!r} ({error})") from error
