"""One real situation for each code of `SessionErrorCode`: how a request comes to be refused so.

A situation configures the application, prepares, and returns the request that is refused. Nothing raises an
error by hand, except where the application itself is the situation.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from supertokens_py import Supertokens
from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS
from supertokens_py.recipe import emailpassword, emailverification
from supertokens_py.recipe.emailverification.interfaces import (
    GetEmailForUserIdOkResult,
    UnknownUserIdError,
)
from supertokens_py.recipe.multitenancy.interfaces import TenantConfigCreateOrUpdate
from supertokens_py.recipe.multitenancy.syncio import create_or_update_tenant
from supertokens_py.recipe.session import (
    AuthenticationClaim,
    Impersonation,
    PageSettings,
    SessionLifetime,
    SessionLimit,
)
from supertokens_py.recipe.session.claims import BooleanClaim
from supertokens_py.recipe.session.exceptions import raise_unauthorised_exception
from supertokens_py.testing.conformance import Reply
from supertokens_py.testing.conformance.routes import Call
from tests.engine.remote.cores import Core, access_token, engine_over, jwk
from tests.support.device_browser import DeviceBrowser
from tests.support.device_proofs import REGISTER, challenge_in, new_key, proof

from .site import Site, Visitor
from .test_email_password import AsyncOutbox, EmailDeliveryConfig, send
from .test_email_verification import Outbox
from .test_guests import visit
from .test_impersonation import act_as
from .test_pages import NAVIGATES
from .test_verify import LEGACY, LEGACY_CLAIMS, TRY_REFRESH, UNAUTHORISED

Ask: TypeAlias = Callable[[], Reply]
Prepare: TypeAlias = Callable[[Site], Ask]

THEFT = {"message": "token theft detected"}
REFRESH = "/auth/session/refresh"
#: To be the highest number of revoked sessions that a process remembers.
REMEMBERED = 3
FOREIGN_FORM = [("sec-fetch-mode", "navigate"), ("sec-fetch-site", "cross-site")]
HANDSHAKE = [("upgrade", "websocket"), ("connection", "Upgrade"), ("origin", "https://evil.test")]


@dataclass(frozen=True)
class Situation:
    """How requests come to be refused with a code, and what clients see of it."""

    prepare: Prepare
    status: int
    body: Any  #: the JSON of the response; None: it has none


SITUATIONS: dict[str, Situation] = {}


def _refuses(code: str, status: int, body: Any) -> Callable[[Prepare], Prepare]:
    def register(prepare: Prepare) -> Prepare:
        SITUATIONS[code] = Situation(prepare, status, body)
        return prepare

    return register


def _claim_fails(id_: str, **reason: Any) -> dict[str, Any]:
    return {"message": "invalid claim", "claimValidationErrors": [{"id": id_, "reason": reason}]}


def _with_pages(site: Site) -> Site:
    settings = PageSettings(login_path="/login")
    return site.init(info={"website_domain": "https://api.example.com"}, pages=settings)


def _create(view: Any) -> Any:
    yield view.create("user-1")


def _merge(view: Any) -> Any:
    yield view.merge({"plan": "pro"})


# -- nothing that could be a session --------------------------------------------------------------------


@_refuses("no_token", 401, UNAUTHORISED)
def _no_token(site: Site) -> Ask:
    site.init()
    return lambda: site.get("/protected")


@_refuses("not_a_session_token", 401, UNAUTHORISED)
def _not_a_session_token(site: Site) -> Ask:
    """A view that reads the token from where its own clients put it."""
    visitor = site.init().sign_in("header")

    def view(view: Any) -> Any:
        yield Call("get_session_without_request_response", (visitor.refresh_token,))

    return lambda: site.get("/open", do=view)


@_refuses("options_request", 401, UNAUTHORISED)
def _options_request(site: Site) -> Ask:
    visitor = site.init().sign_in("header")
    return lambda: visitor.request("OPTIONS", "/protected")


@_refuses("not_a_navigation", 401, UNAUTHORISED)
def _not_a_navigation(site: Site) -> Ask:
    visitor = _with_pages(site).sign_in()
    return lambda: visitor.get(REFRESH, headers=[*NAVIGATES, ("sec-purpose", "prefetch")])


@_refuses("legacy_cookie", 401, TRY_REFRESH)
def _legacy_cookie(site: Site) -> Ask:
    site.init()
    return lambda: site.get("/protected", cookies=[("sIdRefreshToken", "x")])


@_refuses("duplicate_access_cookies", 401, TRY_REFRESH)
def _duplicate_access_cookies(site: Site) -> Ask:
    visitor = site.init().sign_in()
    cookies = [("sAccessToken", "old"), ("sAccessToken", visitor.access or "")]
    return lambda: site.get("/protected", cookies=cookies)


def _refresh_with_two_access_cookies(site: Site, **settings: Any) -> Ask:
    visitor = site.init(**settings).sign_in()
    cookies = [
        ("sAccessToken", "old"),
        ("sAccessToken", "new"),
        ("sRefreshToken", visitor.refresh_token or ""),
    ]
    return lambda: site.post(REFRESH, cookies=cookies)


@_refuses("duplicate_cookies", 500, {"message": "The request contains multiple session cookies."})
def _duplicate_cookies(site: Site) -> Ask:
    return _refresh_with_two_access_cookies(site)


@_refuses(
    "duplicate_cookies_cleared",
    200,
    {
        "message": "The request contains multiple session cookies. We are clearing the cookie from "
        "older_cookie_domain. Session will be refreshed in the next refresh call."
    },
)
def _duplicate_cookies_cleared(site: Site) -> Ask:
    return _refresh_with_two_access_cookies(site, cookie_domain="api.example.com", older_cookie_domain="")


@_refuses("cookies_impossible", 401, UNAUTHORISED)
def _cookies_impossible(site: Site) -> Ask:
    info = {
        "api_domain": "http://api.example.com",
        "website_domain": None,
        "origin": lambda request, context: "https://example.org",
    }
    site.init(info=info)
    return lambda: site.post("/open", [("st-auth-mode", "cookie")], do=_create)


# -- the access token -----------------------------------------------------------------------------------


@_refuses("access_token_expired", 401, TRY_REFRESH)
def _access_token_expired(site: Site) -> Ask:
    visitor = site.init().sign_in()
    site.clock.advance(hours=1, s=1)
    return lambda: visitor.get("/protected")


@_refuses("access_token_due", 303, None)
def _access_token_due(site: Site) -> Ask:
    visitor = _with_pages(site).sign_in()
    site.clock.advance(minutes=31)
    return lambda: visitor.get("/protected", headers=NAVIGATES)


@_refuses("access_token_version", 401, TRY_REFRESH)
def _access_token_version(site: Site) -> Ask:
    """Of the SDKs before tokens were JWTs of a `kid`, whose sessions are in the same database."""
    site.init()
    body = urlsafe_b64encode(json.dumps(LEGACY_CLAIMS).encode()).decode()
    return lambda: site.get("/protected", bearer=f"{LEGACY['2']}.{body}.AAAA")


@_refuses("access_token_signature", 401, TRY_REFRESH)
def _access_token_signature(site: Site) -> Ask:
    visitor = site.init().sign_in("header")
    return lambda: site.get("/protected", bearer=f"{(visitor.access or '')[:-8]}AAAAAAAA")


@_refuses("access_token_not_yet_valid", 401, TRY_REFRESH)
def _access_token_not_yet_valid(site: Site) -> Ask:
    """The clock of the host that issued it is ahead."""
    visitor = site.init().sign_in("header")
    token = site.forge(visitor.access or "", iat=site.clock.now_ms // 1000 + 120)
    return lambda: site.get("/protected", bearer=token)


@_refuses("access_token_superseded", 401, TRY_REFRESH)
def _access_token_superseded(site: Site) -> Ask:
    visitor = site.init().sign_in("header")
    first = visitor.access
    for _ in range(2):
        site.clock.advance(minutes=1)
        visitor.refresh()
    return lambda: site.get("/database", bearer=first)


@_refuses("access_token_invalid", 401, UNAUTHORISED)
def _access_token_invalid(site: Site) -> Ask:
    """A view that goes on for so long that the key of the token is gone when it changes the payload."""
    visitor = site.init().sign_in("header")

    def view(view: Any) -> Any:
        site.clock.advance(days=400)
        yield view.merge({"plan": "pro"})

    return lambda: visitor.post("/protected", do=view)


@_refuses("signing_key_setting", 401, TRY_REFRESH)
def _signing_key_setting(site: Site) -> Ask:
    visitor = site.init().sign_in()
    site.init(use_dynamic_access_token_signing_key=False)
    return lambda: visitor.get("/protected")


@_refuses("signing_key_unknown", 401, TRY_REFRESH)
def _signing_key_unknown(site: Site) -> Ask:
    visitor = site.init().sign_in("header")
    token = site.forge(visitor.access or "", kid="d-1")
    return lambda: site.get("/protected", bearer=token)


@_refuses("issuer_unknown", 401, TRY_REFRESH)
def _issuer_unknown(site: Site) -> Ask:
    """Two API domains on one database, of which one accepts its own tokens only."""
    visitor = site.init(info={"api_domain": "https://other.example.com"}).sign_in()
    site.init(accepted_issuers=[])
    return lambda: visitor.get("/protected")


@_refuses("access_token_too_large", 500, {"message": "the access token does not fit a cookie"})
def _access_token_too_large(site: Site) -> Ask:
    """The payload was made while tokens travelled in headers, for which there is no such limit."""
    site.init(get_token_transfer_method="header")
    visitor = site.sign_in("header", payload={"text": "x" * 5000})
    site.init()
    cookies = [("sRefreshToken", visitor.refresh_token or "")]
    return lambda: site.post(REFRESH, cookies=cookies)


# -- another origin ---------------------------------------------------------------------------------------


@_refuses("csrf_header_missing", 401, TRY_REFRESH)
def _csrf_header_missing(site: Site) -> Ask:
    visitor = site.init(anti_csrf="VIA_CUSTOM_HEADER").sign_in()
    return lambda: visitor.post("/protected", without=["rid"])


@_refuses("csrf_token_missing", 401, TRY_REFRESH)
def _csrf_token_missing(site: Site) -> Ask:
    visitor = site.init(anti_csrf="VIA_TOKEN").sign_in()
    return lambda: visitor.post("/protected", without=["anti-csrf"])


@_refuses("csrf_token_absent", 401, TRY_REFRESH)
def _csrf_token_absent(site: Site) -> Ask:
    visitor = site.init(anti_csrf="NONE").sign_in()
    site.init(anti_csrf="VIA_TOKEN")
    return lambda: visitor.post("/protected", headers=[("anti-csrf", "anything")])


@_refuses("csrf_token_wrong", 401, TRY_REFRESH)
def _csrf_token_wrong(site: Site) -> Ask:
    visitor = site.init(anti_csrf="VIA_TOKEN").sign_in()
    return lambda: visitor.post("/protected", without=["anti-csrf"], headers=[("anti-csrf", "other")])


@_refuses("foreign_form", 401, UNAUTHORISED)
def _foreign_form(site: Site) -> Ask:
    visitor = site.init().sign_in()
    return lambda: visitor.post("/auth/signout", headers=FOREIGN_FORM)


@_refuses("foreign_page", 401, UNAUTHORISED)
def _foreign_page(site: Site) -> Ask:
    site.init(get_token_transfer_method="cookie")
    return lambda: site.post("/open", [("origin", "https://evil.test")], do=_create)


@_refuses("foreign_websocket", 401, UNAUTHORISED)
def _foreign_websocket(site: Site) -> Ask:
    """As servers hand handshakes to WSGI applications."""
    visitor = site.init().sign_in()
    return lambda: visitor.get("/protected", headers=HANDSHAKE)


# -- the refresh token ------------------------------------------------------------------------------------


@_refuses("refresh_token_missing", 401, UNAUTHORISED)
def _refresh_token_missing(site: Site) -> Ask:
    site.init()
    return lambda: site.post(REFRESH)


@_refuses("refresh_token_missing_access_sent", 401, UNAUTHORISED)
def _refresh_token_missing_access_sent(site: Site) -> Ask:
    visitor = site.init().sign_in()
    return lambda: site.post(REFRESH, cookies=[("sAccessToken", visitor.access or "")])


@_refuses("refresh_token_invalid", 401, UNAUTHORISED)
def _refresh_token_invalid(site: Site) -> Ask:
    site.init()
    return lambda: site.post(REFRESH, bearer="of-another-database")


@_refuses("refresh_token_reused", 401, THEFT)
def _refresh_token_reused(site: Site) -> Ask:
    visitor = site.init().sign_in("header")
    stolen = visitor.refresh_token
    for _ in range(2):
        site.clock.advance(minutes=1)
        visitor.refresh()
    return lambda: site.post(REFRESH, bearer=stolen)


# -- the session ------------------------------------------------------------------------------------------


@_refuses("session_gone", 401, UNAUTHORISED)
def _session_gone(site: Site) -> Ask:
    visitor = site.init().sign_in()
    site.engine.sessions.revoke([visitor.handle])
    return lambda: visitor.get("/database")


@_refuses("session_revoked", 401, UNAUTHORISED)
def _session_revoked(site: Site) -> Ask:
    visitor = site.init(instant_revocation=True).sign_in()
    site.engine.sessions.revoke([visitor.handle])
    return lambda: visitor.get("/protected")


@_refuses("sessions_cut_off", 401, TRY_REFRESH)
def _sessions_cut_off(site: Site) -> Ask:
    """More were revoked than a process remembers: REMEMBERED, in these tests."""
    site.init(instant_revocation=True)
    visitor, *others = (site.sign_in() for _ in range(REMEMBERED + 2))
    site.engine.sessions.revoke([other.handle for other in others])
    return lambda: visitor.get("/protected")


@_refuses("session_expired_idle", 401, UNAUTHORISED)
def _session_expired_idle(site: Site) -> Ask:
    visitor = site.init(lifetime=SessionLifetime(idle=1200)).sign_in()
    site.clock.advance(minutes=20, ms=1)
    return lambda: visitor.refresh()


@_refuses("session_expired_absolute", 401, UNAUTHORISED)
def _session_expired_absolute(site: Site) -> Ask:
    visitor = site.init(lifetime=SessionLifetime(absolute=1200)).sign_in()
    site.clock.advance(minutes=20)
    return lambda: visitor.refresh()


@_refuses("payload_protected", 401, UNAUTHORISED)
def _payload_protected(site: Site) -> Ask:
    """A core of another release, or somebody's SQL, wrote into the payload."""
    visitor = site.init().sign_in()
    database: Any = site.engine.database
    table = database.tables[SESSIONS]
    change = table.update().where(table.c.session_handle == visitor.handle)
    database.write(lambda connection: connection.execute(change.values(jwt_user_payload='{"sub": "x"}')))
    return lambda: visitor.post("/protected", do=_merge)


