"""What providers are given of the application: its addresses, its clock, its keys, how to ask others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from supertokens_py.engine.call import call_engine
from supertokens_py.runtime.dedicated_pools import DedicatedPool
from supertokens_py.urls import host_of, is_local

from .addresses import NetworkRules, origin_of
from .documents import Documents, Metadata
from .id_tokens import Jwk
from .places import Exchanges
from .verifiers import PURPOSE

if TYPE_CHECKING:
    from supertokens_py.recipe_module import App

    from .http import Answer, ProviderHttp, Request

#: Where providers are asked, so that a slow one leaves the other threads to their work; one that only a
#: tenant names leaves those, too.
_OWN, _TENANTS = DedicatedPool("providers", 32), DedicatedPool("tenant-providers", 32)


class Send(Protocol):
    """Asks a provider; blocks. Raises SignInFailedError."""

    def __call__(self, request: Request, trusted_origins: Collection[str], /) -> Answer: ...


class Environment:
    """One application as its providers see it; a class because it keeps what providers published.

    Args:
        app: the application.
        allowed_redirect_uris: where else than to the website browsers may be sent back.
        allow_private_networks: whether tenants may name providers in a private network.
        http: asks; None: over the network, by a client that is loaded at the first request.
    """

    def __init__(
        self,
        app: App,
        *,
        allowed_redirect_uris: Iterable[str] = (),
        allow_private_networks: bool = False,
        http: Callable[[NetworkRules], ProviderHttp] | None = None,
    ) -> None:
        self._app = app
        self.now_ms: Callable[[], int] = app.now_ms
        callback = f"{app.app_info.issuer}/callback/apple"
        self.redirect_uris: frozenset[str] = frozenset((*allowed_redirect_uris, callback))
        self._make_http = http or _default_http
        self._rules = NetworkRules(
            development=is_local(host_of(app.app_info.fixed_origin or app.app_info.api_domain)),
            private_networks=allow_private_networks,
        )
        self._http: ProviderHttp | None = None
        self._documents = Documents(self._get)
        self.exchanges: Exchanges = Exchanges()

    def website(self, user_context: dict[str, Any]) -> str | None:
        """Return the website's origin for the request of a user context."""
        default: Any = user_context.get("_default")
        request = default.get("request") if isinstance(default, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        return self._app.app_info.website(request, user_context)  # pyright: ignore[reportUnknownArgumentType]

    async def verifier_keys(self, user_context: dict[str, Any]) -> Sequence[bytes]:
        """Return the keys of verifiers, that of new ones first; every process has the same."""
        return await call_engine(user_context, self._app.engine.keys.shared_secrets, PURPOSE)

    def check_url(self, url: str, trusted_origins: Collection[str]) -> None:
        """Refuse a URL that browsers must not be sent to. Raises SignInFailedError."""
        self._rules.target(url, trusted_origins)

    async def send(self, request: Request, trusted_origins: Collection[str]) -> Answer:
        """Ask a provider. Raises SignInFailedError."""
        return await _pool(request.url, trusted_origins).offload(self._send, request, trusted_origins)

    async def metadata(self, url: str, trusted_origins: Collection[str]) -> Metadata:
        """Do as `Documents.metadata`. What is kept needs no thread: slow providers may have all of them."""
        found = self._documents.kept_metadata(url, trusted_origins)
        if found is not None:
            return found
        return await _pool(url, trusted_origins).offload(self._documents.metadata, url, trusted_origins)

    async def keys(self, url: str, trusted_origins: Collection[str], *, again: bool = False) -> list[Jwk]:
        """Do as `Documents.keys`."""
        found = self._documents.kept_keys(url, trusted_origins, again=again)
        if found is not None:
            return found
        pool = _pool(url, trusted_origins)
        return await pool.offload(self._documents.keys, url, trusted_origins, again=again)

    def _send(self, request: Request, trusted_origins: Collection[str]) -> Answer:
        if self._http is None:
            self._http = self._make_http(self._rules)
        return self._http.send(request, trusted_origins)

    def _get(self, url: str, trusted_origins: Collection[str]) -> dict[str, Any]:
        from .http import Request  # noqa: PLC0415 - of the extra `thirdparty`, and slow to load

        answer = self._send(Request(url=url), trusted_origins)
        return answer.successful().json_object()


def _pool(url: str, trusted_origins: Collection[str]) -> DedicatedPool:
    return _OWN if origin_of(url) in trusted_origins else _TENANTS


def _default_http(rules: NetworkRules) -> ProviderHttp:
    from .http import ProviderHttp  # noqa: PLC0415 - see above

    return ProviderHttp(rules)
