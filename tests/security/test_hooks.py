"""Application code that raises: every override, hook and callable that the SDK calls, in every framework."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from supertokens_py.recipe import jwt, multitenancy, openid, thirdparty, usermetadata, userroles
from supertokens_py.recipe.session import (
    DeviceSettings,
    InputErrorHandlers,
    InputOverrideConfig,
    SessionLifetime,
    SessionLimit,
)
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.session.interfaces import (
    APIInterface,
    ClaimValidationResult,
    RecipeInterface,
    SessionClaimValidator,
)
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.providers import ProviderClientConfig, ProviderConfig
from tests.engine.remote.cores import Core, engine_over
from tests.framework.script import Call
from tests.framework.site import ASGI_AND_WSGI, CORE_DRIVERS, DRIVERS, Site, Visitor
from tests.support.databases import TestDatabase, sorted_rows


class BrokenError(LookupError):
    """A bug of the application."""


def broken(*args: Any, **kwargs: Any) -> Any:
    raise BrokenError("a bug of the application")


async def broken_later(*args: Any, **kwargs: Any) -> Any:
    raise BrokenError("a bug of the application")


HOOKS = pytest.mark.parametrize("hook", [broken, broken_later])
ADMIN = BooleanClaim("admin", lambda *args: True)


def override(kind: str, name: str, hook: Any) -> dict[str, Any]:
    """Return the argument of a recipe's `init` that puts `hook` in the place of a function or API."""

    def change(default: Any) -> Any:
        assert callable(getattr(default, name))
        setattr(default, name, hook)
        return default

    return {"override": InputOverrideConfig(**{kind: change})}


def assert_failed(act: Callable[[], Any], *, expired: str = "") -> None:
    """The application's own error path answers 500, without detail and without tokens.

    A cookie that was there twice may be `expired` for the older domain, whatever becomes of the hook.
    """
    try:
        reply = act()
    except BrokenError:
        return  # an SDK route under plain ASGI or WSGI: the server answers 500
    assert reply.status == 500
    assert [part for part in reply.session_parts if part != expired] == []
    assert [cookie for cookie in reply.set_cookies if cookie.value] == []
    assert b"a bug of the application" not in reply.body


def names_of(interface: type) -> set[str]:
    """Return what can be overridden of an interface."""
    return {name for name, _ in inspect.getmembers(interface, inspect.isfunction) if name[0] != "_"}


# -- the session recipe ----------------------------------------------------------------------------

Act = Callable[[Site, Visitor], Any]


def asking(name: str, *args: Any) -> Act:
    """Call a public function in a view; `...` stands for the session's handle."""

    def script(view: Any) -> Any:
        handle = view.session.get_handle()
        yield Call(name, tuple(handle if arg is ... else [handle] if arg == [...] else arg for arg in args))
        return {}

    return lambda site, visitor: visitor.post("/protected", do=script)


def on_the_session(name: str, *args: Any) -> Act:
    """Call a method of the session in a view."""

    def script(view: Any) -> Any:
        yield Call(name, args, target=view.session)
        return {}

    return lambda site, visitor: visitor.post("/protected", do=script)


def create(view: Any) -> Any:
    yield view.create("user-1")
    return {}


def create_session(site: Site, visitor: Visitor) -> Any:
    return site.post("/open", do=create)


def create_cookies(site: Site, visitor: Visitor) -> Any:
    return site.post("/open", [("st-auth-mode", "cookie")], do=create)


def look(site: Site, visitor: Visitor) -> Any:
    return visitor.get("/protected")


def refresh(site: Site, visitor: Visitor) -> Any:
    return visitor.refresh()


