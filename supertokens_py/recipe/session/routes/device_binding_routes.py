"""`POST {base}/session/device/register` and `…/refresh`, which only browsers themselves call.

No page can: scripts cannot set `Sec-Secure-Session-Id`, and need a preflight that nobody answers for
`Secure-Session-Response`. So neither looks for an origin or a session: a challenge or a signature says which
session is meant. They never answer with 401, which would ask for credentials, nor with a redirect, on which
browsers have been seen to hang; 5xx is for a store out of reach, after which browsers try again.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.device_keys import BoundKey, ProofRefused, ProofWanted, Proved
from supertokens_py.error_codes import SessionErrorCode
from supertokens_py.events import SessionRefused, emit
from supertokens_py.exceptions import PayloadTooLargeError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse
from supertokens_py.recipe.session.constants import (
    ACCESS_TOKEN_COOKIE_KEY,
    DEVICE_COOKIE_KEY,
    DEVICE_REFRESH,
    DEVICE_REGISTER,
)
from supertokens_py.recipe.session.responses.errors import explain
from supertokens_py.recipe.session.session_tokens.writer import check_fits_cookie
from supertokens_py.recipe_module import Route
from supertokens_py.tokens.access_token import parse_access_token

from ..device_binding.bindings import DeviceBindings
from ..device_binding.headers import CHALLENGE_HEADER, ID_HEADER, RESPONSE_HEADER, challenge, read_text
from ..device_binding.settings import initiators_of, same_site_of

log: logging.Logger = logging.getLogger(__name__)

_BOUND_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_END = {"continue": False}


def device_routes(bindings: DeviceBindings) -> tuple[Route, Route]:
    """Return the routes."""

    async def register(
        request: BaseRequest, response: BaseResponse, _: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        return await answer_register(bindings, request, response, user_context)

    async def refresh(
        request: BaseRequest, response: BaseResponse, _: str, user_context: dict[str, Any]
    ) -> BaseResponse:
        return await answer_device_refresh(bindings, request, response, user_context)

    return (
        Route("POST", DEVICE_REGISTER, register, lambda: True),
        Route("POST", DEVICE_REFRESH, refresh, lambda: True),
    )


async def answer_register(
    bindings: DeviceBindings, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
) -> BaseResponse:
    """Answer POST /session/device/register."""
    proof = read_text(request.get_header(RESPONSE_HEADER))
    if proof is None:
        return _refused(bindings, response, 403, "no proof", code="device_proof_wrong")
    try:
        result = await call_engine(user_context, bindings.keys.register, proof, check=check_fits_cookie)
    except PayloadTooLargeError as error:
        log.warning("a session is not bound to its device: %s", error)
        return _refused(bindings, response, 403, "the session has no room for it", code="device_not_bound")
    if isinstance(result, ProofRefused):
        return _refused(bindings, response, 403, result.reason, code="device_proof_wrong")
    return await _proven(bindings, result, request, response, user_context)


async def _proven(
    bindings: DeviceBindings,
    result: Proved,
    request: BaseRequest,
    response: BaseResponse,
    user_context: dict[str, Any],
) -> BaseResponse:
    await bindings.set_cookie(request, result.key, user_context)
    response.set_header(CHALLENGE_HEADER, challenge(result.challenge, str(result.key.bound_id)))
    return _answer(response, 200, instructions(bindings, result.key))


async def answer_device_refresh(
    bindings: DeviceBindings, request: BaseRequest, response: BaseResponse, user_context: dict[str, Any]
) -> BaseResponse:
    """Answer POST /session/device/refresh."""
    given = request.get_header(ID_HEADER)
    if given is None:
        return _refused(bindings, response, 403, "no session", code="device_proof_wrong")
    bound_id = read_text(given)
    if bound_id is None or not _BOUND_ID.fullmatch(bound_id):
        return _answer(response, 200, _END)
    header = request.get_header(RESPONSE_HEADER)
    proof = None if header is None else read_text(header) or ""
    result = await call_engine(user_context, bindings.keys.prove, bound_id, proof)
    if isinstance(result, ProofRefused):
        return _refused(bindings, response, 400, result.reason, code="device_proof_wrong")
    key = None if result is None else await _present_key(bindings, request, result.key, user_context)
    if result is None or key is None:
        return _answer(response, 200, _END)
    if isinstance(result, ProofWanted):
        response.set_header(CHALLENGE_HEADER, challenge(result.challenge, bound_id))
        return _refused(bindings, response, 403, "sign this challenge", code="device_proof_wanted")
    return await _proven(bindings, replace(result, key=key), request, response, user_context)


async def _present_key(
    bindings: DeviceBindings, request: BaseRequest, key: BoundKey, user_context: dict[str, Any]
) -> BoundKey | None:
    """Return the key as that of the session that the browser has by now; None if that has another one.

    An impersonation has the key of its actor's session. After a log-in without a sign-out there are two keys,
    and a proof for one session would overwrite the bound cookie of the other. That session stays as it is;
    this browser forgets its key.
    """
    values = request.cookie_values(ACCESS_TOKEN_COOKIE_KEY)
    token = parse_access_token(values[0]) if len(values) == 1 else None
    if token is None or token.handle == key.handle:
        return key
    own = await bindings.key_of(token.handle, key, user_context)
    return own and replace(own, bound_id=key.bound_id)


def instructions(bindings: DeviceBindings, key: BoundKey) -> dict[str, Any]:
    """Return what the browser is to do for a bound session."""
    same_site = same_site_of(bindings.policy).capitalize()
    found: dict[str, Any] = {
        "session_identifier": key.bound_id,
        "refresh_url": f"{bindings.base}{DEVICE_REFRESH}",
        "scope": {
            "origin": bindings.policy.api_domain,
            "include_site": False,
            "scope_specification": [
                {"type": "exclude", "domain": "*", "path": path} for path in bindings.settings.excluded_paths
            ],
        },
        "credentials": [
            {
                "type": "cookie",
                "name": DEVICE_COOKIE_KEY,
                "attributes": f"Path=/; Secure; HttpOnly; SameSite={same_site}",
            }
        ],
    }
    if initiators := initiators_of(bindings.settings, bindings.policy):
        found["allowed_refresh_initiators"] = initiators
    return found


def _answer(response: BaseResponse, status: int, body: dict[str, Any]) -> BaseResponse:
    response.set_status_code(status)
    response.forbid_caching()
    response.set_json_content(body)
    return response


def _refused(
    bindings: DeviceBindings, response: BaseResponse, status: int, why: str, *, code: SessionErrorCode
) -> BaseResponse:
    log.debug("a device is refused with %d (%s): %s", status, code, why, extra={"code": code})
    emit(SessionRefused(code=code, may_refresh=code == "device_proof_wanted"))
    if bindings.explains:
        explain(code, response)
    return _answer(response, status, {"message": why})
