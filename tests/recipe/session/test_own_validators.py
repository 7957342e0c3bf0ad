"""Validators that an application changes, wherever it writes its code, and values that are of no use."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session
from supertokens_py.recipe.session.claim_base_classes.primitive_array_claim import ExcludesSCV, IncludesSCV
from supertokens_py.recipe.session.claim_base_classes.primitive_claim import HasValueSCV
from supertokens_py.recipe.session.claims import PrimitiveArrayClaim, PrimitiveClaim
from supertokens_py.recipe.session.exceptions import InvalidClaimsError
from supertokens_py.recipe.session.interfaces import ClaimValidationResult, SessionClaimValidator
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_session_without_request_response,
)

TAGS = PrimitiveArrayClaim[Any]("tags", lambda *_: ["admin"])
LEVEL = PrimitiveClaim[Any]("level", lambda *_: 3)


@pytest.fixture(autouse=True)
def token() -> Iterator[str]:
    """An access token with both claims in it."""
    Supertokens.reset()
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init()],
    )
    payload = {**TAGS.add_to_payload_({}, ["admin"]), **LEVEL.add_to_payload_({}, 3)}
    yield create_new_session_without_request_response("public", "ada", payload).get_access_token()
    Supertokens.reset()


def failures(token: str, *validators: SessionClaimValidator) -> list[Any]:
    """Verify the token on a route with these validators; return what the 403 would list."""
    try:
        get_session_without_request_response(
            token, override_global_claim_validators=lambda *_: list(validators)
        )
    except InvalidClaimsError as error:
        return [failure.reason for failure in error.payload]
    return []


# -- a validate that always fails always fails ------------------------------------------------------


async def refuse(self: Any, payload: Any, user_context: Any) -> ClaimValidationResult:
    return ClaimValidationResult(False, "blocked")


def refuse_at_once(payload: Any, user_context: Any) -> ClaimValidationResult:
    return ClaimValidationResult(False, "blocked")


class Refusing:
    """A mixin that knows nothing of our classes."""

    validate = refuse


class RefusingValidator(SessionClaimValidator):
    """The same as a validator of its own."""

    validate = refuse


class InClass(IncludesSCV[Any]):
    validate = refuse


class InBase(InClass):
    pass


class InMixin(Refusing, IncludesSCV[Any]):
    pass


class InSubclassOfMixin(InMixin):
    pass


class InDiamond(RefusingValidator, IncludesSCV[Any]):
    pass


def on_the_class(patch: pytest.MonkeyPatch) -> Any:
    class Plain(IncludesSCV[Any]):
        pass

    patch.setattr(Plain, "validate", refuse)
    return Plain(TAGS, "admin", None, None)


def on_our_class(patch: pytest.MonkeyPatch) -> Any:
    patch.setattr(IncludesSCV, "validate", refuse)
    return TAGS.validators.includes("admin")


def on_our_base(patch: pytest.MonkeyPatch) -> Any:
    patch.setattr(IncludesSCV.__mro__[2], "validate", refuse)
    return TAGS.validators.includes("admin")


def on_the_instance(patch: pytest.MonkeyPatch) -> Any:
    made = TAGS.validators.includes("admin")
    made.validate = refuse_at_once  # type: ignore[method-assign,assignment]
    return made


def with_a_partial(patch: pytest.MonkeyPatch) -> Any:
    made = TAGS.validators.includes("admin")
    made.validate = functools.partial(refuse, made)  # type: ignore[method-assign]
    return made


def with_a_partial_in_the_class(patch: pytest.MonkeyPatch) -> Any:
    class Partial(IncludesSCV[Any]):
        validate = functools.partialmethod(refuse)  # type: ignore[assignment]

    return Partial(TAGS, "admin", None, None)


PLACES: list[Any] = [
    *(
        pytest.param(lambda _, kind=kind: kind(TAGS, "admin", None, None), id=kind.__name__)
        for kind in (InClass, InBase, InMixin, InSubclassOfMixin, InDiamond)
    ),
    on_the_class,
    on_our_class,
    on_our_base,
    on_the_instance,
    with_a_partial,
    with_a_partial_in_the_class,
]


@pytest.mark.parametrize("make", PLACES)
def test_validate_is_called_wherever_it_is_written(
    make: Callable[[pytest.MonkeyPatch], Any], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FP-96: the claim itself would pass; the application's `validate` decides."""
    assert failures(token, TAGS.validators.includes("admin")) == []
    assert failures(token, make(monkeypatch)) == ["blocked"]


