"""Built-in claims and validators, judged without a request (protocol: Claims)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.session import AuthenticationClaim
from supertokens_py.recipe.session.claim_base_classes.primitive_claim import HasValueSCV
from supertokens_py.recipe.session.claim_validation.evaluation import evaluate_claims
from supertokens_py.recipe.session.claims import BooleanClaim, PrimitiveArrayClaim, PrimitiveClaim
from supertokens_py.recipe.session.interfaces import ClaimValidationResult, SessionClaimValidator
from supertokens_py.runtime.bridge import blocking
from tests.support.clock import Clock

NOW = 1_700_000_000_000

judge = blocking(evaluate_claims)


@pytest.fixture(autouse=True)
def clock() -> Iterator[Clock]:
    """The app's clock: claims are stamped with its time."""
    made = Clock(NOW)
    Supertokens.reset()
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig("sqlite://", engine=EngineConfig(now_ms=made)),
        recipe_list=[session.init()],
    )
    yield made
    Supertokens.reset()


def never(*_: Any) -> None:
    """A fetch that knows nothing."""


LEVEL = PrimitiveClaim[Any]("level", never)
FLAG = BooleanClaim("flag", never)
TAGS = PrimitiveArrayClaim[Any]("tags", never)


def stamped(key: str, value: Any, age_s: float = 0) -> dict[str, Any]:
    return {key: {"v": value, "t": NOW - int(age_s * 1000)}}


def reasons(validator: Any, payload: dict[str, Any]) -> list[Any]:
    return [failure.reason for failure in judge("user", payload, [validator], {}).invalid_claims]


def test_how_a_user_authenticated_is_never_fetched() -> None:
    """Only a log-in can say it: the claim stays as it is."""
    payload = AuthenticationClaim.add_to_payload_({}, {"time": NOW, "amr": ["pwd"], "acr": None}, {})
    assert AuthenticationClaim.sync_build("user", "public", {}) == {}
    assert judge("user", payload, [AuthenticationClaim.validators.fresh(60)], {}).invalid_claims == []


# -- shapes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("claim", "value"), [(LEVEL, 3), (LEVEL, {"a": 1}), (FLAG, True), (TAGS, ["a", 1])])
def test_a_claim_is_stored_with_its_value_and_time(claim: Any, value: Any) -> None:
    """FP-94: `{"v": value, "t": integer ms}`, members in this order, arguments untouched."""
    payload = {"x": 1}
    added = claim.add_to_payload_(payload, value, {})
    assert list(added[claim.key].items()) == [("v", value), ("t", NOW)]
    assert type(added[claim.key]["t"]) is int
    assert claim.get_value_from_payload(added) == value
    assert claim.get_last_refetch_time(added) == NOW
    assert claim.remove_from_payload(added) == {"x": 1}
    assert claim.remove_from_payload_by_merge_(added) == {"x": 1, claim.key: None}
    assert payload == {"x": 1}
    assert claim.key in added


@pytest.mark.parametrize("member", [None, 5, "x", [1], {}, {"t": 1}])
def test_a_member_without_a_value_is_missing(member: Any) -> None:
    """FP-96: a member that is no object, or has no `v`, is missing."""
    assert LEVEL.get_value_from_payload({"level": member}) is None
    assert LEVEL.get_value_from_payload({}) is None
    assert LEVEL.get_last_refetch_time({}) is None


async def test_build_fetches_and_wraps_and_none_adds_nothing() -> None:
    """FP-94: fetch and wrap; None adds nothing."""
    assert await LEVEL.build("user", "public", {}) == {}

    async def fetch(user_id: str, tenant_id: str, user_context: Any) -> str:
        return f"{user_id}@{tenant_id}"

    assert await PrimitiveClaim[str]("who", fetch).build("u", "t") == {"who": {"v": "u@t", "t": NOW}}


