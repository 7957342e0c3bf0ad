"""Contacts, texts and settings, without a database."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

import phonenumbers
import pytest

from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.recipe import passwordless
from supertokens_py.recipe.passwordless import (
    ContactEmailOnlyConfig,
    ContactEmailOrPhoneConfig,
    ContactPhoneOnlyConfig,
    SuperTokensSMSService,
)
from supertokens_py.recipe.passwordless.contacts import (
    default_validate_phone_number,
    e164_of,
    stored_contact,
)
from supertokens_py.recipe.passwordless.factors import factors_of, narrowed
from supertokens_py.recipe.passwordless.letters import duration_in_words
from supertokens_py.recipe.passwordless.requests import contact_of, presented_of, sent_again_of

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+1 (650) 253-0000", "+16502530000"),
        ("+16502530000", "+16502530000"),
        (" +1.650.253/0000 ", "+16502530000"),
        ("+49 (0)30 901820", "+4930901820"),
        ("+39 06 6982", "+39066982"),
        ("+1 650 253 0000 ext. 12", None),
        ("tel:+16502530000", None),
        ("+49tel:2530000;phone-context=+1650", None),
        ("+49 TEL:2530000;PHONE-CONTEXT=+1650", None),
        ("+49;phone-context=+1650", None),
        ("+49 30 +1 650 253 0000", None),
        ("+1650LETTERS", None),
        ("+\uff11\uff16\uff15\uff10\uff12\uff15\uff13\uff10\uff10\uff10\uff10", None),
        ("6502530000", None),
        ("9999999999", None),
        ("+1", None),
        ("", None),
        ("+1650253000099999", None),
        ("ada@example.com", None),
        ("+1" + "6" * 10_000, None),
    ],
)
def test_phone_numbers(typed: str, stored: str | None) -> None:
    """SI-47: they begin with `+` and the country's code, and nothing in them leads to another number."""
    assert e164_of(typed) == stored
    assert stored_contact(None, typed) == (None, stored or typed.strip())


@pytest.mark.parametrize("number", ["+19002345678", "+449098790879", "+448712002233", "+4918012345678"])
async def test_numbers_that_cost_extra_are_refused(number: str) -> None:
    """Premium rates and shared costs; an application's own check may allow them."""
    assert e164_of(number) == number
    assert await default_validate_phone_number(number, "public") == "Phone number is invalid"
    assert await default_validate_phone_number("+16502530000", "public") is None


