"""Which passwords new users may choose."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from supertokens_py.exceptions import ConfigError

#: The engine hashes no more.
MAX_BYTES = 1024

TOO_SHORT = "Password must contain at least 8 characters, including a number"
TOO_LONG = "Password's length must be lesser than 100 characters"
NO_LETTER = "Password must contain at least one alphabet"
NO_DIGIT = "Password must contain at least one number"
COMMON = "This is one of the most common passwords, so it would be guessed first. Please choose another one"
TOO_MANY_BYTES = f"Password must not be longer than {MAX_BYTES} bytes"


@dataclass(frozen=True, kw_only=True)
class PasswordPolicy:
    """The rule for new passwords: `init(password_policy=PasswordPolicy(min_length=12))`.

    The default is what the official frontends check before they send anything: 8 to 99 characters, a letter
    and a digit. `PasswordPolicy.nist()` asks for length instead.

    Args:
        min_length: characters (code points) at least.
        max_length: characters at most; no password may have more than 1,024 bytes.
        needs_letter_and_digit: whether one of each is wanted.
        refuse_common: whether to refuse the 11,000 passwords that are found in leaks most often.
    """

    min_length: int = 8
    max_length: int = 99
    needs_letter_and_digit: bool = True
    refuse_common: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.min_length <= self.max_length <= MAX_BYTES:
            raise ConfigError(f"PasswordPolicy needs 1 <= min_length <= max_length <= {MAX_BYTES}")

    @classmethod
    def nist(cls, min_length: int = 15) -> PasswordPolicy:
        """Return the rule of NIST SP 800-63B-4: length, no composition, nothing common.

        The official frontends check their own rule before they send anything: configure theirs as well.
        """
        return cls(min_length=min_length, max_length=MAX_BYTES, needs_letter_and_digit=False)

    async def __call__(self, value: object, tenant_id: str) -> str | None:
        """Return what is wrong with a password, or None."""
        return self.error_of(value)

    def error_of(self, value: object) -> str | None:
        """Return what is wrong with a password, or None."""
        if not isinstance(value, str):
            return "Development bug: Please make sure the password field yields a string"
        if len(value) < self.min_length:
            usual = self.needs_letter_and_digit and self.min_length == PasswordPolicy.min_length
            return TOO_SHORT if usual else f"Password must contain at least {self.min_length} characters"
        if len(value) > self.max_length:
            usual = self.max_length == PasswordPolicy.max_length
            return TOO_LONG if usual else f"Password must contain at most {self.max_length} characters"
        if self.needs_letter_and_digit:
            if not any("a" <= character <= "z" for character in value.lower()):
                return NO_LETTER
            if not any("0" <= character <= "9" for character in value):
                return NO_DIGIT
        if self.refuse_common and value.lower() in _common_passwords():
            return COMMON
        return None


def bytes_error(value: str) -> str | None:
    """Return what is wrong with a password that can never be stored, whatever the application's rule says."""
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "Password must not contain half characters"
    if size > MAX_BYTES:
        return TOO_MANY_BYTES
    return None if size else "Password must not be empty"


@cache
def _common_passwords() -> frozenset[str]:
    listed = (
        files("supertokens_py.recipe.emailpassword")
        .joinpath("common_passwords.txt")
        .read_text(encoding="utf-8")
    )
    return frozenset(listed.splitlines())
