"""Which row of the application a user id stands for."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

log: logging.Logger = logging.getLogger(__name__)

_NO_ROW = (
    "the user %r of a session is no row of AUTH_USER_MODEL (%s), so that request.user is anonymous: map the "
    "user ids of a sign-in recipe to your rows, or set SUPERTOKENS_USER; see docs/moving-users.md, "
    '"People who sign up from then on". This is logged once per process.'
)


def row_of(user_id: str) -> Any:
    """Return what `SUPERTOKENS_USER` returns for a user id, else the row with that primary key. Blocking."""
    path: str | None = getattr(settings, "SUPERTOKENS_USER", None)
    return _by_key(user_id) if path is None else import_string(path)(user_id)


def _by_key(user_id: str) -> Any:
    model: Any = get_user_model()
    try:
        user = model._default_manager.filter(pk=user_id).first()
    except (ValueError, TypeError, ValidationError):  # a UUID is no primary key of numbers
        user = None
    # A field of numbers reads " 1" and "0_1" as 1, which would be the user id of somebody else.
    if user is not None and str(user.pk) == user_id:
        return user
    _warn_once(user_id, model._meta.label)
    return None


_has_warned: list[bool] = []


def _warn_once(user_id: str, model: str) -> None:
    # A right log-in that leads to the log-in page again shows nowhere else.
    if not _has_warned:
        _has_warned.append(True)
        log.warning(_NO_ROW, user_id, model)