@_refuses(
    "claims_failed",
    403,
    _claim_fails("admin", message="wrong value", expectedValue=True, actualValue=False),
)
def _claims_failed(site: Site) -> Ask:
    claim = BooleanClaim("admin", lambda *_: False)
    site.world.validators = lambda given, session, context: [*given, claim.validators.is_true()]
    visitor = site.init().sign_in()
    return lambda: visitor.get("/claims")


@_refuses(
    "authentication_not_fresh",
    403,
    _claim_fails("st-auth", message="authentication too old", ageInSeconds=301.0, maxAgeInSeconds=300),
)
def _authentication_not_fresh(site: Site) -> Ask:
    fresh = AuthenticationClaim.validators.fresh(300)
    site.world.validators = lambda given, session, context: [*given, fresh]
    visitor = site.init(step_up=True).sign_in()
    site.clock.advance(s=301)
    return lambda: visitor.get("/claims")


@_refuses("guest_not_allowed", 403, _claim_fails("st-guest", message="guests are not allowed"))
def _guest_not_allowed(site: Site) -> Ask:
    guest, _ = visit(site.init())
    return lambda: guest.get("/protected")


@_refuses("impersonation_refused", 403, _claim_fails("act", message="not allowed to act as this user"))
def _impersonation_refused(site: Site) -> Ask:
    visitor = site.init(impersonation=Impersonation(may=lambda *_: False)).sign_in()
    return lambda: act_as(visitor, "user-2")


