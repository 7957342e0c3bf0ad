"""The session that each way to sign in begins: whose it is, and which others it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.multitenancy.syncio import create_or_update_tenant
from supertokens_py.testing.conformance import Reply
from supertokens_py.tokens.access_token import parse_access_token
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

from .site import CORE_DRIVERS, Site, Visitor
from .ways_in import CODE, PROVIDER, SIGN_IN, SIGN_UP, Way, served

WAYS = pytest.mark.parametrize("way", [SIGN_UP, SIGN_IN, CODE, PROVIDER], ids=lambda way: way.path)


@pytest.fixture
def stored(sqlite_files: Sqlite) -> TestDatabase:
    return sqlite_files.create(users=True)


@pytest.fixture(params=CORE_DRIVERS)
def bare_site(request: pytest.FixtureRequest, stored: TestDatabase, clock: Clock) -> Iterator[Site]:
    """An application under ASGI, and one under WSGI."""
    site = Site(request.param, stored.uri, clock)
    yield site
    site.close()


def _claims(reply: Reply) -> dict[str, Any]:
    assert (reply.status, reply.json["status"]) == (200, "OK"), reply.body
    token = parse_access_token(reply.access)
    assert token is not None
    return token.payload


@WAYS
def test_a_session_of_the_request_is_not_looked_at(bare_site: Site, mode: str, way: Way) -> None:
    """SI-5: with `false` it may be somebody else's, of another tenant: the new one is, and both go on."""
    application = served(bare_site)
    create_or_update_tenant("t1", TenantConfigCreateOrUpdate(first_factors=None))
    if way is SIGN_IN:
        application.use(Visitor(bare_site), SIGN_UP, tenant="/t1")
    visitor = Visitor(bare_site, mode)
    old = _claims(application.use(visitor, SIGN_UP))
    assert old["tId"] == "public"
    assert visitor.get("/protected").json == {"user": old["sub"]}
    new = _claims(application.use(visitor, way, tenant="/t1", shouldTryLinkingWithSessionUser=False))
    assert new["tId"] == "t1"
    assert new["sub"] != old["sub"]
    assert bare_site.handles(old["sub"]) == [old["sessionHandle"]]
    assert new["sessionHandle"] in bare_site.handles(new["sub"])
    assert new["sessionHandle"] != old["sessionHandle"]
    assert visitor.get("/protected").json == {"user": new["sub"]}


@pytest.mark.parametrize("fdi", ["2.0", "4.0"])
@pytest.mark.parametrize("way", [SIGN_IN, CODE, PROVIDER], ids=lambda way: way.path)
def test_a_linked_user_signs_in_as_the_primary_one(
    bare_site: Site, stored: TestDatabase, way: Way, fdi: str
) -> None:
    """SI-67, SI-2: `sub` is the primary user, `rsub` the one who signed in, whom older frontends show."""
    application = served(bare_site)
    primary, first = (PROVIDER, SIGN_UP) if way is SIGN_IN else (SIGN_UP, way)
    primary_id = _claims(application.use(Visitor(bare_site), primary))["sub"]
    bare_site.clock.advance(minutes=1)
    joined = application.use(Visitor(bare_site), first).json["user"]
    for table in ("app_id_to_user_id", "all_auth_recipe_users"):
        stored.query(
            f"UPDATE {table} SET primary_or_recipe_user_id = %s, is_linked_or_is_a_primary_user = TRUE",
            primary_id,
        )
    bare_site.clock.advance(minutes=1)
    reply = application.use(Visitor(bare_site), way, fdi=fdi)
    claims, user = _claims(reply), reply.json["user"]
    assert (claims["sub"], claims["rsub"]) == (primary_id, joined["id"])
    (own,) = [one for one in joined["loginMethods"] if one["recipeUserId"] == joined["id"]]
    if fdi == "2.0":
        names = ("email", "thirdParty", "timeJoined")
        assert user == {"id": primary_id, **{name: own[name] for name in names if name in own}}
        assert user["email"] == way.email
    else:
        assert (user["id"], user["isPrimaryUser"]) == (primary_id, True)
        assert {*user["emails"]} == {primary.email, way.email}
        assert own in user["loginMethods"]
    assert bare_site.handles(primary_id) != []
