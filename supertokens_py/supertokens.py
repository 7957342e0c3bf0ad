"""Older home of the app object; the names that applications import from here."""

from __future__ import annotations

from .app import Supertokens
from .config import AppInfo, InputAppInfo, SupertokensConfig

__all__ = ["AppInfo", "InputAppInfo", "Supertokens", "SupertokensConfig"]
