"""Apple's client secret: a JWT that is signed with a key from Apple ("Creating a client secret")."""

from __future__ import annotations

from collections.abc import Mapping

import jwt

from supertokens_py.secret import SecretText

from .failures import SignInFailedError

#: Apple allows six months; it is made for one request.
LIFETIME_S = 300


def client_secret(client_id: str, own: Mapping[str, str], *, now_s: int) -> SecretText:
    """Return the secret for one request.

    Args:
        client_id: the application's id at Apple.
        own: `keyId`, `teamId` and `privateKey`, in PEM; line breaks may be written as backslash and n.
        now_s: Unix seconds.

    Raises:
        SignInFailedError: the private key cannot be parsed.
    """
    claims = {
        "iss": own["teamId"],
        "iat": now_s,
        "exp": now_s + LIFETIME_S,
        "aud": "https://appleid.apple.com",
        "sub": client_id,
    }
    try:
        pem = SecretText(own["privateKey"].replace("\\n", "\n"))
        return SecretText(jwt.encode(claims, pem, algorithm="ES256", headers={"kid": own["keyId"]}))
    except (ValueError, TypeError, jwt.PyJWTError) as error:
        raise SignInFailedError("privateKey of additional_config is no P-256 key in PEM") from error
