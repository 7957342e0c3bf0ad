"""The backend of the browser tests on Flask."""

from __future__ import annotations

import shared
from flask import Flask, Response, g, request
from flask_cors import CORS

from supertokens_py import get_all_cors_headers
from supertokens_py.framework.flask import Middleware
from supertokens_py.recipe.session.framework.flask import verify_session
from supertokens_py.recipe.session.syncio import create_new_session, revoke_session
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim
from supertokens_py.recipe.userroles.syncio import add_role_to_user, create_new_role_or_add_permissions

shared.configure()
app = Flask(__name__, static_folder=None)
app.json.sort_keys = False
Middleware(app)
CORS(
    app,
    origins=shared.ALLOWED_ORIGINS,
    supports_credentials=True,
    allow_headers=["content-type", *get_all_cors_headers()],
)


@app.get("/pages/<path:name>")
def page(name: str):
    found = shared.page_file(name)
    return Response(found[0], content_type=found[1]) if found else Response(status=404)


@app.post("/login")
def login():
    body = request.get_json()
    create_new_session(request, "public", body["user"], body.get("payload", {}))
    return {"user": body["user"]}


@app.get("/public")
def public():
    return {"public": True}


@app.get("/optional")
@verify_session(session_required=False)
def optional():
    return {"user": g.supertokens.get_user_id() if g.supertokens else None}


@app.route("/me", methods=["GET", "POST"])
@verify_session()
def me():
    return shared.describe(g.supertokens)


@app.get("/checked")
@verify_session(check_database=True)
def checked():
    return shared.describe(g.supertokens)


@app.post("/merge")
@verify_session()
def merge():
    g.supertokens.sync_merge_into_access_token_payload(request.get_json())
    return shared.describe(g.supertokens)


@app.post("/revoke-me")
@verify_session()
def revoke_me():
    g.supertokens.sync_revoke_session()
    return {}


@app.get("/second-factor")
@verify_session(override_global_claim_validators=shared.require_second_factor)
def second_factor():
    return shared.describe(g.supertokens)


@app.post("/second-factor/complete")
@verify_session()
def complete_second_factor():
    """The user has shown the second factor; the session does not know yet."""
    shared.second_factor_done[g.supertokens.get_user_id()] = True
    return {}


@app.post("/second-factor/refetch")
@verify_session()
def refetch_second_factor():
    g.supertokens.sync_fetch_and_set_claim(shared.SecondFactorClaim)
    return {}


@app.get("/admin")
@verify_session(override_global_claim_validators=shared.require_admin)
def admin():
    return shared.describe(g.supertokens)


@app.post("/become-admin")
@verify_session()
def become_admin():
    create_new_role_or_add_permissions("admin", ["write"])
    add_role_to_user("public", g.supertokens.get_user_id(), "admin")
    g.supertokens.sync_fetch_and_set_claim(UserRoleClaim)
    g.supertokens.sync_fetch_and_set_claim(PermissionClaim)
    return {}


@app.get("/forbidden")
@verify_session()
def forbidden():
    """The application's own 403, which is no claim failure."""
    return Response(status=403)


@app.post("/form")
@verify_session()
def form():
    shared.accepted_posts.append(g.supertokens.get_user_id())
    return {}


@app.post("/form-without-check")
@verify_session(anti_csrf_check=False)
def form_without_check():
    shared.accepted_posts.append(g.supertokens.get_user_id())
    return {}


@app.get("/test/accepted-posts")
def accepted_posts():
    return shared.accepted_posts


@app.post("/test/revoke")
def revoke():
    return {"revoked": revoke_session(request.args["handle"])}
