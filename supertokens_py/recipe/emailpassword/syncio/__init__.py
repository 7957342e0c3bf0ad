"""Blocking twins of `emailpassword.asyncio`."""

from typing import Final

from supertokens_py.recipe.emailpassword import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

sign_up: Final = blocking(_asyncio.sign_up)
sign_in: Final = blocking(_asyncio.sign_in)
verify_credentials: Final = blocking(_asyncio.verify_credentials)
create_reset_password_token: Final = blocking(_asyncio.create_reset_password_token)
consume_password_reset_token: Final = blocking(_asyncio.consume_password_reset_token)
reset_password_using_token: Final = blocking(_asyncio.reset_password_using_token)
update_email_or_password: Final = blocking(_asyncio.update_email_or_password)
get_user_by_id: Final = blocking(_asyncio.get_user_by_id)
get_user_by_email: Final = blocking(_asyncio.get_user_by_email)
create_reset_password_link: Final = blocking(_asyncio.create_reset_password_link)
request_password_reset: Final = blocking(_asyncio.request_password_reset)
send_reset_password_email: Final = blocking(_asyncio.send_reset_password_email)
send_email: Final = blocking(_asyncio.send_email)
