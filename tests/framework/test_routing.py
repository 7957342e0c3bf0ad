"""Keys, discovery, base paths, gateways and mounted applications (protocol: Keys and discovery, Routing)."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from supertokens_py import Supertokens, get_all_cors_headers
from supertokens_py.engine.records import Jwks
from supertokens_py.recipe import jwt as jwt_recipe
from supertokens_py.recipe import openid
from supertokens_py.types.response import GeneralErrorResponse

from .site import Site


def test_the_jwks_has_public_members_for_every_origin(site: Site) -> None:
    """FP-103: public members only, open to every origin, cacheable as long as the keys are good."""
    site.sign_in()
    reply = site.get("/auth/jwt/jwks.json")
    assert reply.status == 200
    assert reply.header("access-control-allow-origin") == "*"
    assert reply.header("content-type") == "application/json; charset=utf-8"
    cache = reply.header("cache-control") or ""
    assert cache.startswith("max-age=")
    assert cache.endswith(", must-revalidate")
    keys = reply.json["keys"]
    assert {key["kid"][:2] for key in keys} == {"d-", "s-"}
    for key in keys:
        assert key.keys() == {"kty", "kid", "n", "e", "alg", "use"}
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
    assert reply.session_parts == []


@pytest.mark.parametrize(("core", "expected"), [(300, 300), (None, None)])
def test_the_cores_max_age_is_forwarded(site: Site, core: int | None, expected: int | None) -> None:
    """FP-103: the core's max-age is forwarded."""
    app: Any = Supertokens.get_instance()
    engine = app.open_engine()

    class Changed:
        """Something of the engine with one attribute changed."""

        def __init__(self, original: Any, **changes: Any) -> None:
            self._original = original
            vars(self).update(changes)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._original, name)

    def jwks() -> Jwks:
        """Another idea of how long keys may be cached, and members that are private."""
        found = engine.keys.jwks()
        return Jwks([{**key, "d": "secret", "p": "secret"} for key in found.keys], core or 60)

    app.open_engine = lambda: Changed(engine, keys=Changed(engine.keys, jwks=jwks))
    reply = site.get("/auth/jwt/jwks.json")
    assert reply.header("cache-control") == f"max-age={expected or 60}, must-revalidate"
    assert b"secret" not in reply.body


def test_third_parties_can_verify(site: Site, mode: str) -> None:
    """FP-103, FP-105: PyJWT with our published keys accepts our token, and finds the issuer of discovery."""
    visitor = site.sign_in(mode)
    keys = jwt.PyJWKSet.from_dict(site.get("/auth/jwt/jwks.json").json)
    issuer = site.get("/auth/.well-known/openid-configuration").json["issuer"]
    kid = jwt.get_unverified_header(visitor.access or "")["kid"]
    claims = jwt.decode(visitor.access or "", keys[kid].key, ["RS256"], issuer=issuer)
    assert claims["sub"] == "user-1"


@pytest.mark.parametrize(
    ("info", "issuer"),
    [
        ({}, "https://api.example.com/auth"),
        ({"api_base_path": "/"}, "https://api.example.com"),
        ({"api_gateway_path": "/gw", "api_base_path": "api"}, "https://api.example.com/gw/api"),
    ],
)
def test_the_issuer_of_discovery_is_that_of_tokens(
    bare_site: Site, info: dict[str, Any], issuer: str
) -> None:
    """FP-104, FP-105: issuer is api domain + base, as in tokens; no `status` member."""
    bare_site.init(info=info)
    base = issuer.removeprefix("https://api.example.com").removeprefix("/gw")
    reply = bare_site.get(f"{base}/.well-known/openid-configuration")
    assert reply.json == {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/jwt/jwks.json",
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }
    assert reply.header("access-control-allow-origin") == "*"
    assert reply.header("cache-control") is None
    assert bare_site.sign_in().first.front["up"]["iss"] == issuer
    assert bare_site.get(f"{base}/jwt/jwks.json").status == 200


def test_public_paths_have_a_tenant_form(site: Site) -> None:
    """FP-77: `{base}/{tenant}/jwt/jwks.json` and discovery."""
    assert site.get("/auth/t1/jwt/jwks.json").json == site.get("/auth/jwt/jwks.json").json
    assert site.get("/auth/t1/.well-known/openid-configuration").status == 200
    assert site.post("/auth/jwt/jwks.json").status in (404, 405)


def test_a_general_error_of_an_override_is_a_200(bare_site: Site) -> None:
    """FP-103: sent as 200, without the CORS header."""

    def apis(default: Any) -> Any:
        default.jwks_get = lambda *_: GeneralErrorResponse("closed")
        return default

    bare_site.init(recipes=[jwt_recipe.init(override=jwt_recipe.OverrideConfig(apis=apis))])
    reply = bare_site.get("/auth/jwt/jwks.json")
    assert (reply.status, reply.json) == (200, {"status": "GENERAL_ERROR", "message": "closed"})
    assert reply.header("access-control-allow-origin") is None


def test_a_disabled_api_leaves_its_path_to_the_application(bare_site: Site) -> None:
    """FP-107: a disabled API leaves its path to the application."""

    def no_jwks(default: Any) -> Any:
        default.disable_jwks_get = True
        return default

    def no_discovery(default: Any) -> Any:
        default.disable_open_id_discovery_configuration_get = True
        return default

    bare_site.init(
        recipes=[
            openid.init(override=openid.OpenIdOverrideConfig(apis=no_discovery)),
            jwt_recipe.init(override=jwt_recipe.OverrideConfig(apis=no_jwks)),
        ]
    )
    assert bare_site.get("/auth/jwt/jwks.json").status == 404
    assert bare_site.get("/auth/.well-known/openid-configuration").status == 404


