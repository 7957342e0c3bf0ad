"""What only Django REST framework has: authentication and permission classes, its exception handlers."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.test import override_settings

from supertokens_py.framework.adapter import SessionContainer
from supertokens_py.recipe.session import syncio
from supertokens_py.recipe.session.claims import PrimitiveClaim
from supertokens_py.recipe.session.exceptions import UnauthorisedError
from supertokens_py.testing.conformance import Reply
from tests.support.clock import Clock
from tests.support.databases import Sqlite

from .clients import django_settings  # noqa: F401  must be first
from .site import Site
from .test_failed_requests import assert_nothing_left
from .test_verify import TRY_REFRESH, UNAUTHORISED, assert_refused

# isort: split
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from supertokens_py.framework.django.rest import (
    HasSession,
    IsFresh,
    SessionAuthentication,
    SessionUser,
    has_claims,
)

PlanClaim = PrimitiveClaim("plan", lambda *_: "free")
WANTS_PRO = PlanClaim.validators.has_value("pro", id_="pro")
BAD_PLAN = {"message": "wrong value", "expectedValue": "pro", "actualValue": "free"}


class Me(APIView):
    """Says who asks; subclasses change the classes."""

    authentication_classes: Any = (SessionAuthentication,)
    permission_classes: Any = (HasSession,)
    renderer_classes: Any = (JSONRenderer,)

    def get(self, request: Any) -> Response:
        return Response({"user": request.user and str(request.user)})

    post = get


@pytest.fixture
def site(sqlite_files: Sqlite, clock: Clock) -> Iterator[Site]:
    made = Site("django_sync", sqlite_files.create().uri, clock).init()
    yield made
    made.close()


def ask(site: Site, view: type[APIView], access: str | None = None, method: str = "GET") -> Reply:
    """Send one request to a view."""
    from django.urls import path

    urls: Any = ModuleType("urls_of_this_test")
    urls.urlpatterns = [path("view", view.as_view())]
    with override_settings(ROOT_URLCONF=urls):
        return site.request(method, "/view", bearer=access)


def variant(**members: Any) -> type[Me]:
    return type("Variant", (Me,), members)


def expired(site: Site) -> str:
    access = site.sign_in("header").access
    assert access is not None
    site.clock.advance(hours=2)
    return access


def test_what_a_view_sees(site: Site) -> None:
    """`request.auth` is the session, `request.user` the user; Django's request has both, too."""
    seen: dict[str, Any] = {}

    def get(self: Any, request: Any) -> Response:
        inner = request._request
        assert request.auth is request.supertokens is inner.supertokens
        assert isinstance(request.auth, SessionContainer)
        assert inner.user is request.user
        seen["user"] = request.user
        return Response({})

    visitor = site.sign_in("header", "ada")
    assert ask(site, variant(get=get), visitor.access).status == 200
    user = seen["user"]
    assert (user.pk, user.id, user.username, user.get_username(), str(user)) == ("ada",) * 5
    assert (user.is_authenticated, user.is_active) == (True, True)
    assert (user.is_anonymous, user.is_staff, user.is_superuser) == (False, False, False)
    assert not user.has_perm("a.b")
    assert not user.has_perms(["a.b"])
    assert not user.has_module_perms("a")
    assert user == SessionUser(user.session)
    assert len({user, SessionUser(user.session)}) == 1
    assert user != "ada"


@pytest.mark.parametrize(
    ("permission", "body"),
    [
        (HasSession, UNAUTHORISED),
        (IsAuthenticated, {"detail": "Authentication credentials were not provided."}),
    ],
)
def test_no_session_is_a_401(site: Site, permission: Any, body: dict[str, str]) -> None:
    """Also where REST framework itself refuses: its 403 would not make frontends refresh."""
    reply = ask(site, variant(permission_classes=[permission]))
    assert (reply.status, reply.json) == (401, body)
    assert reply.header("www-authenticate") == "Bearer"
    assert reply.session_parts == []


def test_the_status_of_the_application(site: Site) -> None:
    """`HasSession` knows `session_expired_status_code`."""
    site.init(session_expired_status_code=440)
    assert_refused(ask(site, Me), UNAUTHORISED, 440)


def test_without_permissions_a_session_is_optional(site: Site) -> None:
    view = variant(permission_classes=[AllowAny])
    assert ask(site, view).json == {"user": None}
    assert ask(site, view, site.sign_in("header").access).json == {"user": "user-1"}
    assert_refused(ask(site, view, expired(site)), TRY_REFRESH)


def broken(error: Exception, context: Any) -> Response:
    """What projects write: every error that REST framework does not know is a 500."""
    return Response({"detail": "internal error"}, 500)


def enveloped(error: Exception, context: Any) -> Response:
    return Response({"ok": False, "error": str(error)})


def test_exception_handlers_of_the_application(site: Site) -> None:
    """A server error that one makes of a refusal is the 401; what else it says is the application's."""
    access = expired(site)
    view = variant(get_exception_handler=lambda self: broken)
    assert_refused(ask(site, view, access), TRY_REFRESH)
    reply = ask(site, variant(get_exception_handler=lambda self: enveloped), access)
    assert (reply.status, reply.json["ok"], reply.session_parts) == (200, False, [])


