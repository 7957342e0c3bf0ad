"""Paths, keys, versions, bodies and texts of the server (engine: CDI server)."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.engine.interface import Engine
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.server import create_app
from tests.server.wire import LATEST, Wire, create_body

KEY = "first-key-of-the-server"
OTHER_KEY = "second-key-of-the-server"


def test_without_api_keys_anyone_may_call(wire: Wire) -> None:
    """CS-97: no API key configured → header ignored."""
    assert wire.raw("GET", "/recipe/roles", headers={"api-key": "whatever"}).status_code == 200


@pytest.mark.parametrize("headers", [{"origin": "https://evil.test"}, {"sec-fetch-site": "cross-site"}])
def test_web_pages_may_not_call_a_server_without_api_keys(wire: Wire, headers: dict[str, str]) -> None:
    """A page in a developer's browser must not reach the server on the same machine."""
    expected = (403, "Requests from web pages need an API key")
    assert wire.refusal("POST", "/recipe/session", create_body(), headers=headers) == expected
    assert wire.raw("GET", "/hello", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        ("localhost:3567", True),
        ("core", True),
        ("127.0.0.1:3567", True),
        ("[::1]:3567", True),
        ("core.Internal", True),
        ("evil.example:3567", False),
        ("127.0.0.1.evil.example", False),
        ("10.1.2.3:3567", True),
        ("192.168.0.9", True),
        ("[fd00::1]:3567", True),
        ("203.0.113.7:3567", False),
        ("8.8.8.8", False),
        ("[2001:db8::1]:3567", False),
        ("internal.evil.example.", False),
    ],
)
def test_without_api_keys_a_public_name_is_refused(wire: Wire, host: str, passes: bool) -> None:
    """DNS rebinding: to a browser such a page is of the same origin, so no header tells on it."""
    answer = wire.raw("GET", "/recipe/roles", headers={"host": host})
    if passes:
        assert answer.status_code == 200
    else:
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        assert (answer.status_code, answer.text) == (403, f"Requests to {name} need an API key\n")


def test_with_an_api_key_any_name_is_served(start: Callable[..., Wire]) -> None:
    """A page has none of the keys."""
    wire = start(api_keys=[KEY])
    answer = wire.raw("GET", "/recipe/roles", headers={"host": "core.example.com", "api-key": KEY})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"api-key": "wrong"}, 401),
        ({"api-key": KEY.upper()}, 401),
        ({"api-key": KEY}, 200),
        ({"api-key": OTHER_KEY}, 200),
        ({"authorization": OTHER_KEY}, 200),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"bearer {KEY}"}, 200),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Bearer"}, 401),
    ],
)
def test_a_configured_api_key_is_needed(
    start: Callable[..., Wire], headers: dict[str, str], status: int
) -> None:
    """CS-97: missing or wrong → 401 `Invalid API key`; `Authorization: Bearer` accepted."""
    wire = start(api_keys=[KEY, OTHER_KEY])
    response = wire.raw("GET", "/recipe/roles", headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.text == "Invalid API key\n"


def test_liveness_and_keys_need_neither_key_nor_version(start: Callable[..., Wire]) -> None:
    """CS-98: `/hello` and JWKS work without both; `/apiversion` needs the key."""
    wire = start(api_keys=[KEY]).at(None)
    for method in ("GET", "POST", "PUT", "DELETE"):
        for path in ("/", "/hello", "/public/hello"):
            assert wire.raw(method, path).text == "Hello\n"
    assert wire.raw("GET", "/.well-known/jwks.json", headers={"cdi-version": "9.9"}).json()["keys"]
    assert wire.refusal("GET", "/apiversion") == (401, "Invalid API key")
    versions = wire.raw("GET", "/apiversion", headers={"api-key": KEY})
    assert versions.json() == {
        "versions": ["3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6"]
    }
    assert versions.headers["st-client"] == "taken"


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("9.9", "cdi-version 9.9 not supported"),
        ("4.5", "cdi-version 4.5 not supported"),
        ("5.06", "cdi-version 5.06 not supported"),
        ("abc", "cdi-version header is invalid"),
        ("5", "cdi-version header is invalid"),
        ("5.6.1", "cdi-version header is invalid"),
        ("", "cdi-version header is invalid"),
    ],
)
def test_unknown_versions_are_refused(wire: Wire, version: str, text: str) -> None:
    """CS-99: too high, unknown or malformed → 400."""
    assert wire.at(None).refusal("GET", "/recipe/roles", headers={"cdi-version": version}) == (400, text)


