"""Payloads as dataclasses, pydantic models and TypedDicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, TypedDict

import pydantic
import pytest

from supertokens_py.exceptions import ConfigError, PayloadTypeError
from supertokens_py.recipe.session.session_tokens.typed_payloads import read_payload, require_readable

pytestmark = pytest.mark.quick


@dataclass
class Address:
    city: str
    zip: str | None = None


class Extra(TypedDict, total=False):
    note: str


@dataclass(frozen=True, kw_only=True)
class Shop:
    plan: Literal["free", "pro"]
    seats: int = 1
    rate: float = 0.5
    tags: list[str] = field(default_factory=lambda: [])
    limits: dict[str, int] = field(default_factory=lambda: {})
    home: Address | None = None
    nothing: None = None
    anything: Any = None
    bare: Annotated[list, "of anything"] = field(default_factory=lambda: [])  # type: ignore[type-arg]
    extra: Extra = field(default_factory=lambda: Extra())
    derived: int = field(init=False, default=7)


class Model(pydantic.BaseModel):
    plan: Literal["free", "pro"]
    since: datetime | None = None
    home: Address | None = None


@pydantic.dataclasses.dataclass
class Checked:
    plan: Annotated[str, pydantic.Field(max_length=4)]


@dataclass
class WithModel:
    inner: Model


def test_claims_become_fields_and_others_are_left_out() -> None:
    """Nested dataclasses too; fields with a default may be missing."""
    payload = {
        "sub": "ada",
        "st-role": {"v": [], "t": 1},
        "plan": "pro",
        "rate": 1,
        "tags": ["a"],
        "limits": {"b": 2},
        "home": {"city": "London", "street": "not asked for"},
        "anything": [1],
        "bare": [1, "a"],
        "extra": {"note": "x"},
        "derived": 1,
    }
    assert read_payload(Shop, payload) == Shop(
        plan="pro",
        rate=1,
        tags=["a"],
        limits={"b": 2},
        home=Address("London"),
        anything=[1],
        bare=[1, "a"],
        extra={"note": "x"},
    )
    assert read_payload(Shop, {"plan": "free"}) == Shop(plan="free")


def test_models_of_pydantic_convert_as_they_do() -> None:
    model = read_payload(Model, {"sub": "ada", "plan": "pro", "since": "2026-01-02T03:04:05"})
    assert model.since == datetime(2026, 1, 2, 3, 4, 5)
    assert read_payload(Checked, {"plan": "free"}).plan == "free"
    assert read_payload(WithModel, {"inner": {"plan": "free"}}).inner == Model(plan="free")


def test_typed_dicts_and_dicts_are_the_payload_itself() -> None:
    payload: dict[str, Any] = {"note": 1}
    assert read_payload(Extra, payload) is payload
    assert read_payload(dict, payload) is payload


@pytest.mark.parametrize(
    ("kind", "payload", "field", "problem"),
    [
        (Shop, {}, "plan", "missing"),
        (Shop, {"plan": "gold"}, "plan", "expected one of ('free', 'pro')"),
        (Shop, {"plan": "pro", "seats": "3"}, "seats", "expected int, not str"),
        (Shop, {"plan": "pro", "seats": True}, "seats", "expected int, not bool"),
        (Shop, {"plan": "pro", "seats": 1.5}, "seats", "expected int, not float"),
        (Shop, {"plan": "pro", "seats": None}, "seats", "expected int, not None"),
        (Shop, {"plan": "pro", "rate": True}, "rate", "expected float, not bool"),
        (Shop, {"plan": "pro", "tags": ["a", 1]}, "tags.1", "expected str, not int"),
        (Shop, {"plan": "pro", "tags": "a"}, "tags", "expected list, not str"),
        (Shop, {"plan": "pro", "limits": {"b": "2"}}, "limits.b", "expected int, not str"),
        (Shop, {"plan": "pro", "limits": [1]}, "limits", "expected dict, not list"),
        (Shop, {"plan": "pro", "nothing": 0}, "nothing", "expected None, not int"),
        (Model, {}, "plan", "Field required"),
        (Model, {"plan": "gold"}, "plan", "Input should be 'free' or 'pro'"),
        (Model, {"plan": "pro", "home": {"city": 1}}, "home.city", "Input should be a valid string"),
        (WithModel, {"inner": {}}, "inner.plan", "Field required"),
        (Address, {"city": "a", "zip": 1}, "zip", "expected str | None, not int"),
    ],
)
def test_what_does_not_fit_names_the_field_and_no_value(
    kind: type[Any], payload: dict[str, Any], field: str, problem: str
) -> None:
    """Values are data of users, and error trackers collect what errors and their causes say."""
    with pytest.raises(PayloadTypeError) as caught:
        read_payload(kind, payload)
    assert caught.value.field == field
    assert str(caught.value).endswith(f": {field}: {problem}")
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


def test_an_object_that_is_none() -> None:
    """The whole of a nested dataclass may be something else."""
    with pytest.raises(PayloadTypeError, match=r"home: expected tests\..*Address \| None, not str"):
        read_payload(Shop, {"plan": "pro", "home": "London"})


@dataclass
class Dated:
    since: datetime


@dataclass
class Keyed:
    by_number: dict[int, str]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (lambda: Shop, None),
        (lambda: str, "payload must be a TypedDict, a dataclass or a pydantic model, not <class 'str'>"),
        (lambda: [], r"payload must be a TypedDict, a dataclass or a pydantic model, not \[\]"),
        (lambda: Shop(plan="pro"), "payload must be a TypedDict"),
        (lambda: Dated, "Dated has a field of type <class 'datetime.datetime'>, which JSON cannot hold"),
        (lambda: Keyed, r"Keyed has a field of type dict\[int, str\]"),
    ],
)
def test_what_payloads_can_be_read_as(kind: Callable[[], Any], message: str | None) -> None:
    """Found where the route is written, not at the first request."""
    if message is None:
        require_readable(kind())
        return
    with pytest.raises(ConfigError, match=message):
        require_readable(kind())