@pytest.mark.parametrize("handler", [None, broken, enveloped])
def test_created_then_refused(site: Site, handler: Any) -> None:
    """No response after a refusal carries a live token, whoever writes it."""

    def post(self: Any, request: Any) -> Response:
        syncio.create_new_session(request, "public", "user-2")
        raise UnauthorisedError("banned")

    members = {} if handler is None else {"get_exception_handler": lambda self: handler}
    reply = ask(site, variant(permission_classes=[AllowAny], post=post, **members), method="POST")
    assert reply.status == (200 if handler is enveloped else 401)
    assert_nothing_left(site, reply)


def test_claims(site: Site) -> None:
    """403 with the reasons, which frontends read; the global validators hold as well."""
    view = variant(permission_classes=[has_claims(WANTS_PRO)])
    assert_refused(ask(site, view), UNAUTHORISED)
    access = site.sign_in("header", payload={"plan": {"v": "free", "t": site.clock()}}).access
    reply = ask(site, view, access)
    assert (reply.status, reply.json) == (
        403,
        {"message": "invalid claim", "claimValidationErrors": [{"id": "pro", "reason": BAD_PLAN}]},
    )
    access = site.sign_in("header", payload={"plan": {"v": "pro", "t": site.clock()}}).access
    assert ask(site, view, access).json == {"user": "user-1"}


def test_options_of_verify_session(site: Site) -> None:
    """A configured class asks the store; the plain one believes the token."""
    visitor = site.sign_in("header")
    assert syncio.revoke_session(visitor.handle)
    assert ask(site, Me, visitor.access).status == 200
    view = variant(authentication_classes=[SessionAuthentication.configured(check_database=True)])
    assert ask(site, view, visitor.access).status == 401


class ByKey(BaseAuthentication):
    def authenticate(self, request: Any) -> tuple[str, str] | None:
        key = request.META.get("HTTP_X_KEY")
        return ("robot", key) if key else None


def test_beside_other_authentication_classes(site: Site) -> None:
    """The next class is asked where there is no session; `HasSession` wants one, whoever came first."""
    view = variant(
        authentication_classes=[SessionAuthentication, ByKey], permission_classes=[IsAuthenticated]
    )
    assert ask(site, view).status == 401
    view = variant(authentication_classes=[ByKey])
    assert_refused(ask(site, view), UNAUTHORISED)
    assert ask(site, view, site.sign_in("header").access).status == 200


class Public(BasePermission):
    def has_permission(self, request: Any, view: Any) -> bool:
        return request.method == "GET"


def test_permissions_of_several_parts(site: Site) -> None:
    view = variant(permission_classes=[Public | HasSession])
    assert ask(site, view).json == {"user": None}
    assert_refused(ask(site, view, method="POST"), UNAUTHORISED)


def test_users_of_the_application(site: Site) -> None:
    """`get_user` may find a row; the forced authentication of a test takes a session."""

    class Found(SessionAuthentication):
        def get_user(self, session: SessionContainer) -> str:
            return f"row of {session.get_user_id()}"

    view = variant(authentication_classes=[Found])
    assert ask(site, view, site.sign_in("header").access).json == {"user": "row of user-1"}
    session = syncio.create_new_session_without_request_response("public", "ada")
    request = APIRequestFactory().get("/view")
    force_authenticate(request, user="ada", token=session)  # type: ignore[arg-type]
    assert Me.as_view()(request).data == {"user": "ada"}


def test_the_schema(site: Site) -> None:
    """drf-spectacular writes that either of bearer and cookie is enough."""
    from django.urls import path
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.openapi import AutoSchema

    import supertokens_py.framework.django.spectacular  # noqa: F401  registers the extension

    view = variant(schema=AutoSchema(), serializer_class=None, get=None)
    configured = SessionAuthentication.configured(check_database=True)
    view.get = lambda self, request: Response({})  # type: ignore[method-assign]
    view.authentication_classes = [configured]
    schema = SchemaGenerator(patterns=[path("view", view.as_view())]).get_schema(public=True)
    assert schema["paths"]["/view"]["get"]["security"] == [{"sessionBearer": []}, {"sessionCookie": []}]
    assert schema["components"]["securitySchemes"] == {
        "sessionBearer": {"type": "http", "scheme": "bearer"},
        "sessionCookie": {"type": "apiKey", "in": "cookie", "name": "sAccessToken"},
    }


def test_a_recent_authentication(site: Site) -> None:
    """403 with what is missing where it is too old, also of another session than that of `request.auth`."""
    site.init(step_up=True)
    visitor = site.sign_in("header")
    quarter, minute = variant(permission_classes=[IsFresh]), variant(permission_classes=[IsFresh.within(60)])
    assert ask(site, quarter).status == 401
    site.clock.advance(s=61)
    assert [ask(site, view, visitor.access).status for view in (quarter, minute)] == [200, 403]
    site.clock.advance(s=840)
    refused = ask(site, quarter, visitor.access)
    assert (refused.status, refused.json["claimValidationErrors"][0]["id"]) == (403, "st-auth")
    assert refused.header("www-authenticate") == (
        'Bearer error="insufficient_user_authentication", max_age="900"'
    )


def test_a_recent_authentication_that_nobody_notes(site: Site) -> None:
    """Without `step_up` every session would be stale for ever."""
    visitor = site.sign_in("header")
    assert ask(site, variant(permission_classes=[IsFresh]), visitor.access).status == 500
