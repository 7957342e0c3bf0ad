"""The remote engine: sessions kept by a SuperTokens core, reached over the core driver interface (CDI)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from supertokens_py.runtime import fork_hooks

from .core import Core
from .email_password import RemoteEmailPassword, RemoteHashImport
from .email_verification import RemoteEmailVerification
from .id_mappings import RemoteIdMappings
from .keys import RemoteKeys
from .limits import LocalAttempts, LocalClientLimits, LocalMessageLimits
from .metadata import RemoteMetadata
from .passwordless import RemotePasswordless
from .roles import RemoteRoles
from .sessions import RemoteSessions
from .settings import RemoteSettings
from .tenants import RemoteTenants
from .third_party import RemoteThirdParty
from .transport import NetworkInterceptor, Transport, parse_hosts
from .users import RemoteUsers

if TYPE_CHECKING:
    import httpx2

    from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.engine.event_records import EVENTS_OVER_A_CORE, NoSessionEvents

__all__ = ["NetworkInterceptor", "RemoteEngine", "RemoteSettings"]


class RemoteEngine(fork_hooks.ForkAware):
    """An `Engine` over one core with one or more hosts.

    Its services share one pooled HTTP client, which is created at the first request and again after a
    fork. An unreachable core is an `EngineUnavailableError`, never a missing session.
    """

    def __init__(
        self,
        uri: str,
        settings: ResolvedEngineConfig,
        *,
        api_key: str | None = None,
        network_interceptor: NetworkInterceptor | None = None,
        api_domain: str = "",
        website_domain: str = "",
        remote_settings: RemoteSettings | None = None,
        http_transport: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        remote_settings = remote_settings or RemoteSettings.from_environment()
        transport = Transport(
            parse_hosts(uri),
            remote_settings,
            interceptor=network_interceptor,
            base=http_transport,
            sleep=sleep,
            monotonic_s=monotonic_s,
        )
        self._core = core = Core(
            transport, api_key=api_key, api_domain=api_domain, website_domain=website_domain
        )
        limit_s = remote_settings.jwks_cache_limit
        self.keys: RemoteKeys = RemoteKeys(
            core, now_ms=settings.now_ms, cache_limit_s=limit_s, monotonic_s=monotonic_s
        )
        self.sessions: RemoteSessions = RemoteSessions(core, self.keys)
        self.events: NoSessionEvents = NoSessionEvents(EVENTS_OVER_A_CORE)
        self.roles: RemoteRoles = RemoteRoles(core)
        self.metadata: RemoteMetadata = RemoteMetadata(core)
        self.tenants: RemoteTenants = RemoteTenants(core)
        self.users: RemoteUsers = RemoteUsers(core)
        attempts, messages = LocalAttempts(settings), LocalMessageLimits(settings)
        self.email_password: RemoteEmailPassword = RemoteEmailPassword(
            core, self.users, self.sessions, settings, attempts=attempts, messages=messages
        )
        self.hash_import: RemoteHashImport = RemoteHashImport(core)
        self.email_verification: RemoteEmailVerification = RemoteEmailVerification(core, settings, messages)
        self.id_mappings: RemoteIdMappings = RemoteIdMappings(core)
        self.clients: LocalClientLimits = LocalClientLimits(settings)
        self.passwordless: RemotePasswordless = RemotePasswordless(
            core, self.users, settings, messages=messages, client_limits=self.clients
        )
        self.third_party: RemoteThirdParty = RemoteThirdParty(core, self.users)
        self._counts = (attempts.counts, messages.counts, self.clients.counts)
        fork_hooks.register(self)

    @property
    def revocations(self) -> None:
        """Return None: nothing tells what a core revokes."""

    @property
    def device_keys(self) -> None:
        """Return None: a core binds no session to a device."""

    @property
    def keeps_users(self) -> bool:
        """Return True: a core does."""
        return True

    def negotiated_version(self) -> str:
        """Return the CDI version in use, such as "5.6"; blocking, asked for once."""
        return str(self._core.version())

    def flush(self) -> None:
        """Do nothing: a core writes at once."""

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._core.close()

    def after_fork_in_child(self) -> None:
        """Leave connections and locks to the parent process."""
        self._core.forget_after_fork()
        for counts in self._counts:
            counts.after_fork()
