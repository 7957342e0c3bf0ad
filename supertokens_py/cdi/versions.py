"""The versions of the interface, and what each changes (engine: Sessions over CDI)."""

from __future__ import annotations

import re
from typing import NamedTuple

from supertokens_py.constants import SUPPORTED_CDI_VERSIONS
from supertokens_py.tokens.access_token import LATEST_VERSION

_FORM = re.compile(r"([0-9]{1,4})\.([0-9]{1,4})")


class Version(NamedTuple):
    """A version, such as 5.6; versions compare by number."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    @classmethod
    def parse(cls, text: str) -> Version | None:
        """Return the version that a string such as "5.6" names; None for any other string."""
        match = _FORM.fullmatch(text)
        return None if match is None else cls(int(match[1]), int(match[2]))

    @property
    def knows_recipe_users(self) -> bool:
        """Whether sessions name the login method beside the primary user (`recipeUserId`, claim `rsub`)."""
        return self >= (4, 0)

    @property
    def access_token_version(self) -> int:
        """The version of the access tokens that create and refresh issue."""
        return LATEST_VERSION if self.knows_recipe_users else 4

    @property
    def restricts_app_calls(self) -> bool:
        """Whether calls that concern the whole app are refused on the path of a tenant."""
        return self >= (5, 0)

    @property
    def names_signing_key(self) -> bool:
        """Whether a refresh must say which key family signs; before, a session keeps its own by default."""
        return self >= (5, 0)

    @property
    def has_factors(self) -> bool:
        """Whether tenants have lists of factors."""
        return self >= (5, 0)

    @property
    def names_used_device(self) -> bool:
        """Whether answers name the device of a one-time code, and codes may be checked."""
        return self >= (5, 0)

    @property
    def has_tenants_v2(self) -> bool:
        """Whether tenants are described without the switches of recipes."""
        return self >= (5, 1)

    @property
    def knows_webauthn(self) -> bool:
        """Whether users have a list of their passkeys."""
        return self >= (5, 3)

    @property
    def rotates(self) -> bool:
        """Whether the client knows rotation at refresh and the shapes that came with it."""
        return self >= (5, 6)


#: What the server offers, oldest first.
OFFERED: tuple[Version, ...] = tuple(
    version for version in map(Version.parse, SUPPORTED_CDI_VERSIONS) if version is not None
)
#: What the remote engine asks a core for. Older cores make tokens without a recipe user.
SPOKEN: tuple[Version, ...] = tuple(version for version in OFFERED if version >= (5, 0))
