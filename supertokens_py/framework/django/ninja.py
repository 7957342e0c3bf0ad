"""Django Ninja: sessions for `auth=`, for `def` and `async def` operations.

On top of the Django adapter: its middleware adds the tokens and answers the errors.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, NoReturn

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest

try:
    from ninja import NinjaAPI
    from ninja.security.base import AuthBase
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        "Django Ninja needs the extra 'ninja' (docs/installation.md)", name=_error.name
    ) from _error

from supertokens_py.framework.adapter import SessionCheck, SuperTokensError, running_loop
from supertokens_py.framework.openapi import complete_document

from .django_request import DjangoRequest
from .session import looking_for_session, noted

__all__ = ["NO_SESSION", "SessionAuth", "document_routes", "setup"]


class _NoSession:
    def __repr__(self) -> str:
        return "NO_SESSION"


#: `request.auth` where an optional session is missing: Ninja takes what is false for a refusal.
NO_SESSION: Final = _NoSession()


class SessionAuth(AuthBase, SessionCheck):
    """`auth=SessionAuth()`, with the arguments of `verify_session`.

    `request.auth` is the session. Where it is optional and missing, it is `NO_SESSION`, and
    `request.supertokens` is None. Refusals are the SDK's own responses, so in a list this stands last.
    """

    openapi_type: ClassVar[str] = "http"
    openapi_scheme: ClassVar[str] = "bearer"

    def __init__(self, *args: Any, **options: Any) -> None:
        AuthBase.__init__(self)
        SessionCheck.__init__(self, *args, **options)
        self.is_async = True  # async operations then await it on their loop, and spare a thread
        markcoroutinefunction(self)  # Ninja before 1.7 calls it by `async_to_sync`, which warns otherwise

    def __call__(self, request: HttpRequest) -> Any:
        base = DjangoRequest.of(request)
        if running_loop() is not None:
            return self._awaited(base)
        with looking_for_session(base):
            return self.verify_blocking(base) or NO_SESSION

    async def _awaited(self, base: DjangoRequest) -> Any:
        with looking_for_session(base):
            return await self.verify(base) or NO_SESSION


def setup(api: NinjaAPI) -> None:
    """Leave errors of the SDK to the Django middleware, also where the API answers every `Exception` itself.

    With DEBUG, Ninja does: a traceback, with status 500.
    """
    api.add_exception_handler(SuperTokensError, _raise_again)


def document_routes(api: NinjaAPI) -> None:
    """Have the OpenAPI document say all that clients should know of sessions.

    That is, for each operation with `SessionAuth`, that the cookie is as good as the bearer token, and what
    it is refused with (401, 403, 503); and the SDK's routes: the refresh, the sign-out, and those of the
    sign-in recipes in use. What the application itself says of a response or of a path stays. Call it once
    for each API.
    """
    plain: Any = api.get_openapi_schema

    def get_openapi_schema(**options: Any) -> Any:
        return complete_document(plain(**options), SessionAuth.__name__)

    holder: Any = api
    holder.get_openapi_schema = get_openapi_schema


def _raise_again(request: HttpRequest, error: Any) -> NoReturn:
    base = DjangoRequest.of(request)
    with noted(base):
        raise error
