"""From where requests may come: rules of the server and of tenants."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from supertokens_py.engine.records import Tenant
from supertokens_py.exceptions import ConfigError, EngineUnavailableError
from supertokens_py.runtime.bridge import step
from supertokens_py.server.endpoint_request import Refused
from supertokens_py.server.environment import create_from
from supertokens_py.server.ip_rules import IpRules, Rules, rules
from tests.server.wire import Wire, create_body

V2 = "/recipe/multitenancy/tenant/v2"
REFUSED = (403, "Requests from this IP address are not allowed")
START = Callable[..., Wire]


@pytest.mark.parametrize(
    ("options", "address", "passes"),
    [
        ({}, "10.0.0.9", True),
        ({"ip_allow_regex": r"10\..*"}, "10.0.0.9", True),
        ({"ip_allow_regex": r"10\..*"}, "110.0.0.9", False),
        ({"ip_allow_regex": r"10\.0\.0\.9"}, "10.0.0.99", False),
        ({"ip_deny_regex": r"10\..*"}, "10.0.0.9", False),
        ({"ip_deny_regex": r"10\..*"}, "192.168.0.1", True),
        ({"ip_allow_regex": r"10\..*", "ip_deny_regex": r".*\.9"}, "10.0.0.9", False),
        ({"ip_allow_regex": "::1|127.0.0.1"}, "::1", True),
        ({"ip_deny_regex": r"10\..*"}, "::ffff:10.0.0.9", False),
        ({"ip_allow_regex": r"10\..*"}, "::ffff:10.0.0.9", True),
        ({"ip_allow_regex": "no address"}, "no address", True),
    ],
)
def test_rules_match_the_whole_address(
    start: START, options: dict[str, str], address: str, passes: bool
) -> None:
    """An address must match the one pattern, and must not match the other."""
    wire = start(address=address, **options)
    if passes:
        assert wire.get("/recipe/roles") == {"status": "OK", "roles": []}
    else:
        assert wire.refusal("GET", "/recipe/roles") == REFUSED


@pytest.mark.parametrize("path", ["/hello", "/.well-known/jwks.json", "/apiversion", "/recipe/roles"])
def test_addresses_come_before_keys_and_versions(start: START, path: str) -> None:
    """Also where no key is needed."""
    wire = start(address="10.0.0.9", ip_deny_regex="10.*", api_keys=["k" * 20])
    assert wire.at("9.9").refusal("GET", path) == REFUSED


def test_a_tenant_has_rules_of_its_own(start: START) -> None:
    """13: they hold for its paths at once, and for no others; what it does not set it has from the server."""
    wire = start(address="10.0.0.9")
    wire.put(V2, {"tenantId": "t1", "coreConfig": {"ip_deny_regex": r"10\..*"}})
    wire.put(V2, {"tenantId": "t2"})
    assert wire.refusal("POST", "/t1/recipe/session", create_body()) == REFUSED
    assert wire.create(tenant="t2")["status"] == wire.create()["status"] == "OK"
    wire.put(V2, {"tenantId": "t1", "coreConfig": {"ip_deny_regex": None}})
    assert wire.create(tenant="t1")["status"] == "OK"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"ip_allow_regex": "("}, "Invalid core config: 'ip_allow_regex' must be a regular expression"),
        ({"ip_deny_regex": 7}, "Invalid core config: 'ip_deny_regex' must be a regular expression"),
        (
            {"password_reset_token_lifetime": 0},
            "Invalid core config: 'password_reset_token_lifetime' "
            "must be a whole number from 1 to 1000000000000",
        ),
        (
            {"email_verification_token_lifetime": "soon"},
            "Invalid core config: 'email_verification_token_lifetime' "
            "must be a whole number from 1 to 1000000000000",
        ),
        (
            {"access_token_validity": 60},
            "Invalid core config: access_token_validity is not a setting of a tenant",
        ),
        ({"\ud800": 1}, "Invalid core config: \\ud800 is not a setting of a tenant"),
    ],
)
def test_settings_of_a_tenant_are_checked(wire: Wire, config: dict[str, Any], text: str) -> None:
    """A tenant that cannot be configured so is not created."""
    assert wire.refusal("PUT", V2, {"tenantId": "t1", "coreConfig": config}) == (400, text)
    assert wire.get(f"/t1{V2}") == {"status": "TENANT_NOT_FOUND_ERROR"}


class Tenants:
    """The tenants of an engine, counting how often they are read."""

    def __init__(self, **configs: dict[str, Any]) -> None:
        self.configs = configs
        self.reads = 0
        self.failure: Exception | None = None

    def all(self) -> list[Tenant]:
        self.reads += 1
        if self.failure:
            raise self.failure
        return [Tenant(tenant_id=name, core_config=config) for name, config in self.configs.items()]


def over(tenants: Tenants, own: Rules, now_s: list[float]) -> IpRules:
    engine: Any = SimpleNamespace(tenants=tenants)
    return IpRules(engine, own, clock=lambda: now_s[0])


def test_rules_of_tenants_are_read_once_a_minute() -> None:
    """Another process's change is seen within 60 s, at one read for all requests meanwhile."""
    tenants, now_s = Tenants(t1={}), [100.0]
    addresses = over(tenants, rules(None, None), now_s)
    for _ in range(5):
        step(addresses.check("t1", "10.0.0.9"))
    tenants.configs["t1"] = {"ip_deny_regex": "10.*"}
    now_s[0] += 59.9
    step(addresses.check("t1", "10.0.0.9"))
    assert tenants.reads == 1
    now_s[0] += 0.1
    with pytest.raises(Refused):
        step(addresses.check("t1", "10.0.0.9"))
    assert tenants.reads == 2