def test_a_claim_is_built_by_code_that_blocks() -> None:
    """Whether its function is sync or async; beside an event loop it is refused."""

    async def fetch(user_id: str, tenant_id: str, user_context: Any) -> str:
        await asyncio.sleep(0)
        return f"{user_id}@{tenant_id}"

    async def beside_a_loop() -> None:
        LEVEL.sync_build("user", "public")

    assert LEVEL.sync_build("user", "public", {}) == {}
    assert PrimitiveClaim[str]("who", fetch).sync_build("u", "t") == {"who": {"v": "u@t", "t": NOW}}
    assert PrimitiveClaim[str]("who", lambda *_: "x").sync_build("u", "t") == {"who": {"v": "x", "t": NOW}}
    with pytest.raises(RuntimeError, match="would block the event loop"):
        asyncio.run(beside_a_loop())


async def test_a_fetch_that_does_not_tell_its_parameters() -> None:
    """FP-97: built-in functions are called with three arguments."""
    claim = PrimitiveClaim[str]("who", "{0}@{1}".format)
    assert await claim.build("u", "t") == {"who": {"v": "u@t", "t": NOW}}


# -- every validator: pass, wrong, missing, expired ------------------------------------------------

CASES = [
    (LEVEL.validators.has_value, "level", 3, [3, 3.0], [4, "3", True, None, [3]], "expectedValue"),
    (LEVEL.validators.has_value, "level", {"a": [1]}, [{"a": [1]}], [{"a": [True]}, {}], "expectedValue"),
    (TAGS.validators.includes, "tags", "a", [["a"], ["b", "a"]], [[], ["b"], ["A"]], "expectedToInclude"),
    (TAGS.validators.includes, "tags", 1, [[1], [1.0]], [[True], ["1"]], "expectedToInclude"),
    (TAGS.validators.excludes, "tags", "a", [[], ["b"]], [["a"], ["b", "a"]], "expectedToNotInclude"),
    (TAGS.validators.excludes, "tags", True, [[1]], [[True]], "expectedToNotInclude"),
    (TAGS.validators.includes_all, "tags", ["a", "b"], [["b", "a"]], [["a"], []], "expectedToInclude"),
    (TAGS.validators.includes_all, "tags", [], [[], ["x"]], [], "expectedToInclude"),
    (
        TAGS.validators.includes_any,
        "tags",
        ["a", "b"],
        [["b"], ["a", "x"]],
        [["x"], []],
        "expectedToIncludeAtLeastOneOf",
    ),
    (TAGS.validators.includes_any, "tags", [], [], [["x"], []], "expectedToIncludeAtLeastOneOf"),
    (TAGS.validators.excludes_all, "tags", ["a", "b"], [["x"], []], [["b"], ["a"]], "expectedToNotInclude"),
]


@pytest.mark.parametrize(("make", "key", "expected", "passing", "failing", "name"), CASES)
def test_validators_say_why_they_fail(
    make: Any, key: str, expected: Any, passing: Any, failing: Any, name: str
) -> None:
    """FP-96, FP-98: pass, wrong value, missing, expired, with the reason of the table; JSON equality."""
    for value in passing:
        assert reasons(make(expected), stamped(key, value)) == []
        assert reasons(make(expected, 300), stamped(key, value, age_s=300)) == []
        expired = {"message": "expired", "ageInSeconds": 300.001, "maxAgeInSeconds": 300}
        assert reasons(make(expected, 300), stamped(key, value, age_s=300.001)) == [expired]
    for value in failing:
        wrong = {"message": "wrong value", name: expected, "actualValue": value}
        missing = {"message": "value does not exist", name: expected}
        assert reasons(make(expected), stamped(key, value)) == [missing if value is None else wrong]
    assert reasons(make(expected), {}) == [{"message": "value does not exist", name: expected}]


@pytest.mark.parametrize("right", [True, False])
def test_one_is_not_true_and_zero_is_not_false(right: bool) -> None:
    """FP-96, FP-98: is_true, is_false: 1 is not true, 0 is not false."""
    make = FLAG.validators.is_true if right else FLAG.validators.is_false
    assert reasons(make(), stamped("flag", right)) == []
    for value in (not right, int(right), str(right).lower()):
        wrong = {"message": "wrong value", "expectedValue": right, "actualValue": value}
        assert reasons(make(), stamped("flag", value)) == [wrong]
    assert reasons(make(), {}) == [{"message": "value does not exist", "expectedValue": right}]
    for name in ("max_age", "max_age_in_sec", "max_age_in_seconds"):
        failures = reasons(make(**{name: 10}), stamped("flag", right, age_s=11))
        assert failures == [{"message": "expired", "ageInSeconds": 11.0, "maxAgeInSeconds": 10}]