FUNCTIONS: dict[str, Act] = {
    "create_new_session": create_session,
    "get_global_claim_validators": look,
    "get_session": look,
    "refresh_session": refresh,
    "regenerate_access_token": on_the_session("merge_into_access_token_payload", {"a": 1}),
    "revoke_session": on_the_session("revoke_session"),
    "validate_claims": on_the_session("assert_claims", [ADMIN.validators.is_true()]),
    "validate_claims_in_jwt_payload": asking("validate_claims_in_jwt_payload", "public", "user-1", {}),
    "revoke_all_sessions_for_user": asking("revoke_all_sessions_for_user", "user-1"),
    "get_all_session_handles_for_user": asking("get_all_session_handles_for_user", "user-1"),
    "revoke_multiple_sessions": asking("revoke_multiple_sessions", [...]),
    "revoke_other_sessions": asking("revoke_other_sessions", ...),
    "list_sessions": asking("list_sessions", "user-1"),
    "explain_session": asking("explain_session", ...),
    "set_session_lifetime": asking("set_session_lifetime", ..., SessionLifetime(idle=60)),
    "get_session_information": asking("get_session_information", ...),
    "update_session_data_in_database": on_the_session("update_session_data_in_database", {"a": 1}),
    "merge_into_access_token_payload": asking("merge_into_access_token_payload", ..., {"a": 1}),
    "update_access_token_payload": asking("update_access_token_payload", ..., {"a": 1}),
    "fetch_and_set_claim": asking("fetch_and_set_claim", ..., ADMIN),
    "set_claim_value": asking("set_claim_value", ..., ADMIN, True),
    "get_claim_value": asking("get_claim_value", ..., ADMIN),
    "remove_claim": asking("remove_claim", ..., ADMIN),
}
APIS: dict[str, Act] = {
    "refresh_post": refresh,
    "signout_post": lambda site, visitor: visitor.post("/auth/signout"),
    "verify_session": look,
}
#: APIs that are served where devices are listed.
DEVICE_APIS: dict[str, Act] = {
    "sessions_get": lambda site, visitor: visitor.get("/auth/sessions"),
    "sessions_revoke_post": lambda site, visitor: visitor.post(
        "/auth/sessions/revoke", headers=[("content-type", "application/json")], body=b'{"handles": ["x"]}'
    ),
}


def doubled_cookies(site: Site, visitor: Visitor) -> Any:
    token = visitor.refresh_token or ""
    return site.post("/auth/session/refresh", cookies=[("sRefreshToken", token), ("sRefreshToken", "other")])


class Failing(SessionClaimValidator):
    """Refuses everybody, without a claim to fetch."""

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        return ClaimValidationResult(False, {"message": "no"})


def failing_claim(site: Site, visitor: Visitor) -> Any:
    site.world.validators = lambda given, *_: [*given, Failing("no")]
    return visitor.get("/claims")


HANDLERS: dict[str, Act] = {
    "on_unauthorised": lambda site, visitor: site.get("/protected"),
    "on_try_refresh_token": lambda site, visitor: site.get(
        "/protected", bearer=(visitor.access or "")[:-4] + "AAAA"
    ),
    "on_invalid_claim": failing_claim,
    "on_clear_duplicate_session_cookies": doubled_cookies,
}
#: Its session is over in any case: see `test_an_exception_in_the_theft_hook`.
THEFT = "on_token_theft_detected"

#: It is asked where there is a limit.
LIMIT = "on_session_limit_reached"
ONE_SESSION = SessionLimit(max_sessions=1, when_reached="refuse")

PLACES: dict[str, tuple[Callable[[Any], dict[str, Any]], Act]] = {
    **{name: (lambda hook, n=name: override("functions", n, hook), act) for name, act in FUNCTIONS.items()},
    **{name: (lambda hook, n=name: override("apis", n, hook), act) for name, act in APIS.items()},
    **{
        name: (lambda hook, n=name: override("apis", n, hook) | {"devices": DeviceSettings()}, act)
        for name, act in DEVICE_APIS.items()
    },
    **{
        name: (lambda hook, n=name: {"error_handlers": InputErrorHandlers(**{n: hook})}, act)
        for name, act in HANDLERS.items()
    },
    LIMIT: (
        lambda hook: {"error_handlers": InputErrorHandlers(**{LIMIT: hook}), "limit": ONE_SESSION},
        create_session,
    ),
    "get_token_transfer_method": (lambda hook: {"get_token_transfer_method": broken}, create_session),
    "origin": (lambda hook: {"info": {"origin": broken}}, create_cookies),
}