def test_rules_outlive_a_store_that_is_away() -> None:
    """The public tenant has the server's and needs no store; no tenant is open while its are unknown."""
    tenants, now_s = Tenants(t1={"ip_deny_regex": "10.*"}), [100.0]
    addresses = over(tenants, rules(None, None), now_s)
    tenants.failure = EngineUnavailableError("away")
    step(addresses.check("public", "10.0.0.9"))
    with pytest.raises(EngineUnavailableError):
        step(addresses.check("t1", "127.0.0.1"))
    tenants.failure = None
    step(addresses.check("t1", "127.0.0.1"))
    tenants.failure = EngineUnavailableError("away")
    now_s[0] += 3600
    step(addresses.check("t1", "127.0.0.1"))
    with pytest.raises(Refused):
        step(addresses.check("t1", "10.0.0.9"))


NO_PATTERNS = pytest.mark.parametrize(
    "text", ["(?<java", "a{4294967296}", "(" * 3000 + ")" * 3000], ids=["java", "repeats", "nested"]
)


@NO_PATTERNS
def test_a_rule_that_cannot_be_read_lets_nobody_in(text: str, no_collection: None) -> None:
    """Another core may have stored a pattern of its own language: the other tenants go on."""
    addresses = over(Tenants(t1={"ip_allow_regex": text}, t2={}), rules(None, None), [100.0])
    step(addresses.check("t2", "10.0.0.9"))
    with pytest.raises(Refused):
        step(addresses.check("t1", "10.0.0.9"))


@NO_PATTERNS
@pytest.mark.parametrize("name", ["ip_allow_regex", "ip_deny_regex"])
def test_the_environment_sets_rules(name: str, text: str, no_collection: None) -> None:
    """A pattern that is none is named at the start."""
    environ = {
        "SUPERTOKENS_CONNECTION_URI": "sqlite://",
        "SUPERTOKENS_ALLOW_NO_API_KEY": "1",
        f"SUPERTOKENS_{name.upper()}": text,
    }
    with pytest.raises(ConfigError, match=f"{name} is no regular expression"):
        create_from(environ)
