"""The server's description says what the server does: members, answers, and nothing that it does not know."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from supertokens_py.constants import SUPPORTED_CDI_VERSIONS, VERSION
from supertokens_py.server import app as app_module
from supertokens_py.server.endpoint_request import read_json
from supertokens_py.server.routes import (
    core,
    email_password,
    email_verification,
    id_mappings,
    passwordless,
    recipe_users,
    roles,
    session_data,
    sessions,
    tenants,
    third_party,
    users,
)
from supertokens_py.server.routing import Endpoint
from tests.server.wire import Wire

ALL: list[Endpoint] = [
    *core.endpoints(SUPPORTED_CDI_VERSIONS),
    *sessions.ENDPOINTS,
    *session_data.ENDPOINTS,
    *roles.ENDPOINTS,
    *tenants.ENDPOINTS,
    *users.ENDPOINTS,
    *email_password.ENDPOINTS,
    *email_verification.ENDPOINTS,
    *id_mappings.ENDPOINTS,
    *passwordless.ENDPOINTS,
    *third_party.ENDPOINTS,
    *recipe_users.ENDPOINTS,
]
#: Takes one of two members, so none of its members is needed by itself.
REMOVE = "/recipe/session/remove"
WITH_BODY = [endpoint for endpoint in ALL if endpoint.body and endpoint.path != REMOVE]
SAMPLES: dict[str, Any] = {"string": "x", "boolean": True, "integer": 1, "object": {}, "array": ["x"]}


def named(endpoint: Endpoint) -> str:
    return f"{endpoint.method} {endpoint.path}"


def sample(schema: Any) -> Any:
    kind = schema["type"]
    return SAMPLES[kind if isinstance(kind, str) else kind[0]]


def full_body(endpoint: Endpoint) -> dict[str, Any]:
    return {name.removesuffix("?"): sample(schema) for name, schema in endpoint.body.items()}


def test_every_endpoint_is_described(wire: Wire) -> None:
    """The document has each method of each path, with the versions on offer, and says how to show a key."""
    document = wire.raw("GET", "/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == VERSION
    described = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        if not path.startswith("/{tenantId}")
        for method in methods
    }
    assert described == {named(endpoint) for endpoint in ALL} | {"GET /openapi.json"}
    create = document["paths"]["/{tenantId}/recipe/session"]["post"]
    assert [parameter["name"] for parameter in create["parameters"]] == ["tenantId", "cdi-version"]
    assert create["parameters"][1]["schema"]["enum"] == list(SUPPORTED_CDI_VERSIONS)
    assert create["requestBody"]["content"]["application/json"]["schema"]["required"] == [
        "userId",
        "userDataInJWT",
        "userDataInDatabase",
        "enableAntiCsrf",
    ]
    assert document["security"] == [{}, {"apiKey": []}, {"bearer": []}]
    assert document["paths"]["/hello"]["get"]["security"] == []


def test_the_description_needs_a_key_and_knows_its_base_path(start: Any) -> None:
    """It tells strangers nothing, and clients where to ask."""
    wire = start(api_keys=["k" * 20], base_path="/Core/")
    assert wire.refusal("GET", "/core/openapi.json") == (401, "Invalid API key")
    shown = wire.raw("GET", "/core/openapi.json", headers={"api-key": "k" * 20})
    assert shown.json()["servers"] == [{"url": "/core"}]


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_members_that_are_needed_are_needed(wire: Wire, endpoint: Endpoint) -> None:
    """Each one left out is a refusal that names it."""
    for name in endpoint.body:
        if not name.endswith("?"):
            body = full_body(endpoint)
            del body[name]
            refusal = wire.refusal(endpoint.method, endpoint.path, body)
            assert refusal == (400, f"Field name '{name}' is invalid in JSON input")


@pytest.mark.parametrize("endpoint", WITH_BODY, ids=named)
def test_members_have_the_described_type(wire: Wire, endpoint: Endpoint) -> None:
    """Any of them null is a refusal that names it, unless the description allows null."""
    for name, schema in endpoint.body.items():
        if "null" not in schema["type"]:
            body = {**full_body(endpoint), name.removesuffix("?"): None}
            refusal = wire.refusal(endpoint.method, endpoint.path, body)
            assert refusal == (400, f"Field name '{name.removesuffix('?')}' is invalid in JSON input")


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in ALL if endpoint.query], ids=named)
def test_parameters_that_are_needed_are_needed(wire: Wire, endpoint: Endpoint) -> None:
    """A missing one is named; one that may be missing is no matter."""
    needed = [name for name in endpoint.query if not name.endswith("?")]
    if named(endpoint) in ("GET /recipe/user", "GET /recipe/signinup/codes"):
        assert wire.refusal("GET", endpoint.path)[0] == 400  # it takes exactly one of several
        return
    answer = wire.raw(endpoint.method, endpoint.path)
    if needed:
        assert (answer.status_code, answer.text) == (
            400,
            f"Field name '{needed[0]}' is missing in GET request\n",
        )
    else:
        assert answer.status_code == 200


class _Watched(dict[str, Any]):
    """A body that remembers what was asked of it."""

    asked: set[str]

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.asked.add(name)
        return super().get(name, default)


@pytest.mark.parametrize("endpoint", [endpoint for endpoint in ALL if endpoint.body], ids=named)
def test_no_member_is_read_that_is_not_described(
    wire: Wire, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each described one is read."""
    asked: set[str] = set()

    def watched(raw: bytes) -> dict[str, Any]:
        body = _Watched(read_json(raw))
        body.asked = asked
        return body

    monkeypatch.setattr(app_module, "read_json", watched)
    body = full_body(endpoint)
    wire.raw(endpoint.method, endpoint.path, json=body)
    if endpoint.path == recipe_users.PATH:
        wire.raw(endpoint.method, endpoint.path, json=body, headers={"rid": "passwordless"})
    if endpoint.path == REMOVE:
        del body["sessionHandles"]
        wire.raw(endpoint.method, endpoint.path, json=body)
    switches = {"emailPasswordEnabled", "thirdPartyEnabled", "passwordlessEnabled"}
    refused = switches if endpoint.path.endswith("/tenant/v2") else set[str]()
    assert asked - refused == {name.removesuffix("?") for name in endpoint.body}


