"""Tokens of answers, in a test client, and in the `Login` that belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from supertokens_py.recipe.session import SessionContainer, syncio
from supertokens_py.recipe.session.constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    ACCESS_TOKEN_HEADER_KEY,
    ANTI_CSRF_HEADER_KEY,
    REFRESH_TOKEN_COOKIE_KEY,
    REFRESH_TOKEN_HEADER_KEY,
)
from supertokens_py.recipe.sign_in.frontends import no_validators

from .answers import cookies_of
from .conversations import Answered, Call, Conversation, require_ok
from .logins import Login, Tokens, off_the_loop, put_tokens


def take_tokens(answered: Answered, login: Login) -> None:
    """Put the tokens that a response sends into the client: its own jar may not, as for `http://testserver`."""
    headers, cookies = answered.response.headers, cookies_of(answered.response)
    if login.mode == "header":
        access, refresh = headers[ACCESS_TOKEN_HEADER_KEY], headers.get(REFRESH_TOKEN_HEADER_KEY)
    else:
        access, refresh = cookies[ACCESS_TOKEN_COOKIE_KEY], cookies.get(REFRESH_TOKEN_COOKIE_KEY)
    anti_csrf = headers.get(ANTI_CSRF_HEADER_KEY) or login.tokens.anti_csrf
    login.tokens = Tokens(access, refresh or login.tokens.refresh, anti_csrf)
    put_tokens(login.tokens, login.jar, login.mode)
    login.session = off_the_loop(lambda: _session_of(login.tokens))


def _session_of(tokens: Tokens) -> SessionContainer:
    return syncio.get_session_without_request_response(
        tokens.access, tokens.anti_csrf, False, True, override_global_claim_validators=no_validators
    )


def verification(login: Login, outbox: Sequence[Any]) -> Conversation[Any]:
    """Ask for the mail that verifies an address, and open its link; the answer to that is returned."""
    tenant = login.session.get_tenant_id()
    response = yield Call("/user/email/verify/token", tenant=tenant)
    require_ok(response, "the request for a link to verify the address")
    body = {"method": "token", "token": outbox[-1].token}
    response = yield Call("/user/email/verify", body, tenant=tenant)
    require_ok(response, "the link")
    take_tokens(response, login)
    return response.response
