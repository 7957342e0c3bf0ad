"""Arguments in the wrong order."""

from __future__ import annotations

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.exceptions import BadInputError
from supertokens_py.recipe import session
from supertokens_py.recipe.session.syncio import create_new_session_without_request_response


def test_the_user_in_the_place_of_the_tenant() -> None:
    """The message says which comes first; an unknown tenant alone is no sign of that."""
    Supertokens.reset()
    here = "http://localhost:8000"
    init(
        InputAppInfo("Test", here, website_domain=here),
        None,
        SupertokensConfig("sqlite://"),
        [session.init()],
    )
    with pytest.raises(BadInputError, match=r"tenant 'ada' does not exist \(the tenant's id comes before"):
        create_new_session_without_request_response("ada", "public")
    with pytest.raises(BadInputError, match=r"tenant 'nowhere' does not exist$"):
        create_new_session_without_request_response("nowhere", "ada")
    Supertokens.reset()
