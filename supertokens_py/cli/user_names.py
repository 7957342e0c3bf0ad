"""What commands say of the user that they were given."""

from __future__ import annotations

from supertokens_py.types.emails import is_address


def with_hint(text: str, user_id: str) -> str:
    """Return a complaint about a user; where the id looks like an address, with how to find the user's id."""
    if not is_address(user_id):
        return text
    return f"{text}; {user_id} looks like an e-mail address: `supertokens users list --email {user_id}`"
