"""Which row of the application a user id stands for."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string


def row_of(user_id: str) -> Any:
    """Return what `SUPERTOKENS_USER` returns for a user id, else the row with that primary key. Blocking."""
    path: str | None = getattr(settings, "SUPERTOKENS_USER", None)
    return _by_key(user_id) if path is None else import_string(path)(user_id)


def _by_key(user_id: str) -> Any:
    model: Any = get_user_model()
    try:
        user = model._default_manager.filter(pk=user_id).first()
    except (ValueError, TypeError, ValidationError):  # a UUID is no primary key of numbers
        return None
    # A field of numbers reads " 1" and "0_1" as 1, which would be the user id of somebody else.
    return user if user is not None and str(user.pk) == user_id else None
