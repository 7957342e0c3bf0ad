"""What providers publish: their endpoints (OpenID Connect Discovery) and their keys, kept for an hour."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, cast

from supertokens_py.runtime import fork_hooks

from .addresses import origin_of
from .failures import SignInFailedError
from .id_tokens import Jwk

WELL_KNOWN = "/.well-known/openid-configuration"

LIFETIME_S = 3600.0
#: After a failure, and after a token that names an unknown key, nothing is asked again for so long.
COOLDOWN_S = 5.0
MAX_DOCUMENTS = 256
_MAX_KEYS = 100


class Fetch(Protocol):
    """Gets a JSON object: `ProviderHttp` does, through its caller."""

    def __call__(self, url: str, trusted_origins: Collection[str], /) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Metadata:
    """The configuration document of a provider."""

    issuer: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    user_info_endpoint: str | None = None
    jwks_uri: str | None = None
    token_auth_methods: tuple[str, ...] = ()
    names_itself: bool = False  #: whether callbacks have `iss` (RFC 9207)


@dataclass(slots=True)
class _Kept:
    document: Mapping[str, Any] | None
    failure: str
    at_s: float
    refreshed_s: float = field(default=float("-inf"))


class Documents(fork_hooks.ForkAware):
    """Documents in memory, a bounded number; methods block."""

    def __init__(self, fetch: Fetch, *, monotonic_s: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._monotonic_s = monotonic_s
        self._kept: OrderedDict[tuple[str, bool], _Kept] = OrderedDict()
        self._lock = threading.Lock()
        fork_hooks.register(self)

    def after_fork_in_child(self) -> None:
        self._lock = threading.Lock()

    def metadata(self, url: str, trusted_origins: Collection[str]) -> Metadata:
        """Return the configuration document of a provider. Raises SignInFailedError."""
        return _metadata(self._get(url, trusted_origins, again=False))

    def kept_metadata(self, url: str, trusted_origins: Collection[str]) -> Metadata | None:
        """Do as `metadata` without asking anybody; None where somebody has to be asked."""
        found = self._kept_now(url, trusted_origins)
        return None if found is None else _metadata(found)

    def keys(self, url: str, trusted_origins: Collection[str], *, again: bool = False) -> list[Jwk]:
        """Return a provider's keys. Raises SignInFailedError.

        Args:
            url: its JWKS.
            trusted_origins: see `ProviderHttp.send`.
            again: one is missing: ask again, unless that was done a moment ago.
        """
        return _keys(self._get(url, trusted_origins, again=again))

    def kept_keys(
        self, url: str, trusted_origins: Collection[str], *, again: bool = False
    ) -> list[Jwk] | None:
        """Do as `keys` without asking anybody; None where somebody has to be asked."""
        found = self._kept_now(url, trusted_origins, again=again)
        return None if found is None else _keys(found)

    def _kept_now(
        self, url: str, trusted_origins: Collection[str], *, again: bool = False
    ) -> Mapping[str, Any] | None:
        fork_hooks.check()
        with self._lock:
            return self._fresh((url, _is_trusted(url, trusted_origins)), again=again)

    def _fresh(self, key: tuple[str, bool], *, again: bool) -> Mapping[str, Any] | None:
        """Return what is kept and need not be asked for. The caller has the lock."""
        kept = self._kept.get(key)
        if kept is None or _is_due(kept, self._monotonic_s(), again=again):
            return None
        self._kept.move_to_end(key)
        if kept.document is None:
            raise SignInFailedError(kept.failure)
        return kept.document

    def _get(self, url: str, trusted_origins: Collection[str], *, again: bool) -> Mapping[str, Any]:
        fork_hooks.check()
        # What one tenant may ask of a private network, since the code names the origin, another one may not.
        key = url, _is_trusted(url, trusted_origins)
        with self._lock:
            fresh = self._fresh(key, again=again)
            if fresh is not None:
                return fresh
            kept = self._kept.get(key)
            if kept is not None:
                kept.refreshed_s = self._monotonic_s()  # of several requests at once, one asks
        return self._ask(key, trusted_origins, kept)

    def _ask(
        self, key: tuple[str, bool], trusted_origins: Collection[str], known: _Kept | None
    ) -> Mapping[str, Any]:
        document: Mapping[str, Any] | None = None
        failure = ""
        try:
            document = MappingProxyType(self._fetch(key[0], trusted_origins))
        except SignInFailedError as error:
            failure = str(error)
        now_s = self._monotonic_s()
        with self._lock:
            known = self._kept.get(key) or known  # another request may have had an answer meanwhile
            if document is not None or known is None or known.document is None:
                self._kept[key] = _Kept(document, failure, now_s, now_s)
                self._kept.move_to_end(key)
                while len(self._kept) > MAX_DOCUMENTS:
                    self._kept.popitem(last=False)
        if document is not None:
            return document
        if known is not None and known.document is not None and now_s - known.at_s < 2 * LIFETIME_S:
            return known.document  # better than turning everybody away while the provider is down
        raise SignInFailedError(failure)


def _is_due(kept: _Kept, now_s: float, *, again: bool) -> bool:
    if now_s - kept.refreshed_s < COOLDOWN_S:
        return False
    return again or kept.document is None or now_s - kept.at_s >= LIFETIME_S


def _is_trusted(url: str, trusted_origins: Collection[str]) -> bool:
    return origin_of(url) in trusted_origins


def _keys(document: Mapping[str, Any]) -> list[Jwk]:
    listed: object = document.get("keys")
    if not isinstance(listed, list):
        raise SignInFailedError("the provider's key set holds no list of keys")
    keys = cast("list[object]", listed)[:_MAX_KEYS]
    return [cast("Jwk", key) for key in keys if isinstance(key, dict)]


def _metadata(document: Mapping[str, Any]) -> Metadata:
    def text(name: str) -> str | None:
        value = document.get(name)
        if value is not None and not isinstance(value, str):
            raise SignInFailedError(f"{name} of the provider's configuration document is no string")
        return value

    issuer = text("issuer")
    if not issuer:
        raise SignInFailedError("the provider's configuration document names no issuer")
    methods: object = document.get("token_endpoint_auth_methods_supported")
    listed = cast("list[object]", methods) if isinstance(methods, list) else []
    return Metadata(
        issuer,
        text("authorization_endpoint"),
        text("token_endpoint"),
        text("userinfo_endpoint"),
        text("jwks_uri"),
        tuple(method for method in listed if isinstance(method, str)),
        document.get("authorization_response_iss_parameter_supported") is True,
    )


def issuer_of(document_url: str) -> str | None:
    """Return the issuer that a configuration document at this URL has to name; None where that is not said.

    A slash at the end is left out: some issuers have one, and the URL is the same.
    """
    base, found, rest = document_url.partition(WELL_KNOWN)
    return base.rstrip("/") if found and not rest else None