def test_no_place_is_forgotten() -> None:
    """Every function, API and error handler of the session recipe is below."""
    assert set(FUNCTIONS) == names_of(RecipeInterface)
    assert {*APIS, *DEVICE_APIS} == names_of(APIInterface)
    assert {*HANDLERS, THEFT, LIMIT} == set(inspect.signature(InputErrorHandlers).parameters)


@pytest.mark.filterwarnings("ignore:update_access_token_payload is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("bare_site", "hook"),
    [(driver, broken) for driver in DRIVERS] + [(driver, broken_later) for driver in CORE_DRIVERS],
    indirect=["bare_site"],
)
@pytest.mark.parametrize("place", PLACES)
def test_an_exception_in_application_code_leaves_nothing_half_done(
    bare_site: Site, place: str, hook: Any
) -> None:
    """A clear 500 that shows nothing, no tokens, nothing half-written: afterwards all is as before."""
    settings, act = PLACES[place]
    site = bare_site.init(older_cookie_domain="")
    visitor = site.sign_in("header")
    before = site.stored(visitor.handle)
    site.init(older_cookie_domain="", **settings(hook))
    expired = "sRefreshToken" if place == "on_clear_duplicate_session_cookies" else ""
    assert_failed(lambda: act(site, visitor), expired=expired)
    site.init()
    assert site.stored(visitor.handle) == before
    assert site.handles() == [visitor.handle]
    assert visitor.refresh().status == 200
    assert visitor.get("/database").status == 200


@pytest.mark.parametrize(
    ("name", "act"), [("create_new_session", create_session), ("refresh_session", refresh)]
)
def test_an_exception_after_the_work_was_done(bare_site: Site, name: str, act: Act) -> None:
    """The tokens that were made do not get out, and a refresh that was done can be asked for again."""

    def change(default: Any) -> Any:
        original = getattr(default, name)

        async def too_late(*args: Any) -> Any:
            await original(*args)
            raise BrokenError("a bug of the application")

        setattr(default, name, too_late)
        return default

    visitor = bare_site.init().sign_in("header")
    site = bare_site.init(override=InputOverrideConfig(functions=change))
    assert_failed(lambda: act(site, visitor))
    site.init()
    assert visitor.refresh().status == 200
    assert visitor.get("/database").status == 200


@HOOKS
def test_an_exception_in_the_theft_hook_saves_no_session(bare_site: Site, hook: Any) -> None:
    """The session is over all the same: the engine revoked it before the hook was asked."""
    site = bare_site.init(error_handlers=InputErrorHandlers(**{THEFT: hook}))
    visitor = site.sign_in("header")
    stolen = visitor.refresh_token
    visitor.refresh()
    site.clock.advance(minutes=5)
    visitor.refresh_token = stolen
    with contextlib.suppress(BrokenError):
        assert visitor.refresh().status == 500
    assert site.stored(visitor.handle) is None


# -- claims ----------------------------------------------------------------------------------------


class Validator(SessionClaimValidator):
    """One whose methods can be replaced."""

    claim = ADMIN

    def should_refetch(self, payload: dict[str, Any], user_context: dict[str, Any]) -> bool:
        return True

    async def validate(self, payload: dict[str, Any], user_context: dict[str, Any]) -> ClaimValidationResult:
        return ClaimValidationResult(True)


