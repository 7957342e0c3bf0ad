"""Blocking twins of `supertokens_py.asyncio`."""

from __future__ import annotations

from typing import Final

from supertokens_py import asyncio as _asyncio
from supertokens_py.bridge import blocking

__all__ = ["delete_user"]

delete_user: Final = blocking(_asyncio.delete_user)
