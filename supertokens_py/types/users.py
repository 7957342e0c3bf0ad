"""Users, as every sign-in recipe answers with them: the newest official form, and 0.24's names beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .base import RecipeUserId

MAX_EMAIL = 256  #: characters, as wide as the official columns


def normalised_email(email: str) -> str:
    """Return an address as it is stored and compared: trimmed, in lower case."""
    return email.strip().lower()


def keeps_its_letters(text: str) -> bool:
    """Return whether lower case leads back: the Kelvin sign's is `k`, which another mailbox may have."""
    return text.isascii() or all(one.lower() == one or one.lower().upper() == one for one in text)


class ThirdPartyInfo:
    """Who a user is at a provider."""

    def __init__(self, third_party_user_id: str, third_party_id: str) -> None:
        self.user_id = third_party_user_id
        self.id = third_party_id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ThirdPartyInfo) and (self.user_id, self.id) == (other.user_id, other.id)

    def __hash__(self) -> int:
        return hash((self.user_id, self.id))

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "userId": self.user_id}

    @staticmethod
    def from_json(json: dict[str, Any]) -> ThirdPartyInfo:
        """Return the info of its JSON form."""
        return ThirdPartyInfo(json["userId"], json["id"])


@dataclass(frozen=True, kw_only=True)
class AccountInfo:
    """What a user may be known by; also a question for users (`list_users_by_account_info`)."""

    email: str | None = None
    phone_number: str | None = None
    third_party: ThirdPartyInfo | None = None


class AccountInfoInput(AccountInfo):
    """Later name of `AccountInfo` as a search."""


@dataclass(frozen=True, kw_only=True)
class LoginMethod(AccountInfo):
    """One way in which a user signs in: a user of one recipe."""

    recipe_id: str
    recipe_user_id: RecipeUserId
    tenant_ids: list[str]
    time_joined: int  #: Unix milliseconds
    verified: bool

    def has_same_email_as(self, email: str | None) -> bool:
        """Return whether an address is this one, whatever its case."""
        return email is not None and self.email == normalised_email(email)

    def to_json(self) -> dict[str, Any]:
        json: dict[str, Any] = {
            "recipeId": self.recipe_id,
            "recipeUserId": str(self.recipe_user_id),
            "tenantIds": list(self.tenant_ids),
            "timeJoined": self.time_joined,
            "verified": self.verified,
        }
        if self.email is not None:
            json["email"] = self.email
        if self.phone_number is not None:
            json["phoneNumber"] = self.phone_number
        if self.third_party is not None:
            json["thirdParty"] = self.third_party.to_json()
        return json

    @staticmethod
    def from_json(json: dict[str, Any]) -> LoginMethod:
        """Return the login method of its JSON form."""
        third_party = json.get("thirdParty")
        return LoginMethod(
            recipe_id=json["recipeId"],
            recipe_user_id=RecipeUserId(json["recipeUserId"]),
            tenant_ids=list(json["tenantIds"]),
            time_joined=json["timeJoined"],
            verified=json["verified"],
            email=json.get("email"),
            phone_number=json.get("phoneNumber"),
            third_party=None if third_party is None else ThirdPartyInfo.from_json(third_party),
        )


@dataclass(frozen=True, kw_only=True)
class User:
    """A user, with every login method that belongs to them.

    Accounts are not linked here, so there is one; an official core may have linked several.
    """

    id: str
    is_primary_user: bool
    login_methods: Sequence[LoginMethod]
    webauthn_credential_ids: Sequence[str] = field(default=())

    @property
    def time_joined(self) -> int:
        """When the oldest login method was made, in Unix milliseconds."""
        return min((method.time_joined for method in self.login_methods), default=0)

    @property
    def tenant_ids(self) -> list[str]:
        """The tenants of any login method."""
        return list(dict.fromkeys(tenant for method in self.login_methods for tenant in method.tenant_ids))

    @property
    def emails(self) -> list[str]:
        """The addresses of the login methods, each once."""
        return list(dict.fromkeys(m.email for m in self.login_methods if m.email is not None))

    @property
    def phone_numbers(self) -> list[str]:
        """The phone numbers of the login methods, each once."""
        return list(dict.fromkeys(m.phone_number for m in self.login_methods if m.phone_number is not None))

    @property
    def third_party(self) -> list[ThirdPartyInfo]:
        """Who the user is at providers."""
        return list(dict.fromkeys(m.third_party for m in self.login_methods if m.third_party is not None))

    # -- the names of 0.24 -----------------------------------------------------------------------------

    @property
    def user_id(self) -> str:
        """The name that 0.24 has for `id`."""
        return self.id

    @property
    def recipe_id(self) -> str:
        """The recipe of the oldest login method."""
        return self._oldest.recipe_id

    @property
    def email(self) -> str | None:
        """The address of the oldest login method."""
        return self._oldest.email

    @property
    def phone_number(self) -> str | None:
        """The phone number of the oldest login method."""
        return self._oldest.phone_number

    @property
    def third_party_info(self) -> ThirdPartyInfo | None:
        """Who the user is at a provider, by the oldest login method."""
        return self._oldest.third_party

    @property
    def _oldest(self) -> LoginMethod:
        return min(self.login_methods, key=lambda method: method.time_joined)

    def to_json(self) -> dict[str, Any]:
        """Return the form in which frontends (FDI 3.0 and later) and cores (CDI 4.0 and later) know users."""
        return {
            "id": self.id,
            "isPrimaryUser": self.is_primary_user,
            "tenantIds": self.tenant_ids,
            "timeJoined": self.time_joined,
            "emails": self.emails,
            "phoneNumbers": self.phone_numbers,
            "thirdParty": [info.to_json() for info in self.third_party],
            "webauthn": {"credentialIds": list(self.webauthn_credential_ids)},
            "loginMethods": [method.to_json() for method in self.login_methods],
        }

    @staticmethod
    def from_json(json: dict[str, Any]) -> User:
        """Return the user of the form that `to_json` returns."""
        return User(
            id=json["id"],
            is_primary_user=json["isPrimaryUser"],
            login_methods=[LoginMethod.from_json(method) for method in json["loginMethods"]],
            webauthn_credential_ids=tuple(json.get("webauthn", {}).get("credentialIds", ())),
        )


@dataclass(frozen=True)
class UsersResponse:
    """One page of users; `next_pagination_token` is None at the end."""

    users: list[User]
    next_pagination_token: str | None