@_refuses("session_limit", 409, {"message": "session limit reached"})
def _session_limit(site: Site) -> Ask:
    site.init(limit=SessionLimit(max_sessions=1, when_reached="refuse"))
    site.engine.sessions.revoke_user("user-1", tenant_id=None)
    site.sign_in()
    return lambda: site.post("/open", do=_create)


def _bound(site: Site) -> Visitor:
    """Sign in, bind the session to a device, and forget its bound cookie, as whoever copies the others."""
    visitor = site.init(device_binding="auto").sign_in()
    offer = challenge_in(visitor.first.header("secure-session-registration"))
    answer = [("secure-session-response", proof(new_key(), offer, with_key=True))]
    assert site.post(REGISTER, answer).status == 200
    return visitor


@_refuses("device_not_bound", 403, _claim_fails("st-bound", message="the session is not bound to a device"))
def _device_not_bound(site: Site) -> Ask:
    visitor = site.init(device_binding="auto").sign_in()
    return lambda: visitor.get("/bound")


@_refuses("device_proof_missing", 401, UNAUTHORISED)
def _device_proof_missing(site: Site) -> Ask:
    visitor = _bound(site)
    return lambda: visitor.refresh()


@_refuses("device_proof_delayed", 503, {"message": "device proof delayed"})
def _device_proof_delayed(site: Site) -> Ask:
    visitor = _bound(site)
    return lambda: visitor.refresh(headers=[("secure-session-skipped", "quota_exceeded")])


