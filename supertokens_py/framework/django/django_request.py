"""Django's request as a `BaseRequest`."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.http.request import RawPostDataException

from supertokens_py.framework.adapter import BaseRequest, lend, register
from supertokens_py.framework.request import KEY
from supertokens_py.framework.wsgi import wsgi_header

from .asgiref_bridge import ASGIREF

DELIVERS = "_supertokens_delivers"  #: set by the middleware, which adds the changes to the response


def forbid_caching(native: Any) -> None:
    """Keep Django's caches from the response of a request of Django's or of REST framework's."""
    native._cache_update_cache = False  # what `UpdateCacheMiddleware` and `cache_page` ask


class DjangoRequest(BaseRequest):
    """One request; Django REST framework's wrapper and the request inside it share one."""

    how_to_deliver = '"supertokens_py.framework.django.django_middleware.middleware" in MIDDLEWARE'

    _outer: Any = None

    def __init__(self, request: HttpRequest) -> None:
        inner: Any = getattr(request, "_request", request)
        super().__init__(inner)
        lend(ASGIREF)  # also without the middleware
        if inner is not request:
            self._outer = request

    @classmethod
    def of(cls, native: Any) -> DjangoRequest:
        known: DjangoRequest | None = getattr(native, KEY, None)  # a wrapper looks inside
        if known is None:
            return cls(native)
        if known.request is not native:
            known._outer = native
        return known

    @classmethod
    def place(cls, native: Any) -> MutableMapping[str, Any]:
        inner: object = getattr(native, "_request", native)
        return vars(inner)

    def is_delivered(self) -> bool:
        return hasattr(self.request, DELIVERS)

    def method(self) -> str:
        return self.request.method or ""

    def get_path(self) -> str:
        return self.request.path

    def mount_path(self) -> str:
        return (self.request.META.get("SCRIPT_NAME") or "").rstrip("/")

    def get_header(self, key: str) -> str | None:
        return wsgi_header(self.request.META, key)

    def cookie_header(self) -> str:
        header: str = self.request.META.get("HTTP_COOKIE", "")
        if not header and (cookies := self.request.__dict__.get("COOKIES")):  # a test has put them there
            return "; ".join(f"{quote(name)}={quote(value, safe='')}" for name, value in cookies.items())
        if "," not in header:
            return header
        scope: Any = getattr(self.request, "scope", None)
        if scope is None:
            return header
        # Django joins several lines with commas, as HTTP/2 clients may send them.
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
        return "; ".join(lines)

    def peer_address(self) -> str | None:
        return self.request.META.get("REMOTE_ADDR")

    def get_original_url(self) -> str:
        return self.request.build_absolute_uri()

    def get_query_params(self) -> dict[str, Any]:
        return self.request.GET.dict()

    async def body(self) -> bytes:
        return self.request.body

    async def form_data(self) -> dict[str, Any]:
        try:
            return await super().form_data()
        except RawPostDataException:  # a middleware has read the body, as a form of its own
            return self.request.POST.dict()

    def forbid_caching(self) -> None:
        forbid_caching(self.request)
        if self._outer is not None:  # `cache_page` around a method of REST framework's views asks this one
            forbid_caching(self._outer)

    def get_session(self) -> Any:
        # A middleware or a test of the application may have put one on the request.
        return self._session or getattr(self.request, "supertokens", None)

    def keep_session(self, session: Any) -> None:
        self.request.supertokens = session
        if self._outer is not None:
            self._outer.supertokens = session


register(HttpRequest, DjangoRequest)
