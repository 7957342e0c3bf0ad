"""What one side of the interface writes, the other reads: nothing is lost, in any version."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supertokens_py.cdi import records
from supertokens_py.cdi.tenant_members import association_to_wire, refusal_from_wire
from supertokens_py.cdi.third_party import providers_from_wire
from supertokens_py.cdi.versions import OFFERED, SPOKEN, Version
from supertokens_py.engine.code_records import PhoneNumberTaken
from supertokens_py.engine.records import (
    IssuedSession,
    IssuedToken,
    Regenerated,
    StoredSession,
    Tenant,
    TokenTheft,
)
from supertokens_py.engine.tenant_members import AccountTaken, Association, AssociationNotAllowed
from supertokens_py.engine.user_records import EmailTaken, UnknownUser
from supertokens_py.exceptions import EngineUnavailableError

TEXT = st.text(max_size=12)
TIMES = st.integers(0, 2**53)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4)
TOKENS = st.builds(IssuedToken, TEXT, TIMES, TIMES)
WHO: dict[str, Any] = {
    "handle": TEXT,
    "user_id": TEXT,
    "recipe_user_id": TEXT,
    "tenant_id": TEXT.filter(bool),
    "payload": OBJECTS,
}
VERSIONS = st.sampled_from(OFFERED)
FACTORS = st.none() | st.lists(
    st.sampled_from(["emailpassword", "thirdparty", "otp-email", "totp"]), unique=True
)
TENANTS = st.builds(
    Tenant,
    tenant_id=TEXT,
    core_config=OBJECTS,
    first_factors=FACTORS,
    required_secondary_factors=FACTORS,
    email_password_enabled=st.booleans(),
    passwordless_enabled=st.booleans(),
    third_party_enabled=st.booleans(),
)


def over_the_wire(answer: Any) -> Any:
    return json.loads(json.dumps(answer))


def as_known_to(version: Version, record: Any) -> Any:
    """Below CDI 4.0 a user is one login method."""
    return record if version >= (4, 0) else replace(record, recipe_user_id=record.user_id)


@given(
    st.builds(
        IssuedSession, **WHO, access_token=TOKENS, refresh_token=TOKENS, anti_csrf_token=st.none() | TEXT
    ),
    VERSIONS,
)
def test_an_issued_session_survives_the_wire(issued: IssuedSession, version: Version) -> None:
    wire = over_the_wire(records.issued_to_wire(issued, version))
    assert records.issued_from_wire(wire) == as_known_to(version, issued)
    assert ("recipeUserId" in wire["session"]) is (version >= (4, 0))


@given(st.builds(Regenerated, **WHO, access_token=st.none() | TOKENS), VERSIONS)
def test_a_regenerated_session_survives_the_wire(outcome: Regenerated, version: Version) -> None:
    wire = over_the_wire(records.regenerated_to_wire(outcome, version))
    assert records.regenerated_from_wire(wire) == as_known_to(version, outcome)


@given(st.builds(StoredSession, **WHO, data=OBJECTS, expires_ms=TIMES, created_ms=TIMES), VERSIONS)
def test_a_stored_session_survives_the_wire(stored: StoredSession, version: Version) -> None:
    wire = over_the_wire(records.stored_to_wire(stored, version))
    assert records.stored_from_wire(wire) == as_known_to(version, stored)


SUBTYPES = st.sampled_from([None, "RECENT_PREV", "ORPHANED_BRANCH", "STALE_LINEAGE"])


@given(st.builds(TokenTheft, handle=TEXT, user_id=TEXT, recipe_user_id=TEXT, reuse=SUBTYPES), VERSIONS)
def test_a_theft_survives_the_wire(theft: TokenTheft, version: Version) -> None:
    wire = over_the_wire(records.theft_to_wire(theft, version))
    reuse = theft.reuse if version >= (5, 6) else None
    assert records.theft_from_wire(wire) == replace(as_known_to(version, theft), reuse=reuse)


@given(TENANTS)
def test_a_tenant_survives_the_wire(tenant: Tenant) -> None:
    """The present shape has no switches: they read as on."""
    read = records.tenant_from_wire(over_the_wire(records.tenant_to_wire(tenant)))
    on = {"email_password_enabled": True, "passwordless_enabled": True, "third_party_enabled": True}
    assert read == replace(tenant, **on)


@given(TENANTS, VERSIONS)
def test_tenants_with_switches(tenant: Tenant, version: Version) -> None:
    """A switch is on if the recipe is enabled, and its factors, where they are listed, are not left out."""
    read = records.tenant_from_wire(over_the_wire(records.tenant_v1_to_wire(tenant, version)))
    factors = tenant.first_factors
    assert read.email_password_enabled is (
        tenant.email_password_enabled and (factors is None or "emailpassword" in factors)
    )
    assert read.passwordless_enabled is (
        tenant.passwordless_enabled and (factors is None or "otp-email" in factors)
    )
    assert (read.first_factors, read.required_secondary_factors) == (
        (factors, tenant.required_secondary_factors) if version >= (5, 0) else (None, None)
    )


@pytest.mark.parametrize("text", ["5", "5.6.1", "", "a.b", "5.", " 5.6", "55555.1"])
def test_strings_that_are_no_version(text: str) -> None:
    assert Version.parse(text) is None


def test_versions_compare_by_number() -> None:
    assert Version(2, 21) < Version(3, 0) < Version(5, 6) < Version(5, 10)
    assert [str(version) for version in OFFERED] == [
        "3.0", "3.1", "4.0", "5.0", "5.1", "5.2", "5.3", "5.4", "5.5", "5.6",
    ]  # fmt: skip
    assert min(SPOKEN) == (5, 0)


@pytest.mark.parametrize(
    "outcome",
    [
        UnknownUser(),
        EmailTaken(),
        PhoneNumberTaken(),
        AccountTaken(),
        AssociationNotAllowed("the user is linked"),
    ],
)
def test_why_a_user_does_not_join_a_tenant_survives_the_wire(outcome: Association) -> None:
    assert refusal_from_wire(over_the_wire(association_to_wire(outcome))) == outcome


def test_providers_that_are_none_are_an_odd_answer() -> None:
    """`thirdPartyId` is a string."""
    message = "the SuperTokens core gave an answer that cannot be understood: "
    with pytest.raises(EngineUnavailableError, match=message):
        providers_from_wire({"thirdParty": {"providers": [{"thirdPartyId": 1}]}})
