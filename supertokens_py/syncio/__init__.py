"""Blocking twins of `supertokens_py.asyncio`."""

from __future__ import annotations

from typing import Final

from supertokens_py import asyncio as _asyncio
from supertokens_py.missing_names import USER_FUNCTIONS, explain
from supertokens_py.runtime.bridge import blocking

__all__ = ["delete_user"]

__getattr__: Final = explain(__name__, USER_FUNCTIONS)

delete_user: Final = blocking(_asyncio.delete_user)
