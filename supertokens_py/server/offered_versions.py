"""The versions of the interface that a server offers, and which one a request asks for."""

from __future__ import annotations

from collections.abc import Mapping

from supertokens_py.cdi.versions import OFFERED, Version
from supertokens_py.exceptions import ConfigError

from .endpoint_request import Refused


class OfferedVersions:
    """The versions on offer, oldest first."""

    def __init__(self, lowest: str | None, highest: str | None) -> None:
        first = OFFERED[0] if lowest is None else _offered("min_cdi_version", lowest)
        last = OFFERED[-1] if highest is None else _offered("max_cdi_version", highest)
        if first > last:
            raise ConfigError(f"min_cdi_version {lowest} is above max_cdi_version {highest}")
        self._versions = [version for version in OFFERED if first <= version <= last]
        self.offered: tuple[str, ...] = tuple(map(str, self._versions))

    def read(self, headers: Mapping[str, str]) -> Version:
        """Return the version of a request; without a header the newest one."""
        text = headers.get("cdi-version")
        if text is None:
            return self._versions[-1]
        text = text.strip()
        version = Version.parse(text)
        if version is None:
            raise Refused(400, "cdi-version header is invalid")
        if version not in OFFERED or version > self._versions[-1] or str(version) != text:
            raise Refused(400, f"cdi-version {text} not supported")
        if version < self._versions[0]:
            lowest = self._versions[0]
            raise Refused(400, f"cdi-version {version} is lower than the minimum allowed version {lowest}")
        return version


def _offered(name: str, text: str) -> Version:
    version = Version.parse(text)
    if version is None or version not in OFFERED or str(version) != text:
        raise ConfigError(f"{name} must be one of {', '.join(map(str, OFFERED))}, not {text!r}")
    return version