@pytest.fixture
def fuzz() -> ModuleType:
    """What makes requests up, read late: Schemathesis would keep every worker for half a second."""
    from tests.server import fuzz_cdi

    return fuzz_cdi


@pytest.mark.real
def test_made_up_requests_are_answered_as_described(fuzz: Any) -> None:
    """Right and wrong requests to every operation; `scripts/fuzz cdi` sends more."""
    target = fuzz.Target()
    for operation in fuzz.operations(target).values():
        fuzz.run(operation, target, count=3, seed=1, mode=fuzz.GenerationMode.POSITIVE)
    for label in ("POST /recipe/session", "POST /recipe/session/verify", "POST /recipe/session/remove"):
        fuzz.run(fuzz.operations(target)[label], target, count=20, seed=1, mode=fuzz.GenerationMode.NEGATIVE)
    assert target.statuses.keys() <= {200, 400, 403, 404}
    assert target.answers["OK"] > 60


@pytest.mark.real
def test_bodies_of_the_corpus_are_answered_as_described(fuzz: Any) -> None:
    """Each committed body, sent to every operation that takes one."""
    target = fuzz.Target()
    assert fuzz.send_bodies(target, fuzz.corpus()) == []
    assert target.statuses.keys() == {200, 400, 413}


@pytest.mark.real
def test_an_answer_that_is_not_described_is_found(fuzz: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search can fail: an extra member, a defect."""
    target = fuzz.Target()
    asked = fuzz.operations(target)["GET /recipe/roles"]
    fuzz.run(asked, target, count=1, seed=1, mode=fuzz.GenerationMode.POSITIVE)
    original = core.JsonResponse.render
    monkeypatch.setattr(
        core.JsonResponse, "render", lambda self, content: original(self, {**content, "extra": 1})
    )
    with pytest.raises(fuzz.FailureGroup, match="extra"):
        fuzz.run(asked, target, count=1, seed=1, mode=fuzz.GenerationMode.POSITIVE)
    monkeypatch.setattr(core.JsonResponse, "render", lambda self, content: 1 // 0)
    with pytest.raises(Exception, match="zero"):
        fuzz.run(asked, target, count=1, seed=1, mode=fuzz.GenerationMode.POSITIVE)
