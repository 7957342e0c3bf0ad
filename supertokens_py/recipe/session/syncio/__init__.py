"""Blocking twins of `session.asyncio`; they must not be called while an event loop runs in the thread."""

from __future__ import annotations

from typing import Final

from supertokens_py.engine.explanations import SessionExplanation
from supertokens_py.recipe.openid.syncio import (
    create_jwt,
    get_jwks,
    get_open_id_discovery_configuration,
)
from supertokens_py.recipe.session import asyncio as _asyncio
from supertokens_py.recipe.session.container import SessionContainer
from supertokens_py.runtime.bridge import blocking

__all__ = [
    "SessionContainer",
    "SessionExplanation",
    "create_guest_session",
    "create_impersonation_session",
    "create_jwt",
    "create_new_session",
    "create_new_session_without_request_response",
    "end_impersonation",
    "explain_session",
    "fetch_and_set_claim",
    "get_all_session_handles_for_user",
    "get_claim_value",
    "get_jwks",
    "get_open_id_discovery_configuration",
    "get_session",
    "get_session_information",
    "get_session_without_request_response",
    "list_sessions",
    "merge_into_access_token_payload",
    "reauthenticate",
    "refresh_session",
    "refresh_session_without_request_response",
    "remove_claim",
    "revoke_all_sessions_for_user",
    "revoke_multiple_sessions",
    "revoke_other_sessions",
    "revoke_session",
    "set_claim_value",
    "set_session_lifetime",
    "update_access_token_payload",
    "update_session_data",
    "update_session_data_in_database",
    "validate_claims_for_session_handle",
    "validate_claims_in_jwt_payload",
]

create_new_session: Final = blocking(_asyncio.create_new_session)
create_new_session_without_request_response: Final = blocking(
    _asyncio.create_new_session_without_request_response
)
create_guest_session: Final = blocking(_asyncio.create_guest_session)
create_impersonation_session: Final = blocking(_asyncio.create_impersonation_session)
end_impersonation: Final = blocking(_asyncio.end_impersonation)
get_session: Final = blocking(_asyncio.get_session)
get_session_without_request_response: Final = blocking(_asyncio.get_session_without_request_response)
refresh_session: Final = blocking(_asyncio.refresh_session)
refresh_session_without_request_response: Final = blocking(_asyncio.refresh_session_without_request_response)
set_session_lifetime: Final = blocking(_asyncio.set_session_lifetime)
reauthenticate: Final = blocking(_asyncio.reauthenticate)
revoke_session: Final = blocking(_asyncio.revoke_session)
revoke_multiple_sessions: Final = blocking(_asyncio.revoke_multiple_sessions)
revoke_other_sessions: Final = blocking(_asyncio.revoke_other_sessions)
list_sessions: Final = blocking(_asyncio.list_sessions)
revoke_all_sessions_for_user: Final = blocking(_asyncio.revoke_all_sessions_for_user)
get_all_session_handles_for_user: Final = blocking(_asyncio.get_all_session_handles_for_user)
get_session_information: Final = blocking(_asyncio.get_session_information)
update_session_data_in_database: Final = blocking(_asyncio.update_session_data_in_database)
update_session_data = update_session_data_in_database
merge_into_access_token_payload: Final = blocking(_asyncio.merge_into_access_token_payload)
update_access_token_payload: Final = blocking(_asyncio.update_access_token_payload)
explain_session: Final = blocking(_asyncio.explain_session)
fetch_and_set_claim: Final = blocking(_asyncio.fetch_and_set_claim)
set_claim_value: Final = blocking(_asyncio.set_claim_value)
get_claim_value: Final = blocking(_asyncio.get_claim_value)
remove_claim: Final = blocking(_asyncio.remove_claim)
validate_claims_for_session_handle: Final = blocking(_asyncio.validate_claims_for_session_handle)
validate_claims_in_jwt_payload: Final = blocking(_asyncio.validate_claims_in_jwt_payload)