def test_a_missing_version_means_the_newest_on_offer(start: Callable[..., Wire]) -> None:
    """CS-99: missing → latest, or the configured maximum."""
    wire = start()
    verified = wire.at(None).verify(wire.create()["accessToken"]["token"], checkDatabase=True)
    assert verified["payloadUpdateAvailable"] is False
    wire = start(max_cdi_version="5.4", min_cdi_version="5.2").at(None)
    assert "payloadUpdateAvailable" not in wire.verify(
        wire.create()["accessToken"]["token"], checkDatabase=True
    )
    assert wire.get("/apiversion") == {"versions": ["5.2", "5.3", "5.4"]}
    assert wire.at("5.6").refusal("GET", "/recipe/roles") == (400, "cdi-version 5.6 not supported")
    too_low = "cdi-version 5.0 is lower than the minimum allowed version 5.2"
    assert wire.at("5.0").refusal("GET", "/recipe/roles") == (400, too_low)


@pytest.mark.parametrize(
    "path",
    ["/recipe/roles", "/recipe/roles/", "/RECIPE/Roles", "/public/recipe/roles", "/appid-/recipe/roles",
     "/appid-public/public/recipe/roles", "/appid-public/recipe/roles"],
)  # fmt: skip
def test_one_endpoint_has_several_spellings(wire: Wire, path: str) -> None:
    """CS-100: app and tenant prefixes, case and trailing slash do not matter."""
    assert wire.get(path) == {"status": "OK", "roles": []}


@pytest.mark.parametrize(
    "path",
    ["/recipe", "/nope", "/recipe/nope", "/a_b/recipe/roles", "/recipe/recipe/roles", "/recipe/totp",
     "/config/recipe/roles", "/users/recipe/roles", "/hello/recipe/roles", "/t1/t2/recipe/roles",
     "/recipe/handshake"],
)  # fmt: skip
def test_other_paths_are_not_found(wire: Wire, path: str) -> None:
    """CS-100: unknown path → 404 `Not found`."""
    assert wire.refusal("GET", path) == (404, "Not found")


def test_other_methods_are_refused(wire: Wire) -> None:
    """CS-100: wrong method → 405 text."""
    for method in ("POST", "DELETE", "PATCH", "OPTIONS"):
        assert wire.refusal(method, "/recipe/roles") == (405, "Method not supported")


def test_a_base_path_stands_before_everything(start: Callable[..., Wire]) -> None:
    """22.2: `[base_path][/appid-<app>][/<tenant>]<path>`."""
    wire = start(base_path="/Auth/core/")
    assert wire.get("/auth/core/public/recipe/roles")["status"] == "OK"
    assert wire.raw("GET", "/auth/core").text == "Hello\n"
    for path in ("/recipe/roles", "/hello", "/auth/corex/hello", "/auth"):
        assert wire.refusal("GET", path) == (404, "Not found")


def test_unknown_apps_and_tenants_are_said_so(wire: Wire) -> None:
    """CS-17: unknown tenant in path → 400 starting with `AppId or tenantId not found`."""
    for method, path, body in (
        ("POST", "/t9/recipe/session", create_body()),
        ("GET", "/t9/recipe/user/roles?userId=u", None),
        ("POST", "/t9/recipe/session/refresh", {"refreshToken": "x"}),
        ("GET", "/appid-other/recipe/roles", None),
        ("GET", "/t9/hello", None),
    ):
        status, text = wire.refusal(method, path, body)
        assert status == 400
        assert text.startswith("AppId or tenantId not found => ")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/t1/recipe/roles"), ("PUT", "/t1/recipe/role"), ("GET", "/t1/recipe/user/metadata"),
     ("POST", "/t1/recipe/jwt"), ("GET", "/t1/recipe/multitenancy/tenant/list/v2"),
     ("GET", "/t1/apiversion")],
)  # fmt: skip
def test_questions_about_the_app_need_the_public_tenant(wire: Wire, method: str, path: str) -> None:
    """22.2: app-level APIs reached through another tenant → 403."""
    wire.put("/recipe/multitenancy/tenant/v2", {"tenantId": "t1"})
    body = None if method == "GET" else {}
    assert wire.refusal(method, path, body) == (403, "Only public tenantId can call this app specific API")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b'{"a": NaN}', b"\xff{}", b'{"a":' * 70 + b"1" + b"}" * 70]
)
def test_bodies_that_are_no_json_object_are_refused(wire: Wire, body: bytes) -> None:
    """22.4: bad JSON → 400 `Invalid Json Input`."""
    status, text = wire.refusal("POST", "/recipe/session", content=body)
    assert (status, text[:18]) == (400, "Invalid Json Input")


