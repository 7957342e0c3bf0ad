"""What is kept of the client of a request: as much as `DeviceSettings` allows, and never an error."""

from __future__ import annotations

import ipaddress
import logging
import unicodedata

from supertokens_py.client_addresses import ClientAddresses, parse_ip
from supertokens_py.engine.session_records import Visit
from supertokens_py.framework.request import BaseRequest
from supertokens_py.runtime.bridge import offload

from .labels import label_of
from .settings import DeviceSettings

log: logging.Logger = logging.getLogger(__name__)

#: How much of a User-Agent header is looked at and kept.
MAX_AGENT = 512
MAX_LABELS = 1024  #: that a process remembers
_PREFIXES = {4: 24, 6: 48}


class ClientDetails:
    """Says what the client of a request shows of itself.

    Args:
        settings: what may be kept.
        clients: says whom requests come from, where `settings` does not.
    """

    def __init__(self, settings: DeviceSettings, clients: ClientAddresses) -> None:
        self._settings = settings
        self._client_ip = settings.client_ip or clients.client_ip or _peer_address
        self._has_warned = False
        self._labels: dict[tuple[str, str | None], tuple[str | None]] = {}

    async def of(self, request: BaseRequest) -> Visit:
        """Return what may be kept of a request; whatever cannot be read is left out."""
        mode = self._settings.user_agent
        header = None if mode == "off" else request.get_header("user-agent")
        agent = None if header is None else printable(header[:MAX_AGENT])
        label = await self._label(agent, request.get_header("sec-ch-ua-platform")) if agent else None
        return Visit(ip=self._ip(request), agent=(agent or None) if mode == "full" else None, label=label)

    async def _label(self, agent: str, platform: str | None) -> str | None:
        """Return the label of a header; the rules of the extra "devices" are many, and not for the loop."""
        key = (agent, platform and platform[:MAX_AGENT])
        known = self._labels.get(key)
        if known is None:
            known = (await offload(label_of, *key),)
            if len(self._labels) >= MAX_LABELS:
                self._labels.clear()
            self._labels[key] = known
        return known[0]

    def _ip(self, request: BaseRequest) -> str | None:
        if self._settings.ip == "off":
            return None
        try:
            given = self._client_ip(request)
        except Exception:
            if not self._has_warned:
                self._has_warned = True
                log.warning("client_ip failed, so that devices are listed without an address", exc_info=True)
            return None
        known = parse_ip(given)
        if known is None or self._settings.ip == "full":
            return None if known is None else str(known)
        network = ipaddress.ip_network(f"{known}/{_PREFIXES[known.version]}", strict=False)
        return str(network.network_address)


def _peer_address(request: BaseRequest) -> str | None:
    return request.peer_address()


def printable(text: str) -> str:
    """Return a text without what databases and terminals choke on: NUL, controls, half surrogates."""
    return "".join(char for char in text if unicodedata.category(char)[0] != "C").strip()