@pytest.mark.parametrize("name", ["accepts", "evaluate", "should_refetch"])
@pytest.mark.parametrize("where", ["class", "mixin", "instance"])
def test_so_are_the_other_methods(name: str, where: str, token: str) -> None:
    """FP-96, FP-97: the steps that `validate` consists of, and `should_refetch`."""
    fetched: list[str] = []

    def fetch(user_id: str, tenant_id: str, user_context: Any) -> list[str]:
        fetched.append(user_id)
        return ["blocked"]

    answers: dict[str, Any] = {
        "accepts": lambda value: False,
        "evaluate": lambda payload, just_fetched: ClaimValidationResult(False, "blocked"),
        "should_refetch": lambda payload, user_context: True,
    }
    claim, own = PrimitiveArrayClaim[Any]("tags", fetch), answers[name]
    written: dict[str, Any] = {name: lambda self, *args, **kwargs: own(*args, **kwargs)}
    if where == "class":
        validator: Any = type("Own", (IncludesSCV,), written)(claim, "admin", None, None)
    elif where == "mixin":
        validator = type("Own", (type("Mixin", (), written), IncludesSCV), {})(claim, "admin", None, None)
    else:
        validator = claim.validators.includes("admin")
        setattr(validator, name, own)
    assert len(failures(token, validator)) == 1
    assert fetched == (["ada"] if name == "should_refetch" else [])


def test_a_claim_that_reads_in_its_own_way(token: str) -> None:
    """FP-96: a claim's own `get_value_from_payload` decides what is in the payload."""

    class Hidden(PrimitiveClaim[Any]):
        def get_value_from_payload(self, payload: Any, user_context: Any = None) -> Any:
            payload.clear()
            return 4

    wrong = [{"message": "wrong value", "expectedValue": 3, "actualValue": 4}]
    assert failures(token, Hidden("level", lambda *_: 3).validators.has_value(3)) == wrong
    assigned = PrimitiveClaim[Any]("level", lambda *_: 3)
    assigned.get_value_from_payload = lambda *_: 4  # type: ignore[method-assign]
    assert failures(token, assigned.validators.has_value(3)) == wrong
    assert failures(token, LEVEL.validators.has_value(3)) == []


def test_a_validate_that_python_would_never_call(token: str) -> None:
    """FP-96: below a built-in validator in the order of bases; refused where the class is defined."""
    for mixin in (Refusing, RefusingValidator):
        with pytest.raises(TypeError, match=rf"{mixin.__name__}.validate is never called in Late"):
            type("Late", (IncludesSCV, mixin), {})


# -- the application gets a payload of its own ------------------------------------------------------


class Consuming(ExcludesSCV[Any]):
    """Empties what it gets."""

    def accepts(self, value: list[Any]) -> bool:
        value.clear()
        return True


class ConsumingAll(SessionClaimValidator):
    """Empties what it gets, in each of its methods."""

    def __init__(self, claim: Any = None) -> None:
        super().__init__("consuming")
        self.claim = claim

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        self._consume(payload)
        return self.claim is not None

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        self._consume(payload)
        return ClaimValidationResult(True)

    def _consume(self, payload: dict[str, Any]) -> None:
        payload["tags"]["v"].clear()
        payload.clear()


def fetch_and_consume(user: Any, recipe_user: Any, tenant: Any, payload: dict[str, Any], context: Any) -> int:
    payload["tags"]["v"].clear()
    payload.clear()
    return 3


@pytest.mark.parametrize(
    "validator",
    [
        Consuming(TAGS, "banned", None, None),
        ConsumingAll(),
        ConsumingAll(PrimitiveClaim[int]("level", fetch_and_consume)),
    ],
)
def test_a_validator_that_changes_the_payload(validator: Any, token: str) -> None:
    """FP-96: neither the validators after it nor later requests with the same token notice."""
    banned = [{"message": "wrong value", "expectedToNotInclude": "admin", "actualValue": ["admin"]}]
    for _ in range(3):
        assert failures(token, validator, TAGS.validators.excludes("admin")) == banned
        assert failures(token, TAGS.validators.includes("admin")) == []