def test_large_bodies_are_refused(start: Callable[..., Wire]) -> None:
    """A body beyond the limit is 413, whether its length was announced or not."""
    wire = start(max_body_bytes=2_000)

    def chunks() -> Any:
        yield from (b" " * 500 for _ in range(9))

    for content in (b" " * 2_001, chunks()):
        status, text = wire.refusal("POST", "/recipe/session", content=content)
        assert (status, text) == (413, "The request body is larger than 2000 bytes")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"userId": None}, "userId"),
        ({"userId": 5}, "userId"),
        ({"userId": "a\0b"}, "userId"),
        ({"userId": "\ud800"}, "userId"),
        ({"userDataInJWT": None}, "userDataInJWT"),
        ({"userDataInJWT": []}, "userDataInJWT"),
        ({"userDataInDatabase": "{}"}, "userDataInDatabase"),
        ({"enableAntiCsrf": "true"}, "enableAntiCsrf"),
        ({"enableAntiCsrf": 1}, "enableAntiCsrf"),
        ({"useDynamicSigningKey": None}, "useDynamicSigningKey"),
        ({"accessTokenValidity": "soon"}, "accessTokenValidity"),
        ({"accessTokenValidity": True}, "accessTokenValidity"),
        ({"accessTokenValidity": 1.5}, "accessTokenValidity"),
    ],
)
def test_members_of_the_wrong_kind_are_named(wire: Wire, changes: dict[str, Any], field: str) -> None:
    """CS-18, CS-101: missing, null or of another type → 400 with the field's name."""
    import json

    content = json.dumps(create_body(**changes))
    expected = (400, f"Field name '{field}' is invalid in JSON input")
    assert wire.refusal("POST", "/recipe/session", content=content) == expected


def test_a_missing_member_is_named(wire: Wire) -> None:
    """CS-18: missing `userDataInJWT` → 400."""
    body = create_body()
    del body["userDataInJWT"]
    expected = (400, "Field name 'userDataInJWT' is invalid in JSON input")
    assert wire.refusal("POST", "/recipe/session", body) == expected


def test_an_optional_member_must_be_left_out_not_null(wire: Wire) -> None:
    """CS-101: explicit `null` for optional `antiCsrfToken` → 400."""
    body = {"refreshToken": "x", "enableAntiCsrf": True, "useDynamicSigningKey": True, "antiCsrfToken": None}
    expected = (400, "Field name 'antiCsrfToken' is invalid in JSON input")
    assert wire.refusal("POST", "/recipe/session/refresh", body) == expected


@pytest.mark.parametrize("validity", ["60000", 60_000.0])
def test_integers_may_come_as_text_or_with_a_point(wire: Wire, validity: object) -> None:
    """22.5: integers may arrive as numeric strings."""
    created = wire.create(accessTokenValidity=validity)
    assert created["accessToken"]["expiry"] - created["accessToken"]["createdTime"] == 60_000


def test_a_missing_query_parameter_is_named(wire: Wire) -> None:
    """22.4: query parameter missing → 400."""
    expected = (400, "Field name 'sessionHandle' is missing in GET request")
    assert wire.refusal("GET", "/recipe/session") == expected
    expected = (400, "Field name 'since' must be a long in the GET request")
    assert wire.refusal("GET", "/users/count/active?since=soon") == expected


def test_unknown_members_and_a_wrong_rid_are_ignored(wire: Wire) -> None:
    """22.1, 22.5: neither matters."""
    response = wire.raw(
        "POST", "/recipe/session", json={**create_body(), "later": 1}, headers={"rid": "nonsense"}
    )
    assert response.json()["status"] == "OK"


