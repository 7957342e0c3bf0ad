"""Which access tokens the server trusts (engine: Sessions over CDI)."""

from __future__ import annotations

from supertokens_py.engine.call import reload_keys
from supertokens_py.engine.interface import Engine, Keys
from supertokens_py.engine.records import VerificationKey
from supertokens_py.tokens.access_token import AccessToken, parse_access_token, parse_header
from supertokens_py.tokens.encoding import constant_time_equal

_OTHER_FORM = "the access token does not have the form of one of ours"


async def trusted_token(engine: Engine, text: str, *, now_ms: int) -> AccessToken | str:
    """Return the token, or why it is not to be trusted. The database is asked for unknown keys only."""
    header = parse_header(text)
    if header is None or header.version < 3:
        return _OTHER_FORM
    key = await _usable_key(engine.keys, header.kid, now_ms)
    if key is None:
        return "the access token was signed with an unknown key"
    if not key.matches(text):
        return "the signature of the access token does not match"
    token = parse_access_token(text)
    if token is None:
        return _OTHER_FORM
    if token.expires_ms < now_ms:
        return "the access token has expired"
    return token


def anti_csrf_problem(token: AccessToken, sent: str | None) -> str | None:
    """Return why the anti-CSRF token of a request does not belong to its access token; None if it does."""
    if token.anti_csrf_token is None:
        return "the access token has no anti-csrf token"
    if not constant_time_equal(sent or "", token.anti_csrf_token):
        return "anti-csrf check failed"
    return None


async def _usable_key(keys: Keys, kid: str, now_ms: int) -> VerificationKey | None:
    key = keys.key_set().keys.get(kid) or (await reload_keys(keys)).keys.get(kid)
    if key is None or (key.usable_until_ms is not None and key.usable_until_ms < now_ms):
        return None
    return key