def test_the_cors_headers_are_exactly_five(site: Site) -> None:
    """FP-17: exactly the five names."""
    assert sorted(get_all_cors_headers()) == [
        "anti-csrf",
        "authorization",
        "fdi-version",
        "rid",
        "st-auth-mode",
    ]


@pytest.mark.parametrize("base", ["/a.b", "/api/v1.0/auth", "/Auth", "/a+b"])
def test_the_base_path_is_literal(bare_site: Site, base: str) -> None:
    """FP-107: no character of the base path is a pattern, and case counts."""
    visitor = bare_site.init(info={"api_base_path": base}).sign_in("header")
    assert visitor.post(f"{base}/session/refresh").status == 200
    for other in (base.replace(".", "x"), base.swapcase(), f"{base}x", f"/x{base}"):
        if other != base:
            assert bare_site.post(f"{other}/session/refresh").status in (404, 405)


# -- gateways and mounts ---------------------------------------------------------------------------


def converse(site: Site, base: str, mode: str) -> None:
    """Sign in, refresh and sign out below `base`, as the browser sees it."""
    visitor = site.sign_in(mode)
    if mode == "cookie":
        assert visitor.first.cookie("sRefreshToken").attributes["path"] == f"{base}/session/refresh"
    assert visitor.first.front["up"]["iss"] == f"https://api.example.com{base}"
    seen_by_app = base.removeprefix("/gw")
    assert visitor.post(f"{seen_by_app}/session/refresh").status == 200
    assert visitor.get("/protected").json == {"user": "user-1"}
    assert visitor.post(f"{seen_by_app}/signout").json == {"status": "OK"}


def test_a_gateway_that_strips_its_path_is_in_cookie_and_issuer(bare_site: Site, mode: str) -> None:
    """FP-2, FP-105: cookie path and issuer contain the gateway path, the app's own path does not."""
    bare_site.init(info={"api_gateway_path": "/gw"})
    converse(bare_site, "/gw/auth", mode)


def test_a_gateway_that_keeps_its_path(bare_site: Site) -> None:
    """FP-107: a request that still has the prefix is ours as well."""
    bare_site.init(info={"api_gateway_path": "/gw"})
    assert bare_site.post("/gw/auth/session/refresh").json == {"message": "unauthorised"}
    assert bare_site.post("/auth/session/refresh").json == {"message": "unauthorised"}


@pytest.mark.pairwise
@pytest.mark.parametrize("info", [{"api_base_path": "/svc/auth"}, {"api_gateway_path": "/svc"}])
def test_the_base_path_counts_the_mount_prefix(bare_site: Site, info: dict[str, Any], mode: str) -> None:
    """FP-107: root_path, SCRIPT_NAME: the base path is what the browser sees, on every framework."""
    bare_site.init(info=info)
    bare_site.root_path = "/svc"
    visitor = bare_site.sign_in(mode, prefix="/svc")
    reply = visitor.post("/svc/auth/session/refresh")
    assert (reply.status, reply.body) == (200, b"{}")
    assert visitor.get("/svc/protected").json == {"user": "user-1"}
    assert visitor.get("/svc/auth/other").json == {"user": None}
    assert visitor.post("/svc/auth/signout").json == {"status": "OK"}
    if mode == "cookie":
        assert visitor.first.cookie("sRefreshToken").attributes["path"] == "/svc/auth/session/refresh"


MOUNTED = (
    "the app is mounted below /svc, but clients look for the SDK's routes below {}, so they can neither "
    "refresh nor sign out. Set {} in InputAppInfo, and the same in the frontend."
)


@pytest.mark.parametrize(
    ("info", "told"),
    [
        ({}, [MOUNTED.format("/auth/", 'api_base_path="/svc/auth"')]),
        ({"api_base_path": "/"}, [MOUNTED.format("/", 'api_base_path="/svc"')]),
        ({"api_gateway_path": "/gw"}, [MOUNTED.format("/gw/auth/", 'api_base_path="/svc/auth"')]),
        ({"api_base_path": "/svc/auth"}, []),
        ({"api_gateway_path": "/svc"}, []),
        ({"api_gateway_path": "/gw", "api_base_path": "/svc/auth"}, []),
    ],
)
def test_a_mount_prefix_out_of_reach_is_told_once(
    bare_site: Site, info: dict[str, str], told: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """FP-107: at the first session, for none of them can be refreshed."""
    bare_site.init(info=info)
    bare_site.root_path = "/svc"
    for _ in range(2):
        bare_site.sign_in(prefix="/svc")
    assert warnings_of_app(caplog) == told


def warnings_of_app(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "supertokens_py.app"]


def test_a_mount_prefix_that_the_base_path_does_not_name(bare_site: Site) -> None:
    """FP-107: mounted below /svc with base /auth: /svc/auth is not /auth, on every framework."""
    bare_site.init()
    bare_site.root_path = "/svc"
    reply = bare_site.post("/svc/auth/session/refresh")
    assert (reply.json, reply.session_parts) == (
        {"user": None},
        [],
    )  # the application's own view of that path
