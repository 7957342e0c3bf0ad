"""Users of codes, without a message that brings them."""

from __future__ import annotations

from typing import Any

from supertokens_py.engine.code_records import CreatedCode, NewCode, PresentedCode
from tests.engine.driver import Driver


def use_new_code(core: Driver, tenant: str = "public", **contact: str) -> Any:
    """Return what comes of using a code that was just made for `email` or `phone_number`."""
    made = core.passwordless.create_code(tenant, NewCode(**contact))
    assert isinstance(made, CreatedCode)
    presented = PresentedCode(
        pre_auth_session_id=made.pre_auth_session_id,
        device_id=made.device_id,
        user_input_code=made.user_input_code,
    )
    return core.passwordless.consume(tenant, presented)