# -- values that are no lists -----------------------------------------------------------------------


@pytest.mark.parametrize("value", ["banned", "admin", "", 0, 5, True, False, {"admin": 1}, {}, 1.5])
def test_an_array_validator_fails_for_a_value_that_is_no_list(value: Any) -> None:
    """FP-96: wrong value, for those that exclude as well; `None` and no member are no value at all."""
    make = TAGS.validators
    validators = [
        make.includes("a"),
        make.excludes("banned"),
        make.includes_all([]),
        make.includes_all(["a"]),
        make.includes_any(["a"]),
        make.excludes_all([]),
        make.excludes_all(["banned"]),
        Consuming(TAGS, "banned", None, None),
    ]
    payload = TAGS.add_to_payload_({}, value)
    token = create_new_session_without_request_response("public", "ada", payload).get_access_token()
    messages = [reason["message"] for reason in failures(token, *validators)]
    assert messages == ["wrong value"] * len(validators)


def test_an_array_claim_without_a_value() -> None:
    """FP-96: where the fetch knows nothing, every array validator fails."""
    unknown = PrimitiveArrayClaim[Any]("unknown", lambda *_: None)
    make = unknown.validators
    for member in ({}, {"unknown": {"v": None, "t": 1}}):
        made = create_new_session_without_request_response("public", "ada", member)
        found = failures(
            made.get_access_token(), make.excludes("x"), make.excludes_all([]), make.includes_all([])
        )
        assert [reason["message"] for reason in found] == ["value does not exist"] * 3


# -- expectations without a JSON form ---------------------------------------------------------------


class Plain(Enum):
    ADMIN = "admin"


class Text(StrEnum):
    ADMIN = "admin"


SOME_ID = uuid.UUID("0c6b3a5e-3f0a-4c8b-9d3e-2f1d5b7a9c11")  # names of tests are the same in every process


class Opaque:
    """A value without JSON form."""

    def __repr__(self) -> str:
        return "Opaque()"


NO_JSON: list[Any] = [SOME_ID, Decimal(1), Plain.ADMIN, b"admin", float("nan"), Opaque(), {"admin"}]


@pytest.mark.parametrize("value", [*NO_JSON, {"a": SOME_ID}, [Plain.ADMIN], {1: "a"}], ids=repr)
def test_an_expected_value_without_json_form(value: Any) -> None:
    """FP-96: it could never match, so it is refused where the validator is made."""
    for make in (LEVEL.validators.has_value, TAGS.validators.includes, TAGS.validators.excludes):
        with pytest.raises(ConfigError, match="expected value"):
            make(value)
    with pytest.raises(ConfigError):
        HasValueSCV(LEVEL, value, None, None)


@pytest.mark.parametrize(
    "values", ["admin", b"admin", 5, None, {"admin": 1}, *([v] for v in NO_JSON)], ids=repr
)
def test_expected_values_that_are_no_list(values: Any) -> None:
    """FP-96: one string is no list of its letters."""
    make = TAGS.validators
    for several in (make.includes_all, make.includes_any, make.excludes_all):
        with pytest.raises(ConfigError, match="expected value"):
            several(values)


@pytest.mark.parametrize(
    "values", [["admin", "x"], ("admin", "x"), {"admin": 1, "x": 2}.keys(), (v for v in ("admin", "x"))]
)
def test_every_other_iterable_is_a_list(values: Any, token: str) -> None:
    """FP-96: it may be asked again and again; a generator would be used up."""
    validator = TAGS.validators.excludes_all(values)
    wrong = {"message": "wrong value", "expectedToNotInclude": ["admin", "x"], "actualValue": ["admin"]}
    assert [failures(token, validator) for _ in range(2)] == [[wrong], [wrong]]


def test_what_has_a_json_form_is_compared_in_it(token: str) -> None:
    """FP-98: members of a text enum, tuples, sets of texts."""
    make = TAGS.validators
    assert failures(token, make.includes(Text.ADMIN), make.includes_any({Text.ADMIN})) == []
    pair = PrimitiveClaim[Any]("pair", lambda *_: ("a", 1))
    assert failures(token, pair.validators.has_value(("a", 1))) == []
