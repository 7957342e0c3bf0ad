"""Which checks a client has switched off, in `additional_config["skipChecks"]`.

All are on unless the list names them, for a provider that cannot pass them:

- "verifier": a sign-in without our proof key is accepted, and an empty redirect URI. For applications on
  phones whose own library got the code, with a client of their own (`client_type`); never for a website,
  where it prevents that somebody is signed in to the account of somebody else.
- "pkce": the proof key is not sent to the provider, which refuses parameters that it does not know.
- "nonce": the ID token does not repeat the nonce.
- "issuer": the issuer of the metadata, of callbacks and of ID tokens is not compared. Name the right one in
  `additional_config["issuer"]` instead where it is only another than the URL of the metadata says.

`additional_config["authorizedParties"]` lists clients that may ask for ID tokens for this one (`azp`), as an
app on Android does for the website's; other clients of the same provider may anyway.

`additional_config["allowAccessTokenSignIn"]` accepts any access token of the provider from a frontend, even
one that was issued to another application: whoever runs such an application can sign in as its users.

`additional_config["allowFrontendTokens"]`, where it is False, accepts no token from a frontend at all, so
that each sign-in shows a code, a verifier and a nonce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from .failures import SignInFailedError

CHECKS = ("verifier", "pkce", "nonce", "issuer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is checked of one client."""

    verifier: bool = True
    pkce: bool = True
    nonce: bool = True
    issuer: bool = True
    expected_issuer: str | None = None
    authorized_parties: tuple[str, ...] = ()
    access_token_sign_in: bool = False
    frontend_tokens: bool = True


def checks_of(additional_config: Mapping[str, Any] | None) -> Checks:
    """Return the checks of a client.

    Raises:
        SignInFailedError: the configuration has something else than names of checks.
    """
    own: Mapping[str, Any] = additional_config or {}
    skipped: object = own.get("skipChecks") or []
    if not isinstance(skipped, list) or not all(name in CHECKS for name in cast("list[object]", skipped)):
        raise SignInFailedError(f"skipChecks of additional_config must be a list of {', '.join(CHECKS)}")
    names = cast("list[str]", skipped)
    issuer: object = own.get("issuer")
    if issuer is not None and not isinstance(issuer, str):
        raise SignInFailedError("issuer of additional_config must be a string")
    parties: object = own.get("authorizedParties") or []
    if not isinstance(parties, list) or not all(
        isinstance(one, str) for one in cast("list[object]", parties)
    ):
        raise SignInFailedError("authorizedParties of additional_config must be a list of client ids")
    frontend_tokens: object = own.get("allowFrontendTokens", True)
    if not isinstance(frontend_tokens, bool):
        raise SignInFailedError("allowFrontendTokens of additional_config must be True or False")
    return Checks(
        **{name: name not in names for name in CHECKS},
        expected_issuer=issuer,
        authorized_parties=tuple(cast("list[str]", parties)),
        access_token_sign_in=own.get("allowAccessTokenSignIn") is True,
        frontend_tokens=frontend_tokens,
    )
