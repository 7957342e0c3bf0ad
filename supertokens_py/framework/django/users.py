"""`request.user` and `request.auser()` of the SuperTokens session.

Put `"supertokens_py.framework.django.users.user_middleware"` into `MIDDLEWARE`, below
`AuthenticationMiddleware` if that is there. Then `LoginRequiredMiddleware`, `login_required` and templates
work as ever. `SUPERTOKENS_USER` names a function from user id to user; default: the row of `AUTH_USER_MODEL`
whose primary key is the user id. Who has no session, or no such row, is anonymous.

Views of `django.contrib.admin` keep the user of Django's own log-in: the admin has a log-in and a log-out of
its own, whose forms know nothing of sessions of ours, and nobody there would refresh an access token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from supertokens_py.framework.adapter import (
    ConfigError,
    SessionCheck,
    SessionContainer,
    SuperTokensError,
    SuperTokensSessionError,
)
from supertokens_py.framework.session_look import IF_THERE, is_looked_for

from .django_middleware import error_response_blocking
from .django_request import DjangoRequest, forbid_caching
from .session import guard_of, looking_for_session, optional_session, would_block
from .user_rows import row_of

_LOGIN_REQUIRED: Final = "django.contrib.auth.middleware.LoginRequiredMiddleware"
_USER_NAMES: Final = ("user", "auser")
_DJANGOS: Final = "_supertokens_django_user"
_LOADED: Final = "_supertokens_user"  #: where `auser` has found it
_ADMIN_NAMES: Final = frozenset(("admin", "django-admindocs"))  # what `AdminSite.urls` and admindocs say
_REQUIRED: Final = SessionCheck()
_IN_A_LOOP: Final = (
    "in an async view request.user would block: write `await request.auser()`, also before a template"
)


class UserMiddleware:
    """Sync under WSGI, async under ASGI. A view that asks for no user costs nothing."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._asks_always = _LOGIN_REQUIRED in settings.MIDDLEWARE
        self._has_admin = apps.is_installed("django.contrib.admin")
        if iscoroutinefunction(get_response):  # pyright: ignore[reportDeprecated]
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        holder: Any = request
        if self._has_admin:
            given = vars(request)
            given[_DJANGOS] = {name: given[name] for name in _USER_NAMES if name in given}
        holder.user = _LazyUser(request)
        holder.auser = _auser_of(request)
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> Any:
        """Leave the admin to Django's own log-in; elsewhere answer an invalid session before
        `LoginRequiredMiddleware` asks for its user, as it does for views that require no log-in, too.

        A view under one of our decorators refuses visitors itself: `LoginRequiredMiddleware` would lead the
        scripts that ask it to a page. Whoever has a session and is no active user is left to that.

        An error that left that middleware would be logged as a server error. Django calls this in a thread
        without a loop.
        """
        if self._has_admin and _is_of_admin(request):
            vars(request).update(vars(request).pop(_DJANGOS))
            return None
        if not self._asks_always:
            return None
        base = DjangoRequest.of(request)
        base.forbid_caching()
        # Where no log-in is required, nobody is redirected, and decorators around a guard may do without it.
        requires_login = getattr(view, "login_required", True)
        guard = guard_of(view) if requires_login else None
        try:
            _look(base, guard)
            if requires_login and guard is None:
                _refuse_expired(base)
        except SuperTokensError as error:
            return error_response_blocking(base, error)
        return None


user_middleware = UserMiddleware


class _LazyUser(SimpleLazyObject):  # pyright: ignore[reportMissingTypeArgument]  # Django's own has none
    """`request.user`. Every use keeps caches from the response: `cache_page` may begin after the first."""

    def __init__(self, request: HttpRequest) -> None:
        vars(self)["_request"] = request
        super().__init__(lambda: _user(request))

    @property
    def _wrapped(self) -> Any:  # where every use looks first
        forbid_caching(vars(self)["_request"])
        return vars(self)["_wrapped"]


def _look(base: DjangoRequest, guard: SessionCheck | None) -> None:
    """Look for the session as the guard of the view would, which may accept more than others do.

    It is asked where others find none: it runs again around the view, and may ask the database.
    """
    try:
        if IF_THERE.verify_blocking(base) is not None or guard is None:
            return
    except SuperTokensSessionError:
        if guard is None:
            raise
    guard.verify_blocking(base)


def _refuse_expired(base: DjangoRequest) -> None:
    """Refuse a form that comes with an expired access token: to a look it is a visitor's.

    Sent to the log-in page, it would be lost though its user is signed in. Others without a session are
    visitors, whom `LoginRequiredMiddleware` redirects.
    """
    if base.get_session() is not None:
        return
    before = base.session_error, base.refused
    try:
        _REQUIRED.verify_blocking(base)
    except SuperTokensSessionError as error:
        if error.may_refresh:
            raise
        base.session_error, base.refused = before


def _is_of_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and not _ADMIN_NAMES.isdisjoint(match.app_names)


def _user(request: HttpRequest) -> Any:
    if _LOADED in vars(request):
        return vars(request)[_LOADED]
    if would_block(request):
        raise ConfigError(_IN_A_LOOP)
    return _user_of(optional_session(request))


async def _auser(request: HttpRequest) -> Any:
    base = DjangoRequest.of(request)
    with looking_for_session(base):
        session = base.get_session() if is_looked_for(base) else await IF_THERE.verify(base)
    user = await sync_to_async(_user_of)(session)
    vars(request)[_LOADED] = user  # templates of async views ask for `request.user`
    return user


def _user_of(session: SessionContainer | None) -> Any:
    if session is None or session.is_guest:  # also on a route that lets guests pass: they have no user
        return AnonymousUser()
    user = row_of(session.get_user_id())
    # As Django's own log-in has it, who is no longer active is nobody.
    return user if user is not None and getattr(user, "is_active", True) else AnonymousUser()


def _auser_of(request: HttpRequest) -> Callable[[], Awaitable[Any]]:
    loading: asyncio.Future[Any] | None = None

    async def user() -> Any:
        nonlocal loading
        forbid_caching(request)  # each time, as `_LazyUser` does
        if loading is None:
            loading = asyncio.ensure_future(_auser(request))
        return await loading

    return user
