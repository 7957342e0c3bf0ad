"""Django's own signals `user_logged_in`, `user_logged_out` and `user_login_failed`.

They are sent where `user_middleware` says what a user is, at the end of the request that created or revoked a
session of its own, or was given a wrong password or code by a sign-in recipe. Receivers run with the ORM at
their disposal: in a thread under ASGI. What they raise is logged by Django and reaches no request, for the
session is there, or gone, already.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest
from django.http.request import RawPostDataException

from supertokens_py.events import Event, SignInFailed, subscribe

from .django_middleware import Answer
from .django_request import DELIVERS, DjangoRequest
from .user_rows import row_of

log: logging.Logger = logging.getLogger(__name__)

_HIDDEN: Final = "********************"  # as Django writes what it does not pass on

_failures: ContextVar[list[SignInFailed] | None] = ContextVar("supertokens_sign_in_failures", default=None)


def _note(event: Event) -> None:
    found = _failures.get()
    if found is not None and isinstance(event, SignInFailed):
        found.append(event)


subscribe(_note)


def telling(answer: Answer, *, is_async: bool) -> Answer:
    """Return what answers a request by `answer`, and then sends the signals of what it did."""

    def answer_and_tell(request: HttpRequest) -> Any:
        with _acts_of(request) as acts:
            response = answer(request)
        acts.send()
        return response

    async def answer_and_tell_async(request: HttpRequest) -> Any:
        with _acts_of(request) as acts:
            given: Any = answer(request)
            response = await given
        if acts:
            await sync_to_async(acts.send)()  # receivers, and the user's row, need the ORM
        return response

    return answer_and_tell_async if is_async else answer_and_tell


@contextmanager
def _acts_of(request: HttpRequest) -> Generator[_Acts]:
    """Note what happens in here, also in threads that this context starts."""
    setattr(request, DELIVERS, True)
    failures: list[SignInFailed] = []
    acts = _Acts(request, DjangoRequest.of(request), failures)
    token = _failures.set(failures)
    try:
        yield acts
    finally:
        _failures.reset(token)


class _Acts:
    """What one request did that receivers want to know of."""

    def __init__(self, request: HttpRequest, base: DjangoRequest, failures: list[SignInFailed]) -> None:
        self._request: Any = request
        self._base = base
        self._failures = failures

    def __bool__(self) -> bool:
        """Return whether there may be anything to send."""
        return bool(self._base.created_handles or self._base.signed_out or self._failures)

    def send(self) -> None:
        """Load the user, and send what has receivers. Blocking."""
        for failure in self._failures:
            self._send_failure(failure)
        left, came = self._left(), self._came()
        if left is not None and user_logged_out.receivers:
            self._send_logged_out(left)
        if came is not None and user_logged_in.receivers:
            self._send_logged_in(came)

    def _left(self) -> str | None:
        """Return the user whose session was revoked; one that this request had created was never used."""
        handle, user_id = self._base.signed_out or (None, None)
        return None if handle in self._base.created_handles else user_id

    def _came(self) -> str | None:
        """Return the user who has signed in, in person."""
        session, created = getattr(self._request, "supertokens", None), self._base.created_handles
        if session is None or not self._base.signed_in or session.get_handle() not in created:
            return None
        was_revoked = (self._base.signed_out or ("",))[0] == session.get_handle()
        in_person = not (was_revoked or session.is_guest or session.impersonator is not None)
        return session.get_user_id() if in_person else None

    def _send_logged_in(self, user_id: str) -> None:
        user = _row(user_id)
        if user is not None and getattr(user, "is_active", True):
            self._request.user = user
            user_logged_in.send_robust(sender=type(user), request=self._request, user=user)

    def _send_logged_out(self, user_id: str) -> None:
        user = _row(user_id)
        if user is not None:
            self._request.user = user
            user_logged_out.send_robust(sender=type(user), request=self._request, user=user)
            self._request.user = AnonymousUser()

    def _send_failure(self, failure: SignInFailed) -> None:
        credentials = {**_given_address(self._request), "password": _HIDDEN, "tenant_id": failure.tenant_id}
        user_login_failed.send_robust(
            sender=f"supertokens_py.recipe.{failure.recipe_id}",
            credentials=credentials,
            request=self._request,
        )


def _row(user_id: str) -> Any:
    """Return the row of `AUTH_USER_MODEL`, which receivers expect: they save it, and ask for its fields."""
    try:
        user = row_of(user_id)
    except Exception:
        log.exception("the user of a session could not be loaded: Django's signals are not sent")
        return None
    return user if isinstance(user, get_user_model()) else None


def _given_address(request: HttpRequest) -> dict[str, str]:
    """Return the e-mail address that was sent to a route of a sign-in recipe."""
    try:
        fields: Any = json.loads(request.body)["formFields"]
        given = {field["id"]: field["value"] for field in fields}
    except (ValueError, LookupError, TypeError, RecursionError, RawPostDataException):
        return {}
    return {"email": given["email"]} if isinstance(given.get("email"), str) else {}
