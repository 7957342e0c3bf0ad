"""Blocking twins of `passwordless.asyncio`."""

from typing import Final

from supertokens_py.recipe.passwordless import asyncio as _asyncio
from supertokens_py.runtime.bridge import blocking

send_code: Final = blocking(_asyncio.send_code)
resend_code: Final = blocking(_asyncio.resend_code)
create_code: Final = blocking(_asyncio.create_code)
create_new_code_for_device: Final = blocking(_asyncio.create_new_code_for_device)
consume_code: Final = blocking(_asyncio.consume_code)
check_code: Final = blocking(_asyncio.check_code)
get_user_by_id: Final = blocking(_asyncio.get_user_by_id)
get_user_by_email: Final = blocking(_asyncio.get_user_by_email)
get_user_by_phone_number: Final = blocking(_asyncio.get_user_by_phone_number)
update_user: Final = blocking(_asyncio.update_user)
delete_email_for_user: Final = blocking(_asyncio.delete_email_for_user)
delete_phone_number_for_user: Final = blocking(_asyncio.delete_phone_number_for_user)
revoke_all_codes: Final = blocking(_asyncio.revoke_all_codes)
revoke_code: Final = blocking(_asyncio.revoke_code)
list_codes_by_email: Final = blocking(_asyncio.list_codes_by_email)
list_codes_by_phone_number: Final = blocking(_asyncio.list_codes_by_phone_number)
list_codes_by_device_id: Final = blocking(_asyncio.list_codes_by_device_id)
list_codes_by_pre_auth_session_id: Final = blocking(_asyncio.list_codes_by_pre_auth_session_id)
create_magic_link: Final = blocking(_asyncio.create_magic_link)
signinup: Final = blocking(_asyncio.signinup)
send_email: Final = blocking(_asyncio.send_email)
send_sms: Final = blocking(_asyncio.send_sms)
