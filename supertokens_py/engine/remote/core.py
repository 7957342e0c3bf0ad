"""One core over CDI: which version is spoken, headers, and what an answer that is not 200 means."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, cast

import httpx2

from supertokens_py.cdi.records import optional_member
from supertokens_py.cdi.versions import SPOKEN, Version
from supertokens_py.constants import CLIENT_HEADER, RID_HEADER
from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.exceptions import BadInputError, EngineUnavailableError, GeneralError, ProtectedClaimError
from supertokens_py.runtime import fork_hooks
from supertokens_py.secret import SecretText
from supertokens_py.types.base import JSONObject

from .transport import Transport

#: How a core begins where it refuses an argument that only it can judge, by its configuration.
_LEFT_TO_THE_CORE = (
    "accessTokenValidity",
    "Invalid core config",
    "invalid pagination token",
    "Password hash is in invalid format",
    "the password hash",
    "hashes of ",
    "UserId is already in use",
    "Cannot create a userId mapping",
    "preAuthSessionId and deviceId doesn't match",
    "Input encoding error",
    "You cannot clear both",
)


class Core:
    """Blocking calls to a core; each is one exchange."""

    def __init__(
        self,
        transport: Transport,
        *,
        api_key: str | None = None,
        api_domain: str = "",
        website_domain: str = "",
    ) -> None:
        self._transport = transport
        self._api_key = None if api_key is None else SecretText(api_key)
        domains = {"apiDomain": api_domain, "websiteDomain": website_domain}
        self._domains = {name: value for name, value in domains.items() if value}
        self._version: Version | None = None
        self._takes_clients = False
        self._lock = threading.Lock()
        #: How often no core could be asked for its versions, and what was wrong last.
        self._failure = (0, "")

    @property
    def api_key(self) -> str | None:
        """What the core asks of its clients."""
        return self._api_key

    def version(self) -> Version:
        """Return the newest version that both sides speak; asked for once.

        Raises:
            GeneralError: there is none.
            EngineUnavailableError: no core answers.
        """
        fork_hooks.check()
        seen = self._failure[0]
        with self._lock:
            if self._version is None:
                count, failure = self._failure
                if count != seen:  # it failed while we waited to ask: do not queue up behind a dead core
                    raise EngineUnavailableError(failure)
                try:
                    self._version = self._negotiate()
                except EngineUnavailableError as error:
                    self._failure = (count + 1, str(error))
                    raise
            return self._version

    def takes_clients(self) -> bool:
        """Return whether the core is ours, and so takes from its API clients whom a request is made for.

        An official one is not told: it would do nothing with an address, which is personal data.
        """
        self.version()
        return self._takes_clients

    def get(
        self, path: str, query: Mapping[str, str], *, rid: str | None = None, tenant: str = ""
    ) -> JSONObject:
        return self._call("GET", path, query=query, rid=rid, tenant=tenant)

    def post(
        self,
        path: str,
        body: JSONObject,
        *,
        rid: str | None = None,
        tenant: str = "",
        client: str | None = None,
    ) -> JSONObject:
        """Return the answer; `client` is whom the request is made for, which a core of ours counts by."""
        return self._call("POST", path, body=body, rid=rid, tenant=tenant, client=client)

    def put(self, path: str, body: JSONObject, *, rid: str | None = None, tenant: str = "") -> JSONObject:
        return self._call("PUT", path, body=body, rid=rid, tenant=tenant)

    def jwks(self) -> httpx2.Response:
        """Return the answer with the key set, which needs neither API key nor version.

        Raises:
            EngineUnavailableError: no core answers, or not with a key set.
        """
        response = self._transport.send("GET", "/.well-known/jwks.json", headers={}, intercept=False)
        if response.status_code != 200:
            raise EngineUnavailableError(f"the JWKS request was answered with status {response.status_code}")
        return response

    def close(self) -> None:
        self._transport.close()

    def forget_after_fork(self) -> None:
        self._lock = threading.Lock()
        self._transport.forget_after_fork()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: JSONObject | None = None,
        rid: str | None,
        tenant: str,
        client: str | None = None,
    ) -> JSONObject:
        headers = self._headers(rid, with_body=body is not None)
        version = self.version()
        if client is not None and self._takes_clients:
            headers[CLIENT_HEADER] = client
        headers["cdi-version"] = str(version)
        response = self._transport.send(method, path, headers=headers, query=query, body=body)
        if _refuses_version(response):
            # The core was replaced by one that speaks other versions; it refused before doing anything.
            with self._lock:
                self._version = None
            headers["cdi-version"] = str(self.version())
            response = self._transport.send(method, path, headers=headers, query=query, body=body)
        return _json_of(response, method, path, tenant=tenant, body=body)

    def _negotiate(self) -> Version:
        path = "/apiversion"
        response = self._transport.send("GET", path, headers=self._headers(None), query=self._domains)
        answer = _json_of(response, "GET", path)
        offered = {str(item) for item in optional_member(answer, "versions", list) or []}
        shared = {version for version in SPOKEN if str(version) in offered}
        if not shared:
            ours = f"{SPOKEN[0]} to {SPOKEN[-1]}"
            theirs = ", ".join(sorted(offered)) or "in no version"
            addresses = ", ".join(host.address for host in self._transport.hosts)
            raise GeneralError(
                f"the SuperTokens core at {addresses} speaks CDI {theirs}, this SDK {ours}: "
                "upgrade the core, or use a release of the SDK that fits it"
            )
        self._takes_clients = CLIENT_HEADER in response.headers
        return max(shared)

    def _headers(self, rid: str | None, *, with_body: bool = False) -> dict[str, str]:
        headers: dict[str, str] = {}
        if self._api_key:
            headers["api-key"] = self._api_key
        if rid is not None:
            headers[RID_HEADER] = rid
        if with_body:
            headers["content-type"] = "application/json; charset=utf-8"
        return headers


def unexpected(answer: JSONObject) -> EngineUnavailableError:
    """Return the error for a status that no version of the interface has."""
    return EngineUnavailableError(
        f"the SuperTokens core answered with an unknown status: {answer.get('status')!r}"
    )


def tenant_path(tenant_id: str) -> str:
    """Return the path prefix of a tenant, whose id is compared trimmed and in lower case.

    Raises:
        UnknownTenantError: no tenant can have this id, and in a path it could mean another place of the core.
    """
    text = validation.normalise_tenant_id(tenant_id)
    try:
        return "/" + validation.validate_tenant_id(text)
    except BadInputError as error:
        raise UnknownTenantError(text) from error


def ok(answer: JSONObject) -> JSONObject:
    """Return `answer`, which must say OK."""
    if answer.get("status") != "OK":
        raise unexpected(answer)
    return answer


def _refuses_version(response: httpx2.Response) -> bool:
    return response.status_code == 400 and response.text.startswith("cdi-version")


def _json_of(
    response: httpx2.Response, method: str, path: str, *, tenant: str = "", body: JSONObject | None = None
) -> JSONObject:
    status = response.status_code
    if status == 200:
        try:
            answer: object = response.json()
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise EngineUnavailableError(
                f"no SuperTokens core answered the {method} request to path: {path}, for it has no JSON"
            )
        return cast("JSONObject", answer)
    text = response.text.strip()
    message = (
        f"SuperTokens core threw an error for a {method} request to path: {path} "
        f"with status code: {status} and message: {text}"
    )
    if status >= 500 or status == 429:
        raise EngineUnavailableError(message)
    if status == 400 and text.startswith("AppId or tenantId not found"):
        raise UnknownTenantError(tenant) from GeneralError(message)
    if status == 400 and text.startswith("The user payload contains protected field"):
        payload: object = (body or {}).get("userDataInJWT")
        names = [str(name) for name in cast("dict[Any, Any]", payload)] if isinstance(payload, dict) else []
        raise ProtectedClaimError(names) from GeneralError(message)
    if status == 400 and text.startswith(_LEFT_TO_THE_CORE):
        raise BadInputError(text) from GeneralError(message)
    raise GeneralError(message)
