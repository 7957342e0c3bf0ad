"""Forms of the application's own, of which anybody may leave out a field, or send a file in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe import emailpassword, emailverification, passwordless, session
from supertokens_py.recipe.emailpassword import syncio as passwords
from supertokens_py.recipe.emailverification import syncio as verification
from supertokens_py.recipe.passwordless import syncio as codes
from tests.support.databases import Sqlite

HERE = "http://localhost:8000"
REQUEST = Request({"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b""})


@pytest.fixture(autouse=True)
def _site(sqlite_files: Sqlite) -> Iterator[None]:
    Supertokens.reset()
    contacts = passwordless.ContactEmailOnlyConfig()
    init(
        app_info=InputAppInfo(app_name="A", api_domain=HERE, website_domain=HERE),
        supertokens_config=SupertokensConfig(
            connection_uri=sqlite_files.create(users=True).uri, engine=EngineConfig(clean_up_interval=0)
        ),
        recipe_list=[
            session.init(),
            emailpassword.init(),
            emailverification.init("OPTIONAL"),
            passwordless.init(contact_config=contacts, flow_type="USER_INPUT_CODE_AND_MAGIC_LINK"),
        ],
    )
    yield
    Supertokens.reset()


@pytest.mark.parametrize("field", [None, object()], ids=["left out", "a file"])
@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (passwords.sign_up, {"email": "ada@example.com", "password": ...}),
        (passwords.sign_up, {"email": ..., "password": "correct horse 1"}),
        (passwords.sign_in, {"email": ..., "password": "correct horse 1"}),
        (passwords.sign_in, {"email": "ada@example.com", "password": ...}),
        (passwords.verify_credentials, {"email": ..., "password": "correct horse 1"}),
        (passwords.verify_credentials, {"email": "ada@example.com", "password": ...}),
        (passwords.request_password_reset, {"request": REQUEST, "email": ...}),
        (passwords.consume_password_reset_token, {"token": ...}),
        (passwords.reset_password_using_token, {"token": ..., "new_password": "correct horse 1"}),
        (verification.verify_email_using_token, {"token": ...}),
        (codes.send_code, {"request": REQUEST, "email": ...}),
        (codes.send_code, {"request": REQUEST, "phone_number": ...}),
        (codes.resend_code, {"request": REQUEST, "device_id": ..., "pre_auth_session_id": "x"}),
        (codes.resend_code, {"request": REQUEST, "device_id": "x", "pre_auth_session_id": ...}),
        (codes.create_code, {"email": ...}),
        (codes.create_new_code_for_device, {"device_id": ...}),
        *(
            (function, arguments)
            for function in (codes.consume_code, codes.check_code)
            for arguments in (
                {"pre_auth_session_id": ..., "link_code": "x"},
                {"pre_auth_session_id": "x", "link_code": ...},
                {"pre_auth_session_id": ..., "user_input_code": "1", "device_id": "x"},
                {"pre_auth_session_id": "x", "user_input_code": ..., "device_id": "x"},
                {"pre_auth_session_id": "x", "user_input_code": "1", "device_id": ...},
            )
        ),
    ],
)
def test_a_field_that_is_no_text_is_bad_input(function: Any, arguments: dict[str, Any], field: Any) -> None:
    given = {name: field if value is ... else value for name, value in arguments.items()}
    with pytest.raises(BadInputError):
        function(tenant_id="public", **given)