def test_active_users_are_counted(wire: Wire) -> None:
    """CS-106: create counts; a time in the future counts nobody; a negative one is refused."""
    wire.create("a")
    wire.create("b")
    assert wire.get("/users/count/active", {"since": "0"}) == {"status": "OK", "count": 2}
    assert wire.get("/users/count/active", {"since": "9000000000000"})["count"] == 0
    assert wire.refusal("GET", "/users/count/active?since=-1")[0] == 400


def test_sdks_learn_that_no_login_methods_are_kept(wire: Wire) -> None:
    """Official SDKs ask for a user before they create a session."""
    assert wire.get("/user/id", {"userId": "u"}) == {"status": "UNKNOWN_USER_ID_ERROR"}
    assert wire.get("/recipe/userid/map", {"userId": "u"}) == {"status": "UNKNOWN_MAPPING_ERROR"}
    assert wire.get("/users/by-accountinfo") == {"status": "OK", "users": []}
    assert wire.get("/users/count") == {"status": "OK", "count": 0}
    assert wire.get("/users") == {"status": "OK", "users": []}


class _Broken:
    """Stands for an engine, and each of its services, whose database went away."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: Any, **options: Any) -> Any:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (EngineUnavailableError("password=secret"), (503, "The session store cannot be reached")),
        (ZeroDivisionError("secret"), (500, "Internal error")),
    ],
)
def test_failures_are_5xx_and_tell_no_secrets(error: Exception, expected: tuple[int, str]) -> None:
    """22.4: an SDK takes 5xx for an error, never for a missing session."""
    from starlette.testclient import TestClient

    engine: Engine = _Broken(error)  # pyright: ignore[reportAssignmentType]
    wire = Wire(TestClient(create_app(engine, allow_no_api_key=True), base_url="http://core"))
    assert wire.refusal("GET", "/recipe/roles") == expected
    assert wire.refusal("GET", "/hello") == expected


@pytest.fixture
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long this machine takes for a burst of hellos, it is one."""
    monkeypatch.setattr("supertokens_py.server.routes.core._HELLO_INTERVAL_S", 3600.0)


@pytest.mark.usefixtures("_at_once")
def test_a_burst_of_hellos_does_not_reach_the_database() -> None:
    """22.6: five at once look at the store, more only say hello."""
    from starlette.testclient import TestClient

    engine: Engine = _Broken(EngineUnavailableError("away"))  # pyright: ignore[reportAssignmentType]
    wire = Wire(TestClient(create_app(engine, allow_no_api_key=True), base_url="http://core"))
    statuses = [wire.raw("GET", "/hello").status_code for _ in range(7)]
    assert statuses == [503] * 5 + [200] * 2


@pytest.mark.usefixtures("_at_once")
def test_hellos_to_unknown_tenants_are_counted_alike(start: Callable[..., Wire]) -> None:
    """Nobody without a key makes the server ask its store more often than five times at once."""
    wire = start(api_keys=[KEY])
    assert wire.refusal("GET", "/nosuch/hello")[0] == 400
    statuses = [wire.raw("GET", "/nosuch/hello").status_code for _ in range(20)]
    assert statuses == [400] * 4 + [200] * 16


@pytest.mark.parametrize(
    "options",
    [
        {"api_keys": ["short"]},
        {"api_keys": ["choose-a-long-random-key"]},
        {"allow_no_api_key": False},
        {"api_keys": ["twenty-characters-and-a-blank or-so"]},
        {"min_cdi_version": "2.21"},
        {"max_cdi_version": "6.0"},
        {"min_cdi_version": "5.4", "max_cdi_version": "5.3"},
        {"base_path": "/a b"},
    ],
)
def test_settings_that_cannot_work_are_refused(start: Callable[..., Wire], options: dict[str, Any]) -> None:
    """A ConfigError when the application is made."""
    with pytest.raises(ConfigError):
        start(**options)


def test_api_keys_are_kept_as_hashes(start: Callable[..., Wire]) -> None:
    """Memory holds no key."""
    from supertokens_py.server.auth import ApiKeys

    kept = pickle.dumps(vars(ApiKeys([KEY])))
    assert KEY.encode() not in kept
    assert hashlib.sha256(KEY.encode()).digest() in kept


def test_official_answers_for_rare_questions(wire: Wire) -> None:
    """`/config` never tells a path; features are not gated by a licence."""
    assert wire.get("/config?pid=1") == {"status": "NOT_ALLOWED"}
    assert wire.get("/ee/featureflag")["features"] == ["multi_tenancy"]
    assert wire.version == LATEST
