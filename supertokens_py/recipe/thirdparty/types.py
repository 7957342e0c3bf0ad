"""The names that applications import from here: users, and what providers say of them."""

from __future__ import annotations

from supertokens_py.types.users import ThirdPartyInfo, User, UsersResponse

from .provider import RawUserInfoFromProvider, UserInfo, UserInfoEmail

__all__ = [
    "RawUserInfoFromProvider",
    "ThirdPartyInfo",
    "User",
    "UserInfo",
    "UserInfoEmail",
    "UsersResponse",
]