def test_a_stored_number_is_read_as_itself() -> None:
    """The form that is checked is read again where the message is counted and sent."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is not None:
            stored = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
            assert e164_of(stored) == stored


def test_addresses_are_stored_in_lower_case() -> None:
    assert stored_contact(" Ada@Example.com ", None) == ("ada@example.com", None)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (1_000, "1 second"),
        (45_000, "45 seconds"),
        (60_000, "1 minute"),
        (900_000, "15 minutes"),
        (3_600_000, "1 hour"),
        (5_400_000, "1.5 hours"),
        (7_200_000, "2 hours"),
    ],
)
def test_lifetimes_in_words(milliseconds: int, words: str) -> None:
    assert duration_in_words(milliseconds) == words


@pytest.mark.parametrize("flow", ["USER_INPUT_CODE", "MAGIC_LINK", "USER_INPUT_CODE_AND_MAGIC_LINK"])
@pytest.mark.parametrize("is_phone", [False, True])
def test_factors_and_flows_say_the_same(flow: str, is_phone: bool) -> None:
    assert narrowed(factors_of(flow, is_phone=is_phone)) == flow


# -- requests ----------------------------------------------------------------------------------------

BOTH, EMAIL, PHONE = ContactEmailOrPhoneConfig(), ContactEmailOnlyConfig(), ContactPhoneOnlyConfig()


@pytest.mark.parametrize(
    ("body", "config", "message"),
    [
        ({}, BOTH, "Please provide exactly one of email or phoneNumber"),
        ({"email": None}, BOTH, "Please provide exactly one of email or phoneNumber"),
        ({"email": "a", "phoneNumber": "b"}, BOTH, "Please provide exactly one of email or phoneNumber"),
        (
            {"phoneNumber": "b"},
            EMAIL,
            'Please provide an email since you have set the contactMethod to "EMAIL"',
        ),
        (
            {"email": "a"},
            PHONE,
            'Please provide a phoneNumber since you have set the contactMethod to "PHONE"',
        ),
        ({"email": 1}, BOTH, "email must be a string"),
        ({"phoneNumber": ["1"]}, PHONE, "phoneNumber must be a string"),
        ({"email": "x" * 513}, BOTH, "email is too long"),
    ],
)
def test_what_names_no_contact_is_refused(body: Any, config: Any, message: str) -> None:
    """SI-10."""
    with pytest.raises(BadInputError) as raised:
        contact_of(body, config)
    assert str(raised.value) == message


ONE_PROOF = "Please provide one of (linkCode) or (deviceId+userInputCode) and not both"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Please provide preAuthSessionId"),
        ({"preAuthSessionId": 1}, "preAuthSessionId must be a string"),
        ({"preAuthSessionId": "a"}, ONE_PROOF),
        ({"preAuthSessionId": "a", "linkCode": "b", "userInputCode": "c"}, ONE_PROOF),
        ({"preAuthSessionId": "a", "linkCode": "b", "deviceId": "c"}, ONE_PROOF),
        ({"preAuthSessionId": "a", "deviceId": "c"}, "Please provide both deviceId and userInputCode"),
        ({"preAuthSessionId": "a", "userInputCode": "c"}, "Please provide both deviceId and userInputCode"),
        ({"preAuthSessionId": "a", "linkCode": 5}, "linkCode must be a string"),
        (
            {"preAuthSessionId": "a", "deviceId": "b", "userInputCode": 123456},
            "userInputCode must be a string",
        ),
        ({"preAuthSessionId": "a", "linkCode": "b" * 1_000_000}, "linkCode is too long"),
    ],
)
def test_what_is_no_code_is_refused(body: Any, message: str) -> None:
    """SI-10."""
    with pytest.raises(BadInputError) as raised:
        presented_of(body)
    assert str(raised.value) == message


def test_what_names_no_device_is_refused() -> None:
    for body, message in (({}, "preAuthSessionId"), ({"preAuthSessionId": "a"}, "deviceId")):
        with pytest.raises(BadInputError, match=f"Please provide {message}"):
            sent_again_of(body)


def test_nothing_that_signs_in_is_shown() -> None:
    presented = presented_of({"preAuthSessionId": "a", "deviceId": "b-device", "userInputCode": "123456"})
    assert "b-device" not in repr(presented)
    assert "123456" not in repr(presented)
    assert repr(presented.user_input_code) == "'***'"
    assert presented_of({"preAuthSessionId": "a=", "linkCode": "b"}).pre_auth_session_id == "a"


# -- settings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"contact_config": "EMAIL"}, "contact_config must be an instance of ContactPhoneOnlyConfig"),
        ({"flow_type": "CODE"}, "flow_type must be one of USER_INPUT_CODE, MAGIC_LINK"),
        ({"get_custom_user_input_code": "123"}, "get_custom_user_input_code must be a function"),
        ({"email_delivery": 1}, "email_delivery must be a EmailDeliveryConfig or None"),
        ({"sms_delivery": 1}, "sms_delivery must be a SMSDeliveryConfig or None"),
        ({"override": 1}, "override must be an instance of InputOverrideConfig"),
    ],
)
def test_settings_that_cannot_work_are_refused(arguments: dict[str, Any], text: str) -> None:
    given: dict[str, Any] = {"contact_config": EMAIL, "flow_type": "MAGIC_LINK", **arguments}
    with pytest.raises(ValueError, match=text):
        passwordless.init(**given)


def test_a_misspelt_argument_is_named() -> None:
    with pytest.raises(TypeError, match="did you mean flow_type"):
        passwordless.init(EMAIL, flow_typ="MAGIC_LINK")  # type: ignore[call-arg]


@pytest.mark.parametrize("kind", [ContactEmailOnlyConfig, ContactPhoneOnlyConfig])
def test_checks_must_be_functions(kind: Any) -> None:
    with pytest.raises(ConfigError, match="must be functions"):
        kind("not one")


def test_phone_numbers_need_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Said where the contact is configured, with what to install; addresses do without it."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        "supertokens_py.recipe.passwordless.contacts.find_spec",
        lambda name: None if name == "phonenumbers" else find_spec(name),
    )
    for kind in (ContactPhoneOnlyConfig, ContactEmailOrPhoneConfig):
        with pytest.raises(ConfigError, match=r"needs.* the extra 'phone' \(docs/installation.md\)"):
            kind()
    ContactEmailOnlyConfig()


def test_the_vendors_service_names_what_to_use() -> None:
    with pytest.raises(ConfigError, match=r"use passwordless\.TwilioService"):
        SuperTokensSMSService("key")


def test_nothing_is_loaded_before_it_is_needed() -> None:
    """Neither an HTTP client nor the library of phone numbers, for a site that signs in by e-mail."""
    script = (
        "import sys\n"
        "from supertokens_py.recipe import passwordless\n"
        "passwordless.init(passwordless.ContactEmailOnlyConfig(), 'MAGIC_LINK')\n"
        "print([name for name in ('httpx2', 'phonenumbers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