@_refuses("device_proof_wanted", 403, {"message": "sign this challenge"})
def _device_proof_wanted(site: Site) -> Ask:
    """A browser that has been restarted, which knows no challenge."""
    site.init(device_binding="auto")
    browser = DeviceBrowser(site, site.clock)
    browser.sign_in()
    bound = browser.session
    return lambda: browser.send_proof(bound.refresh_url, None, bound.identifier)


@_refuses("device_proof_wrong", 403, {"message": "not a proof"})
def _device_proof_wrong(site: Site) -> Ask:
    site.init(device_binding="auto")
    return lambda: site.post(REGISTER, [("secure-session-response", "x")])


@_refuses("not_a_first_factor", 401, UNAUTHORISED)
def _not_a_first_factor(site: Site) -> Ask:
    site.init(recipes=[emailpassword.init(email_delivery=EmailDeliveryConfig(AsyncOutbox()))])
    create_or_update_tenant("public", TenantConfigCreateOrUpdate(first_factors=["thirdparty"]))
    return lambda: send(Visitor(site), "/signin", email="ada@example.com", password="correct horse 1")


@_refuses("user_unknown", 401, UNAUTHORISED)
def _user_unknown(site: Site) -> Ask:
    """The user was deleted, and the session was not."""
    users = {"user-1"}

    def address_of(user_id: str, context: Any) -> Any:
        return GetEmailForUserIdOkResult("ada@example.com") if user_id in users else UnknownUserIdError()

    mails = emailverification.EmailDeliveryConfig(Outbox())
    recipe = emailverification.init("OPTIONAL", mails, get_email_for_recipe_user_id=address_of)
    visitor = site.init(recipes=[recipe]).sign_in()
    users.clear()
    return lambda: visitor.post("/auth/user/email/verify/token")


# -- decided elsewhere ------------------------------------------------------------------------------------


@_refuses("core_refused", 401, UNAUTHORISED)
def _core_refused(site: Site) -> Ask:
    """A core with reasons of its own; see `tests/engine/remote`."""
    core = Core(
        {
            "GET /.well-known/jwks.json": {"keys": [jwk()]},
            "POST /recipe/session/verify": {"status": "UNAUTHORISED", "message": "not on a Sunday"},
        },
        versions=["5.4"],
    )
    site.init()
    app: Any = Supertokens.get_instance()
    app.open_engine = lambda: engine_over(core)
    return lambda: site.get("/database", bearer=access_token().text)


@_refuses("application", 401, UNAUTHORISED)
def _application(site: Site) -> Ask:
    visitor = site.init().sign_in()

    def closed_today(view: Any) -> Any:
        raise_unauthorised_exception("closed today")

    return lambda: visitor.get("/protected", do=closed_today)
