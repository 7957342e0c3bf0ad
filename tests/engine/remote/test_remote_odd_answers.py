"""Whatever a core, or something in its place, answers: the application sees errors of the engine only."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from supertokens_py.engine.code_records import NewCode, PresentedCode
from supertokens_py.engine.remote import RemoteEngine, transport
from supertokens_py.engine.user_records import UserQuery
from supertokens_py.exceptions import EngineUnavailableError, GeneralError
from supertokens_py.types.users import AccountInfo
from tests.engine.driver import new_session, refresh_request
from tests.engine.remote.cores import ALL_VERSIONS, engine_over, wire_session

LINK = PresentedCode(pre_auth_session_id="p", link_code="l")
CALLS: dict[str, Callable[[RemoteEngine], Any]] = {
    "create_session": lambda engine: engine.sessions.create(new_session("u")),
    "refresh_session": lambda engine: engine.sessions.refresh(refresh_request("a.b.V2")),
    "session_information": lambda engine: engine.sessions.information("h"),
    "revoke_sessions": lambda engine: engine.sessions.revoke(["h"]),
    "revoke_user_sessions": lambda engine: engine.sessions.revoke_user("u", tenant_id=None),
    "user_session_handles": lambda engine: engine.sessions.user_handles("u", tenant_id=None),
    "merge_session_payload": lambda engine: engine.sessions.merge_payload("h", {"a": 1}),
    "reload_keys": lambda engine: engine.keys.reload(),
    "jwks": lambda engine: engine.keys.jwks(),
    "create_jwt": lambda engine: engine.keys.create_jwt({}, issuer="i", validity_s=1, static_key=True),
    "add_role": lambda engine: engine.roles.add("r", []),
    "delete_role": lambda engine: engine.roles.delete("r"),
    "roles": lambda engine: engine.roles.all(),
    "role_permissions": lambda engine: engine.roles.permissions("r"),
    "permission_roles": lambda engine: engine.roles.with_permission("p"),
    "add_user_role": lambda engine: engine.roles.assign("u", "r", tenant_id="public"),
    "remove_user_role": lambda engine: engine.roles.unassign("u", "r", tenant_id="public"),
    "user_roles": lambda engine: engine.roles.of_user("u", tenant_id="public"),
    "role_users": lambda engine: engine.roles.users("r", tenant_id="public"),
    "metadata": lambda engine: engine.metadata.read("u"),
    "merge_metadata": lambda engine: engine.metadata.merge("u", {}),
    "user": lambda engine: engine.users.find("u"),
    "users": lambda engine: engine.users.page("public", UserQuery()),
    "user_count": lambda engine: engine.users.count(tenant_id=None),
    "users_with_email": lambda engine: engine.users.by_account_info("public", AccountInfo(email="e")),
    "remove_user": lambda engine: engine.users.remove("u") or engine.users.count(tenant_id="public"),
    "sign_up": lambda engine: engine.email_password.sign_up("public", "e", "p"),
    "sign_in": lambda engine: engine.email_password.verify("public", "e", "p"),
    "create_reset_token": lambda engine: engine.email_password.create_reset_token("public", "u", None),
    "import_hash": lambda engine: engine.hash_import.put("public", "e", "x"),
    "consume_reset_token": lambda engine: engine.email_password.consume_reset_token("public", "t"),
    "create_verification_token": lambda engine: engine.email_verification.create_token("public", "u", "e"),
    "verify_email": lambda engine: engine.email_verification.verify("public", "t"),
    "is_email_verified": lambda engine: engine.email_verification.is_verified("u", "e"),
    "create_code": lambda engine: engine.passwordless.create_code("public", NewCode(email="e")),
    "consume_code": lambda engine: engine.passwordless.consume("public", LINK),
    "check_code": lambda engine: engine.passwordless.check("public", LINK),
    "devices": lambda engine: engine.passwordless.devices("public", email="e"),
    "sign_in_up": lambda engine: engine.third_party.sign_in_up(
        "public", "p", "u", email="e", is_verified=True
    ),
    "put_provider": lambda engine: engine.tenants.put_provider("t", {"thirdPartyId": "p", "clients": []}),
    "remove_provider": lambda engine: engine.tenants.remove_provider("t", "p"),
    "id_mapping": lambda engine: engine.id_mappings.find("u"),
    "tenant": lambda engine: engine.tenants.find("t"),
    "tenants": lambda engine: engine.tenants.all(),
    "put_tenant": lambda engine: engine.tenants.put("t", {}),
    "delete_tenant": lambda engine: engine.tenants.delete("t"),
}
USERS = {"user": {"id": 1}, "count": "3", "token": 5, "isVerified": "yes", "userId": 1}
LISTS = {"roles": 5, "users": {}, "permissions": "x", "tenants": [1], "sessionHandles": None, "keys": 1}
LISTS |= {"devices": 5, "consumedDevice": 1, "deviceId": 1, "codeId": None}
ANSWERS: dict[str, tuple[bytes, dict[str, str]]] = {
    "no gzip": (b"not gzip", {"content-encoding": "gzip"}),
    "deep": (b'{"status":' + b"[" * 100_000 + b"]" * 100_000 + b"}", {}),
    "deep keys": (b'{"keys":' + b'{"a":' * 100_000, {}),
    "nothing but OK": (b'{"status":"OK"}', {}),
    "an odd charset": (b'{"status":"OK"}', {"content-type": "application/json; charset=nope"}),
    "other types": (
        json.dumps({"status": "OK", "session": [1], "accessToken": "x", "jwt": 1, **USERS, **LISTS}).encode(),
        {},
    ),
    "other types within": (
        json.dumps(
            {
                **wire_session(),
                "refreshToken": {"token": 5, "expiry": "1", "createdTime": None},
                "keys": [{"kty": "RSA", "kid": "a", "n": "é", "e": "AQAB"}],
                "tenants": [{"tenantId": 1, "thirdParty": "x"}],
                "users": [{"id": "u", "isPrimaryUser": False, "loginMethods": [{"recipeId": 1}]}],
                "user": {"id": "u", "isPrimaryUser": False, "loginMethods": []},
            }
        ).encode(),
        {},
    ),
    "odd keys": (json.dumps({"keys": [{"kty": "RSA", "kid": "a", "n": "uQ" * 171, "e": "AQ"}]}).encode(), {}),
    "a large number": (b'{"status":"OK","keys":[' + b"9" * 5000 + b"]}", {}),
    "half a character": (b'\xff\xfe{"s', {}),
    "no object": (b"[]", {}),
    "more than any core sends": (gzip.compress(b" " * 2**20 + b"{}"), {"content-encoding": "gzip"}),
}


def answering(content: bytes, headers: dict[str, str]) -> RemoteEngine:
    def handler(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/apiversion":
            return httpx2.Response(200, json={"versions": ALL_VERSIONS})
        given = {"content-type": "application/json", **headers}
        return httpx2.Response(200, headers=given, stream=httpx2.ByteStream(content))

    return engine_over(handler)


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_an_odd_answer_is_an_error_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, answer: str, call: str
) -> None:
    """Never one of Python or of the HTTP client, which applications cannot be expected to catch."""
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 2**19)
    engine = answering(*ANSWERS[answer])
    with pytest.raises((EngineUnavailableError, GeneralError)):
        CALLS[call](engine)


@pytest.mark.parametrize("versions", [5, "5.6", {"a": 1}, [[]]])
def test_an_odd_list_of_versions_is_an_error_of_the_engine(versions: object) -> None:
    """The first answer of all is read as carefully as the others."""
    engine = engine_over(lambda _: httpx2.Response(200, json={"versions": versions}))
    with pytest.raises((EngineUnavailableError, GeneralError)):
        engine.roles.all()


def test_an_answer_is_read_until_its_limit_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little that decompresses to much costs as little memory as anything else."""
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 2**20)
    engine = answering(*ANSWERS["more than any core sends"])
    with pytest.raises(EngineUnavailableError, match="sent more than 1 MiB"):
        engine.roles.all()