@pytest.mark.parametrize("name", ["max_age_in_sec", "max_age_in_seconds"])
def test_the_age_limit_goes_by_both_of_its_names(name: str) -> None:
    """0.24 spells it differently from one kind of claim to the next."""
    level, tags = LEVEL.validators, TAGS.validators
    expired = {"message": "expired", "ageInSeconds": 11.0, "maxAgeInSeconds": 10}
    assert reasons(level.has_value(1, **{name: 10}), stamped("level", 1, age_s=11)) == [expired]
    for make, expected in (
        (tags.includes, "a"),
        (tags.excludes, "b"),
        (tags.includes_all, ["a"]),
        (tags.includes_any, ["a"]),
        (tags.excludes_all, ["b"]),
    ):
        assert reasons(make(expected, **{name: 10}), stamped("tags", ["a"], age_s=11)) == [expired]


def test_a_validators_id_is_the_claims_key_unless_given() -> None:
    """FP-96: the id is the claim's key unless given."""
    assert LEVEL.validators.has_value(1).id == "level"
    assert LEVEL.validators.has_value(1, id_="own").id == "own"
    assert LEVEL.validators.has_value(1, id_="").id == ""


def test_the_claims_max_age_applies_where_none_is_given() -> None:
    """FP-96: the claim's default applies where none is given; 0 and other numbers replace it."""
    claim = PrimitiveClaim[int]("level", never, default_max_age_in_sec=5)
    old = stamped("level", 3, age_s=6)
    assert [reason["message"] for reason in reasons(claim.validators.has_value(3), old)] == ["expired"]
    assert reasons(claim.validators.has_value(3, 7), old) == []
    fresh = stamped("level", 3, age_s=0.001)
    assert [reason["maxAgeInSeconds"] for reason in reasons(claim.validators.has_value(3, 0), fresh)] == [0]
    assert reasons(LEVEL.validators.has_value(3), stamped("level", 3, age_s=1e9)) == []


# -- refetching ------------------------------------------------------------------------------------


