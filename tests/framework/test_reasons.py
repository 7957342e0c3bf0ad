"""Why a request was refused: developers see it, and clients of a live site do not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supertokens_py import Supertokens
from supertokens_py.recipe.session.claims import BooleanClaim
from tests.framework.site import ADAPTERS, Site
from tests.support.clock import Clock
from tests.support.databases import TestDatabase

REASON = "supertokens-reason"
EXPOSED = "access-control-expose-headers"


#: Each adapter carries whatever code there is; which ones there are is tested where those are provoked.
@pytest.fixture(params=ADAPTERS)
def site(request: pytest.FixtureRequest, sqlite_database: TestDatabase, clock: Clock) -> Iterator[Site]:
    made = Site(request.param, sqlite_database.uri, clock).init()
    yield made
    made.close()


def _refusals(site: Site, clock: Clock) -> list[tuple[int, str | None, bool]]:
    """Return status, reason and whether scripts may read it, of some refusals and an answer."""
    claim = BooleanClaim("admin", lambda *_: False)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    visitor, gone, late = (site.sign_in("header") for _ in range(3))
    revoked = gone.access or ""
    gone.post("/auth/signout")
    reused = late.refresh_token
    late.refresh()
    clock.advance(minutes=5)
    late.refresh()
    late.refresh_token = reused
    answers = [
        site.get("/protected"),
        site.get("/protected", [("Authorization", f"Bearer {revoked[:-8]}AAAAAAAA")]),
        site.get("/database", [("Authorization", f"Bearer {revoked}")]),
        visitor.get("/claims"),
        late.refresh(),
        visitor.get("/protected"),
    ]
    clock.advance(hours=2)
    answers.append(visitor.get("/protected"))
    return [
        (answer.status, answer.header(REASON), REASON in (answer.header(EXPOSED) or "")) for answer in answers
    ]


def test_with_debug_on_a_refusal_names_its_code(site: Site, clock: Clock) -> None:
    """CP-36: the header is on every 401 and 403, and scripts of other origins may read it."""
    Supertokens.get_instance().debug = True
    assert _refusals(site, clock) == [
        (401, "no_token", True),
        (401, "access_token_signature", True),
        (401, "session_gone", True),
        (403, "claims_failed", True),
        (401, "refresh_token_reused", True),
        (200, None, False),
        (401, "access_token_expired", True),
    ]


def test_without_debug_no_response_says_why(site: Site, clock: Clock) -> None:
    """CP-36: a code such as "refresh_token_reused" would tell a thief that the theft was noticed."""
    found = _refusals(site, clock)
    assert [reason for _, reason, _ in found] == [None] * 7