@ASGI_AND_WSGI
@HOOKS
@pytest.mark.parametrize("part", ["fetch_value", "should_refetch", "validate", "validators"])
def test_an_exception_in_a_claim_refuses_the_request(site: Site, part: str, hook: Any) -> None:
    """A fetch or a validator that raises refuses the request, and the payload stays as it was."""
    visitor = site.sign_in("header")
    validator = Validator("admin")
    if part == "fetch_value":
        validator.claim = BooleanClaim("admin", hook)
    elif part != "validators":
        setattr(validator, part, hook)
    site.world.validators = broken if part == "validators" else lambda given, *_: [*given, validator]
    before, runs = site.stored(visitor.handle), site.world.runs
    assert_failed(lambda: visitor.get("/claims"))
    assert (site.world.runs, site.stored(visitor.handle)) == (runs, before)
    site.world.validators = lambda given, *_: [*given, Validator("admin")]
    assert visitor.get("/claims").status == 200
    assert visitor.get("/protected").status == 200


@ASGI_AND_WSGI
@HOOKS
@pytest.mark.parametrize(
    ("recipe", "name"), [(userroles, "get_roles_for_user"), (userroles, "get_permissions_for_role")]
)
def test_an_exception_in_a_claim_logs_nobody_in(bare_site: Site, recipe: Any, name: str, hook: Any) -> None:
    """Nobody is logged in by halves: no tokens and no session, and the next log-in works."""
    roles = importlib.import_module(f"{recipe.__name__}.syncio")
    site = bare_site.init(recipes=[recipe.init()])
    roles.create_new_role_or_add_permissions("admin", ["all"])
    roles.add_role_to_user("public", "user-1", "admin")
    site.init(recipes=[recipe.init(**override("functions", name, hook))])
    assert_failed(lambda: create_session(site, Visitor(site)))
    assert site.handles() == []
    site.init(recipes=[recipe.init()])
    assert create_session(site, Visitor(site)).status == 200


# -- the other recipes -----------------------------------------------------------------------------

#: recipe, function -> the arguments of its public twin
OTHERS: dict[tuple[Any, str], tuple[Any, ...]] = {
    (userroles, "add_role_to_user"): ("public", "user-1", "admin"),
    (userroles, "remove_user_role"): ("public", "user-1", "admin"),
    (userroles, "get_roles_for_user"): ("public", "user-1"),
    (userroles, "get_users_that_have_role"): ("public", "admin"),
    (userroles, "create_new_role_or_add_permissions"): ("admin", ["more"]),
    (userroles, "get_permissions_for_role"): ("admin",),
    (userroles, "remove_permissions_from_role"): ("admin", ["all"]),
    (userroles, "get_roles_that_have_permission"): ("all",),
    (userroles, "delete_role"): ("admin",),
    (userroles, "get_all_roles"): (),
    (usermetadata, "get_user_metadata"): ("user-1",),
    (usermetadata, "update_user_metadata"): ("user-1", {"a": 1}),
    (usermetadata, "clear_user_metadata"): ("user-1",),
    (jwt, "create_jwt"): ({},),
    (jwt, "get_jwks"): (),
    (openid, "create_jwt"): ({},),
    (openid, "get_jwks"): (),
    (openid, "get_open_id_discovery_configuration"): (),
    (multitenancy, "create_or_update_tenant"): ("t1", None),
    (multitenancy, "delete_tenant"): ("t0",),
    (multitenancy, "get_tenant"): ("public",),
    (multitenancy, "list_all_tenants"): (),
    (multitenancy, "create_or_update_third_party_config"): (
        "t0",
        ProviderConfig(third_party_id="google", clients=[ProviderClientConfig(client_id="1")]),
    ),
    (multitenancy, "delete_third_party_config"): ("t0", "google"),
    (multitenancy, "associate_user_to_tenant"): ("t0", RecipeUserId("user-1")),
    (multitenancy, "dissociate_user_from_tenant"): ("t0", RecipeUserId("user-1")),
}
#: recipe, API -> its path
OTHER_APIS: dict[tuple[Any, str], str] = {
    (jwt, "jwks_get"): "/auth/jwt/jwks.json",
    (openid, "open_id_discovery_configuration_get"): "/auth/.well-known/openid-configuration",
    (multitenancy, "login_methods_get"): "/auth/public/loginmethods",
}
RECIPES = (userroles, usermetadata, jwt, openid, multitenancy)


