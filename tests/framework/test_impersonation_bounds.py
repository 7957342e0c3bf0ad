"""What nobody reaches by acting as another user: other users, a session without an actor, a later end."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.ingredients.emaildelivery import LoggingEmailService
from supertokens_py.recipe import emailpassword
from supertokens_py.recipe.emailpassword.interfaces import SignUpOkResult
from supertokens_py.recipe.emailpassword.syncio import sign_up
from supertokens_py.recipe.session import DeviceSettings, Impersonation, InputOverrideConfig
from supertokens_py.recipe.session.syncio import revoke_all_sessions_for_user
from supertokens_py.syncio import create_user_id_mapping, delete_user
from supertokens_py.testing.conformance.routes import Call
from tests.support.clock import Clock
from tests.support.databases import LINKED_USERS, TestDatabase

from .site import ASGI_AND_WSGI, Site
from .test_impersonation import END, SETTINGS, act_as, why

JSON = [("content-type", "application/json"), ("rid", "session")]
FASTAPI = pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)


def _signed_up(name: str, *, mapped: bool = True) -> str:
    result = sign_up("public", f"{name}@example.com", "correct horse 1")
    assert isinstance(result, SignUpOkResult)
    if mapped:
        create_user_id_mapping(str(result.recipe_user_id), name)
    return str(result.recipe_user_id)


@FASTAPI
def test_a_user_is_the_same_by_every_id(bare_site: Site) -> None:
    """CP-22: `may` is asked about the id that the session is to have, whichever one was given."""
    asked: list[str] = []

    def may(actor: Any, user_id: str, context: Any) -> bool:
        asked.append(user_id)
        return user_id != "chief"

    silent = emailpassword.EmailDeliveryConfig(LoggingEmailService())
    cheap = {"argon2_memory_kb": 1024, "argon2_parallelism": 1}
    site = bare_site.init(
        impersonation=Impersonation(may=may),
        recipes=[emailpassword.init(email_delivery=silent)],
        engine=cheap,
    )
    chief, ada, boss = (_signed_up(name) for name in ("chief", "ada", "boss"))
    actor = site.sign_in(user_id="boss")
    for one in ("chief", chief):
        assert why(act_as(actor, one)) == (403, ["not allowed to act as this user"])
    for one in ("boss", boss):
        assert act_as(actor, one).status == 400
    assert asked == ["chief", "chief"]
    assert (site.handles("chief"), site.handles("boss")) == ([], [actor.handle])
    assert act_as(actor, ada).json["user"] == "ada"
    assert asked == ["chief", "chief", "ada"]


@FASTAPI
def test_linked_login_methods_are_one_user(bare_site: Site, empty_postgres_database: TestDatabase) -> None:
    """CP-22: whoever may not act as a user does not get there by the id of a login method."""
    for statement in LINKED_USERS:
        empty_postgres_database.query(statement)
    bare_site.uri = empty_postgres_database.uri
    site = bare_site.init(impersonation=Impersonation(may=lambda actor, user_id, context: user_id != "a"))
    actor = site.sign_in(user_id="boss")
    for one in ("a", "b"):
        assert why(act_as(actor, one)) == (403, ["not allowed to act as this user"])
    assert site.handles("a") == []
    assert act_as(site.sign_in(user_id="b"), "a").status == 400


@ASGI_AND_WSGI
def test_an_override_that_names_another_user(bare_site: Site) -> None:
    """CP-22: the session is of the user about whom `may` was asked, or there is none."""

    def override(original: Any) -> Any:
        unchanged = original.create_new_session

        async def create(user_id: str, *args: Any, **kwargs: Any) -> Any:
            return await unchanged("root" if user_id == "user-1" else user_id, *args, **kwargs)

        original.create_new_session = create
        return original

    site = bare_site.init(**SETTINGS, override=InputOverrideConfig(functions=override))
    assert why(act_as(site.sign_in(user_id="boss"))) == (403, ["the session would be another user's"])
    assert site.handles("root") == []


def _acted(site: Site) -> tuple[Any, str]:
    """Let somebody act as a user who has a session of their own; return the actor and the new handle."""
    actor = site.sign_in(user_id="boss")
    return actor, act_as(actor).json["handle"]


REFUSED = (403, ["not allowed while acting as another user"])


@ASGI_AND_WSGI
def test_a_session_in_which_somebody_acts_is_replaced_by_none(bare_site: Site, clock: Clock) -> None:
    """CP-22: a new session would not say who acts, would count as an authentication, and would not end."""
    site = bare_site.init(**SETTINGS)
    actor, handle = _acted(site)

    def rotate(view: Any) -> Any:
        yield view.create("user-1", None, replaces=view.session)

    def rotate_by_handle(view: Any) -> Any:
        yield view.create("user-1", None, replaces=view.session.get_handle())

    def rotate_without_request(view: Any) -> Any:
        call = "create_new_session_without_request_response"
        yield Call(call, ("public", "user-1"), {"replaces": view.session})

    for do in (rotate, rotate_by_handle, rotate_without_request):
        assert why(actor.post("/protected", do=do)) == REFUSED
    assert site.handles() == [handle]
    clock.advance(minutes=31)
    assert actor.refresh().status == 401


@ASGI_AND_WSGI
def test_whoever_acts_ends_none_of_the_users_sessions(bare_site: Site) -> None:
    """CP-22: by no function of the session; the one in which they act they can leave."""
    site = bare_site.init(**SETTINGS, devices=DeviceSettings())
    user = site.sign_in()
    actor, handle = _acted(site)

    def ending(method: str, *arguments: Any) -> Any:
        def do(view: Any) -> Any:
            yield Call(method, arguments, target=view.session)

        return do

    for do in (
        ending("revoke_others"),
        ending("revoke_one", user.handle),
        ending("revoke_some", [user.handle]),
        ending("revoke_all"),
    ):
        assert why(actor.post("/protected", do=do)) == REFUSED
    asked = actor.post("/auth/sessions/revoke", body=b'{"which": "others"}', headers=JSON)
    assert why(asked) == REFUSED
    assert site.handles() == [user.handle, handle]
    assert actor.post("/protected", do=ending("revoke_session")).status == 200
    assert site.handles() == [user.handle]


@ASGI_AND_WSGI
def test_a_claim_of_that_name_is_the_applications_without_the_setting(bare_site: Site) -> None:
    """CP-22: `act` is reserved with impersonation only, and refuses nobody anything else where it is not."""
    site = bare_site.init(devices=DeviceSettings(), step_up=True)
    for act in ("editor", {"sub": "agency"}):
        other, user = site.sign_in(payload={"act": act}), site.sign_in(payload={"act": act})
        asked = user.post("/auth/sessions/revoke", body=b'{"which": "others"}', headers=JSON)
        assert (asked.status, asked.json) == (200, {"status": "OK", "revoked": [other.handle]})

        def reauthenticate(view: Any) -> Any:
            yield Call("reauthenticate", (["pwd"],), target=view.session)

        def rotate(view: Any) -> Any:
            yield view.create("user-1", None, replaces=view.session)

        assert user.post("/protected", do=reauthenticate).status == 200
        assert user.post("/protected", do=rotate).status == 200
        (left,) = site.handles()
        site.engine.sessions.revoke([left])


@ASGI_AND_WSGI
def test_nobody_acts_whose_sessions_were_all_revoked_or_who_was_deleted(bare_site: Site) -> None:
    """CP-22: a dismissed supporter does not stay on as a user until the end of the impersonation."""
    site = bare_site.init(**SETTINGS)
    user = site.sign_in()
    for end in (lambda: revoke_all_sessions_for_user("boss"), lambda: delete_user("boss")):
        actor, _ = _acted(site)
        end()
        assert actor.get("/database").status == 401
        assert actor.refresh().status == 401
        assert (actor.access, actor.refresh_token) == (None, None)
        assert (site.handles(), site.handles("boss")) == ([user.handle], [])


@ASGI_AND_WSGI
def test_the_end_of_what_only_a_claim_of_the_application_says(bare_site: Site) -> None:
    """From before the setting: nobody began an impersonation, so it leads back to no session."""
    user = bare_site.init().sign_in(payload={"act": {"sub": "agency"}})
    site = bare_site.init(impersonation=Impersonation(may=lambda *_: True, routes=True))
    ended = user.post(END)
    assert (ended.status, ended.json) == (200, {"status": "OK", "restored": False})
    assert (site.handles("user-1"), site.handles("agency")) == ([], [])
