"""Mappings of ids that a core keeps."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.engine.id_mapping import MappingExists, UserIdMapping
from supertokens_py.engine.user_records import UnknownUser
from supertokens_py.exceptions import BadInputError, EngineUnavailableError

from .cores import Core, engine_over

PATH = "/recipe/userid/map"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"status": "OK"}, None),
        ({"status": "UNKNOWN_SUPERTOKENS_USER_ID_ERROR"}, UnknownUser()),
        (
            {
                "status": "USER_ID_MAPPING_ALREADY_EXISTS_ERROR",
                "doesSuperTokensUserIdExist": True,
                "doesExternalUserIdExist": False,
            },
            MappingExists(user_id=True, external_id=False),
        ),
    ],
)
def test_a_mapping_is_made(answer: dict[str, Any], result: object) -> None:
    core = Core({f"POST {PATH}": answer})
    assert engine_over(core).id_mappings.create("internal", "42", "note", force=True) == result
    assert core.body() == {
        "superTokensUserId": "internal",
        "externalUserId": "42",
        "externalUserIdInfo": "note",
        "force": True,
    }


def test_a_refusal_is_the_callers_error() -> None:
    core = Core({f"POST {PATH}": (400, "UserId is already in use in Session recipe")})
    with pytest.raises(BadInputError, match="UserId is already in use in Session recipe"):
        engine_over(core).id_mappings.create("internal", "42", None, force=False)
    assert "externalUserIdInfo" not in core.body()


def test_a_mapping_is_found_changed_and_deleted() -> None:
    known = {"status": "OK", "superTokensUserId": "internal", "externalUserId": "42"}
    core = Core(
        {
            f"GET {PATH}": known | {"externalUserIdInfo": "note"},
            "PUT /recipe/userid/external-user-id-info": {"status": "OK"},
            f"POST {PATH}/remove": {"status": "OK", "didMappingExist": True},
        }
    )
    mappings = engine_over(core).id_mappings
    assert mappings.find("42", "EXTERNAL") == UserIdMapping("internal", "42", "note")
    assert dict(core.requests[-1].url.params) == {"userId": "42", "userIdType": "EXTERNAL"}
    core.answers[f"GET {PATH}"] = known
    assert mappings.find("42") == UserIdMapping("internal", "42", None)
    assert mappings.set_info("42", "ANY", None) is True
    assert core.body() == {"userId": "42", "userIdType": "ANY", "externalUserIdInfo": None}
    assert mappings.delete("42", force=True) is True
    assert core.body() == {"userId": "42", "userIdType": "ANY", "force": True}


def test_what_is_unknown_is_no_error() -> None:
    unknown = {"status": "UNKNOWN_MAPPING_ERROR"}
    core = Core({f"GET {PATH}": unknown, "PUT /recipe/userid/external-user-id-info": unknown})
    mappings = engine_over(core).id_mappings
    assert mappings.find("42") is None
    assert mappings.set_info("42", "ANY", "x") is False


def test_nothing_is_asked_for_an_id_that_cannot_be_one() -> None:
    core = Core()
    mappings = engine_over(core).id_mappings
    assert mappings.create("a\0", "42", None, force=False) == UnknownUser()
    assert mappings.find("a\0") is None
    assert mappings.set_info("a\0", "ANY", None) is False
    assert mappings.delete("a\0") is False
    assert core.asked == []


def test_an_unknown_status_is_an_unusable_core() -> None:
    core = Core({f"GET {PATH}": {"status": "NEW_ERROR"}})
    with pytest.raises(EngineUnavailableError, match="NEW_ERROR"):
        engine_over(core).id_mappings.find("42")
