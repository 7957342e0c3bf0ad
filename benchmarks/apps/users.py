"""What fastapi-users needs: one user, in memory, so that no store is measured."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

from fastapi_users import BaseUserManager, UUIDIDMixin
from fastapi_users.authentication import JWTStrategy
from fastapi_users.db import BaseUserDatabase


@dataclass
class User:
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    email: str = "user@example.com"
    hashed_password: str = ""
    is_active: bool = True
    is_superuser: bool = False
    is_verified: bool = True


class Users(BaseUserDatabase[Any, uuid.UUID]):
    def __init__(self) -> None:
        self.user = User()

    async def get(self, id: uuid.UUID) -> User | None:
        return self.user if id == self.user.id else None


class Manager(UUIDIDMixin, BaseUserManager[Any, uuid.UUID]):
    pass


def jwt_strategy(private: bytes, public: bytes) -> JWTStrategy[Any, uuid.UUID]:
    return JWTStrategy(private.decode(), lifetime_seconds=3600, algorithm="RS256", public_key=public.decode())
