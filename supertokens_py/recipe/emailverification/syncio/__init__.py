"""Blocking twins of `emailverification.asyncio`."""

from typing import Final

from supertokens_py.recipe.emailverification import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

create_email_verification_token: Final = blocking(_asyncio.create_email_verification_token)
verify_email_using_token: Final = blocking(_asyncio.verify_email_using_token)
is_email_verified: Final = blocking(_asyncio.is_email_verified)
revoke_email_verification_tokens: Final = blocking(_asyncio.revoke_email_verification_tokens)
unverify_email: Final = blocking(_asyncio.unverify_email)
create_email_verification_link: Final = blocking(_asyncio.create_email_verification_link)
send_email_verification_email: Final = blocking(_asyncio.send_email_verification_email)
send_email: Final = blocking(_asyncio.send_email)