def short(value: Any) -> str:
    return value.__name__.rpartition(".")[2] if inspect.ismodule(value) else str(value)


def test_no_other_recipe_is_forgotten() -> None:
    """Every function and API of the other recipes is above; `get_tenant_id` is asked by the routes."""
    for recipe in RECIPES:
        interfaces = importlib.import_module(f"{recipe.__name__}.interfaces")
        functions = {name for owner, name in OTHERS if owner is recipe}
        assert names_of(interfaces.RecipeInterface) - {"get_tenant_id"} == functions
        apis = {name for owner, name in OTHER_APIS if owner is recipe}
        assert names_of(getattr(interfaces, "APIInterface", object)) == apis


@HOOKS
@pytest.mark.parametrize(("recipe", "name"), OTHERS, ids=short)
def test_an_exception_in_another_recipe_reaches_the_caller(
    sqlite_database: TestDatabase, clock: Any, recipe: Any, name: str, hook: Any
) -> None:
    """It reaches the caller, of either colour; the tables stay as they were; the next call works."""
    site = Site("flask", sqlite_database.uri, clock)
    arguments = OTHERS[recipe, name]

    def called(colour: str) -> Any:
        return getattr(importlib.import_module(f"{recipe.__name__}.{colour}"), name)(*arguments)

    def tables() -> list[Any]:
        names = ("roles", "role_permissions", "user_roles", "user_metadata", "tenants", "key_value")
        return [sorted_rows(sqlite_database.query(f"SELECT * FROM {table}")) for table in names]

    try:
        # Providers are stored where users sign in only.
        site.init(recipes=[*(each.init() for each in RECIPES), thirdparty.init()])
        importlib.import_module(f"{userroles.__name__}.syncio").create_new_role_or_add_permissions(
            "admin", ["all"]
        )
        importlib.import_module(f"{multitenancy.__name__}.syncio").create_or_update_tenant("t0", None)
        before = tables()
        changed = override("functions", name, hook)
        overridden = (each.init(**(changed if each is recipe else {})) for each in RECIPES)
        site.init(recipes=[*overridden, thirdparty.init()])
        with pytest.raises(BrokenError):
            called("syncio")
        with pytest.raises(BrokenError):
            asyncio.run(called("asyncio"))
        assert tables() == before
        site.init(recipes=[*(each.init() for each in RECIPES), thirdparty.init()])
        called("syncio")
    finally:
        site.close()


@HOOKS
@pytest.mark.parametrize(("recipe", "name"), [*OTHER_APIS, (multitenancy, "get_tenant_id")], ids=short)
def test_an_exception_in_another_route_is_a_500(bare_site: Site, recipe: Any, name: str, hook: Any) -> None:
    """500 from the application's own error path, and the route works again."""
    path = OTHER_APIS.get((recipe, name), "/auth/public/loginmethods")
    kind = "functions" if name == "get_tenant_id" else "apis"
    site = bare_site.init(recipes=[recipe.init(**override(kind, name, hook))])
    assert_failed(lambda: site.get(path))
    assert site.init(recipes=[recipe.init()]).get(path).status == 200


def test_an_exception_in_the_network_interceptor_sends_nothing() -> None:
    """It reaches the caller, and nothing was sent to the core; without it the call works."""
    core = Core()
    with pytest.raises(BrokenError):
        engine_over(core, network_interceptor=broken).sessions.revoke(["handle"])
    assert core.requests == []
    answers = {"POST /recipe/session/remove": {"status": "OK", "sessionHandlesRevoked": ["handle"]}}
    working = engine_over(Core(answers), network_interceptor=lambda *request: request[:5])
    assert working.sessions.revoke(["handle"]) == ["handle"]
