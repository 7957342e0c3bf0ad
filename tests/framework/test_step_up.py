"""Fresh authentication, as clients see it."""

from __future__ import annotations

from typing import Any

from supertokens_py import Supertokens
from supertokens_py.framework.adapter import requiring
from supertokens_py.recipe.session import AuthenticationClaim, Impersonation
from supertokens_py.recipe.session.claims import BooleanClaim
from tests.support.clock import Clock

from .site import ASGI_AND_WSGI, Site, Visitor
from .test_guests import visit
from .test_impersonation import act_as

CHALLENGE = 'Bearer error="insufficient_user_authentication"'


def _asks_for(site: Site, *validators: Any) -> None:
    site.world.validators = lambda given, session, context: [*given, *validators]


def _reauthenticate(view: Any) -> Any:
    renewed = yield view.get_session()
    from supertokens_py.testing.conformance.routes import Call

    renewed = yield Call("reauthenticate", (["pwd", "otp"], "aal2"), target=renewed)
    return {"handle": renewed.get_handle()}


def test_a_stale_authentication_is_403_and_says_what_is_missing(
    bare_site: Site, clock: Clock, mode: str
) -> None:
    """CP-14: never 401, which would have clients refresh and try again ten times."""
    site = bare_site.init(step_up=True)
    _asks_for(site, AuthenticationClaim.validators.fresh(300))
    visitor = site.sign_in(mode)
    assert visitor.get("/claims").status == 200
    clock.advance(s=301)
    refused = visitor.get("/claims")
    assert (refused.status, refused.json) == (
        403,
        {
            "message": "invalid claim",
            "claimValidationErrors": [
                {
                    "id": "st-auth",
                    "reason": {
                        "message": "authentication too old",
                        "ageInSeconds": 301.0,
                        "maxAgeInSeconds": 300,
                    },
                }
            ],
        },
    )
    assert refused.header("www-authenticate") == f'{CHALLENGE}, max_age="300"'
    assert not refused.set_cookies
    assert visitor.refresh().status == 200
    assert visitor.get("/claims").status == 403  # a refresh is no authentication
    former = (visitor.access, visitor.refresh_token)
    renewed = visitor.post("/protected", do=_reauthenticate)
    assert renewed.status == 200
    assert (visitor.access, visitor.refresh_token) != former
    assert site.handles() == [renewed.json["handle"]]
    assert visitor.get("/claims").status == 200
    assert visitor.refresh().status == 200
    thief = Visitor(site, mode)
    thief.access, thief.refresh_token = former
    assert thief.get("/database").status == 401
    assert thief.refresh().status == 401
    assert site.handles() == [renewed.json["handle"]]


@ASGI_AND_WSGI
def test_a_session_of_before_the_setting_is_old(bare_site: Site) -> None:
    """It says nothing of its user's authentication: a new one is asked for."""
    visitor = bare_site.init().sign_in()
    bare_site.init(step_up=True)
    bare_site.world.validators = requiring(fresh=300)
    refused = visitor.get("/claims")
    reason = {"message": "authentication too old", "ageInSeconds": None, "maxAgeInSeconds": 300}
    assert (refused.status, refused.json["claimValidationErrors"]) == (
        403,
        [{"id": "st-auth", "reason": reason}],
    )
    assert visitor.post("/protected", do=_reauthenticate).status == 200
    assert visitor.get("/claims").status == 200


@ASGI_AND_WSGI
def test_the_challenge_of_a_403(bare_site: Site, clock: Clock) -> None:
    """It names the shortest age and the classes; other claims ask for none, and 401 stays `Bearer`."""
    site = bare_site.init(step_up=True)
    visitor = site.sign_in()
    validators = AuthenticationClaim.validators
    clock.advance(s=400)
    for asked, challenge in (
        ([validators.acr("aal2")], f'{CHALLENGE}, acr_values="aal2"'),
        (
            [validators.fresh(300), validators.fresh(60), validators.acr("urn:a"), validators.acr("urn:b")],
            f'{CHALLENGE}, max_age="60", acr_values="urn:a urn:b"',
        ),
        ([validators.amr_includes("mfa")], CHALLENGE),
        ([validators.acr('a", evil="1')], CHALLENGE),
        ([BooleanClaim("admin", lambda *_: False).validators.is_true()], None),
    ):
        _asks_for(site, *asked)
        refused = visitor.get("/claims")
        assert (refused.status, refused.header("www-authenticate")) == (403, challenge)
    assert site.get("/protected").header("www-authenticate") == "Bearer"


def test_with_debug_on_each_refusal_names_its_code(bare_site: Site, clock: Clock) -> None:
    """CP-36: of an old authentication, a guest, and somebody who may not act as a user."""
    site = bare_site.init(impersonation=Impersonation(may=lambda *_: False))
    _asks_for(site, AuthenticationClaim.validators.fresh(300))
    visitor, (guest, _) = site.sign_in(), visit(site)
    for debug in (True, False):
        Supertokens.get_instance().debug = debug
        clock.advance(minutes=6)
        answers = [visitor.get("/claims"), guest.get("/protected"), act_as(visitor, "user-2")]
        assert [answer.status for answer in answers] == [403, 403, 403]
        assert [answer.header("supertokens-reason") for answer in answers] == (
            ["authentication_not_fresh", "guest_not_allowed", "impersonation_refused"]
            if debug
            else [None, None, None]
        )