class Fetch:
    """A fetch that counts."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.calls: list[Any] = []

    async def __call__(self, user_id: str, recipe_id: str, tenant: str, payload: Any, context: Any) -> Any:
        self.calls.append((user_id, recipe_id, tenant, payload))
        return self.value


@pytest.mark.parametrize(
    ("payload", "max_age", "fetches"),
    [
        ({}, None, True),
        ({"level": None}, None, True),
        (stamped("level", 3), None, False),
        (stamped("level", 3, age_s=1e9), None, False),
        (stamped("level", 3, age_s=300), 300, False),
        (stamped("level", 3, age_s=300.001), 300, True),
        (stamped("level", 3), 0, False),
        (stamped("level", 3, age_s=0.001), 0, True),
        ({"level": {"v": 3}}, 5, True),
    ],
)
def test_when_a_claim_is_fetched(payload: Any, max_age: int | None, fetches: bool) -> None:
    """FP-97: missing, or older than max_age (0 counts); what was just fetched has no age."""
    fetch = Fetch(3)
    claim = PrimitiveClaim[int]("level", fetch)
    before = repr(payload)
    result = judge("user", payload, [claim.validators.has_value(3, max_age)], {})
    assert result.invalid_claims == []
    assert len(fetch.calls) == fetches
    assert result.access_token_payload_update == ({"level": {"v": 3, "t": NOW}} if fetches else None)
    assert repr(payload) == before


def test_a_value_fetched_while_the_clock_moves_on_passes(clock: Clock) -> None:
    """FP-97: the clock moves on during the fetch, and the fetched value still passes."""

    def fetch(*_: Any) -> int:
        clock.advance(ms=5)
        return 3

    claim = PrimitiveClaim[int]("level", fetch)

    def late(*_: Any) -> int:
        clock.advance(ms=7)
        return 1

    other = PrimitiveClaim[int]("other", late)
    validators = [claim.validators.has_value(3, 0), other.validators.has_value(1, 0)]
    assert judge("user", {}, validators, {}).invalid_claims == []


def test_what_is_passed_to_a_fetch() -> None:
    """FP-97: user id, recipe user id, tenant and payload; each fetch sees what earlier ones wrote."""
    first, second = Fetch(1), Fetch(2)
    claims = [PrimitiveClaim[int]("a", first), PrimitiveClaim[int]("b", second)]
    payload = {"rsub": "recipe-user", "tId": "t1"}
    result = judge("user", payload, [claim.validators.has_value(1) for claim in claims], {})
    assert first.calls == [("user", "recipe-user", "t1", payload)]
    assert second.calls == [("user", "recipe-user", "t1", {**payload, "a": {"v": 1, "t": NOW}})]
    assert [failure.id for failure in result.invalid_claims] == ["b"]
    fallback = Fetch(1)
    judge("user", {}, [PrimitiveClaim[int]("a", fallback).validators.has_value(1)], {})
    assert fallback.calls[0][:3] == ("user", "user", "public")


def test_a_fetch_that_knows_nothing() -> None:
    """FP-97: None leaves the payload alone: the old value is judged, nothing is stored."""
    result = judge("user", stamped("level", 3, age_s=10), [LEVEL.validators.has_value(3, 5)], {})
    assert [failure.reason["message"] for failure in result.invalid_claims] == ["expired"]  # type: ignore[index]
    assert result.access_token_payload_update is None


def test_all_failures_are_reported_in_order() -> None:
    """FP-95: not only the first."""
    validators = [
        LEVEL.validators.has_value(1),
        TAGS.validators.includes("a"),
        FLAG.validators.is_true(),
    ]
    payload = stamped("tags", ["a"])
    result = judge("user", payload, validators, {})
    assert [failure.to_json() for failure in result.invalid_claims] == [
        {"id": "level", "reason": {"message": "value does not exist", "expectedValue": 1}},
        {"id": "flag", "reason": {"message": "value does not exist", "expectedValue": True}},
    ]


def test_a_validator_that_never_refetches() -> None:
    """FP-97: a claim alone is no reason to fetch; `should_refetch` says no unless it is written."""

    class Present(SessionClaimValidator):
        def __init__(self, claim: PrimitiveClaim[int]) -> None:
            super().__init__("present")
            self.claim = claim

        async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> Any:
            return ClaimValidationResult("level" in payload, "not there")

    fetch = Fetch(3)
    validator = Present(PrimitiveClaim[int]("level", fetch))
    assert reasons(validator, {}) == ["not there"]
    assert reasons(validator, stamped("level", 1)) == []
    assert fetch.calls == []


def test_an_overridden_validate_is_asked_and_may_ask_ours() -> None:
    """FP-96: what an application writes is asked, and may ask the built-in one."""

    class Lenient(HasValueSCV[int]):
        async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> Any:
            if user_context.get("admin"):
                return ClaimValidationResult(True)
            return await super().validate(payload, user_context)

    validator = Lenient(LEVEL, 3, None, "lenient")
    wrong = {"message": "wrong value", "expectedValue": 3, "actualValue": 4}
    for payload, context, expected in (
        (stamped("level", 3), {}, []),
        (stamped("level", 4), {}, [wrong]),
        (stamped("level", 4), {"admin": True}, []),
    ):
        result = judge("user", payload, [validator], context)
        assert [failure.reason for failure in result.invalid_claims] == expected


def test_validating_in_a_payload_never_fetches() -> None:
    """FP-96: `validate_claims_in_jwt_payload` never fetches."""
    fetch = Fetch(3)
    validator = PrimitiveClaim[int]("level", fetch).validators.has_value(3)
    assert len(judge("user", {}, [validator], {}, refetch=False).invalid_claims) == 1
    assert fetch.calls == []
