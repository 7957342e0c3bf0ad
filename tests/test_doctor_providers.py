"""`supertokens doctor` on providers: what would fail at the first sign-in, without asking anybody."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from supertokens_py import InputAppInfo, Supertokens, SupertokensConfig, doctor, init
from supertokens_py.doctor import Finding, ProviderSettings
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session, thirdparty
from supertokens_py.recipe.thirdparty.provider import ProviderClientConfig, ProviderConfig, ProviderInput
from tests.cli.conftest import Runner, run

__all__ = ["run"]

CLIENT = ProviderClientConfig("the-client", "a secret")
APPLE = {"keyId": "k", "teamId": "t", "privateKey": "p"}


def found(*inputs: Any, **settings: Any) -> list[Finding]:
    about = {"api_domain": "https://api.example.com", "website_domain": "https://example.com", **settings}
    return doctor.run(providers=ProviderSettings(providers=inputs, **about))


def input_of(third_party_id: str, *clients: ProviderClientConfig, **config: Any) -> ProviderInput:
    return ProviderInput(ProviderConfig(third_party_id, clients=list(clients or (CLIENT,)), **config))


def levels(findings: list[Finding]) -> list[str]:
    return [finding.level for finding in findings]


def test_what_to_register_is_said() -> None:
    """Of each provider, the address that it sends browsers back to; Apple's is the API's."""
    apple = input_of("apple", ProviderClientConfig("services-id", additional_config=APPLE))
    oks = found(
        input_of("google"), input_of("github"), apple, website_base_path="/login", api_base_path="/api/auth"
    )
    assert levels(oks) == ["ok", "ok", "ok"]
    assert [finding.text.partition(" back to ")[2].partition(": ")[0] for finding in oks] == [
        "https://example.com/login/callback/google",
        "https://example.com/login/callback/github",
        "https://api.example.com/api/auth/callback/apple",
    ]
    assert levels(found(input_of("google"), website_domain="http://localhost:3000")) == ["ok"]


@pytest.mark.parametrize(
    ("one", "settings", "text"),
    [
        (
            input_of("google"),
            {"website_domain": "http://example.com"},
            "is to send codes to http://example.com",
        ),
        (
            input_of("apple", ProviderClientConfig("id", additional_config=APPLE)),
            {"api_domain": "http://localhost:8000"},
            "https and real domains only",
        ),
        (ProviderInput(ProviderConfig("google")), {}, "google has no client"),
        (input_of("google", CLIENT, CLIENT), {}, "clients that requests cannot tell apart"),
        (input_of("google", ProviderClientConfig("")), {}, "without a client_id"),
        (input_of("google", ProviderClientConfig("a", "")), {}, "client_secret of google is empty"),
        (
            input_of("own", oidc_discovery_endpoint="http://id.example.com"),
            {},
            "oidc_discovery_endpoint of own is http://id.example.com",
        ),
        (
            input_of("google"),
            {"allowed_redirect_uris": ["https://app.example/in", "http://other.example/in"]},
            "allowed_redirect_uris has http://other.example/in",
        ),
        (input_of("google"), {"allowed_redirect_uris": ["/in"]}, "must be a whole address"),
        (input_of("active-directory"), {}, "directoryId"),
        (input_of("boxy-saml", oidc_discovery_endpoint="https://saml.example.com"), {}, "needs 'boxyURL'"),
        (input_of("acme"), {}, "acme is no built-in provider"),
        (input_of("gogle"), {}, "gogle is no built-in provider"),
        (input_of("acme", authorization_endpoint="https://acme.example/a"), {}, "has no endpoints"),
    ],
)
def test_what_cannot_work_is_an_error(one: ProviderInput, settings: dict[str, Any], text: str) -> None:
    findings = found(one, **settings)
    assert doctor.worst(findings) == "error"
    (error,) = [finding for finding in findings if finding.level == "error"]
    assert text in error.text
    assert error.advice


def test_a_provider_of_ones_own_has_endpoints() -> None:
    """Those of OAuth, or the document that names them; a built-in one has them by its id."""
    own = {"authorization_endpoint": "https://acme.example/a", "token_endpoint": "https://acme.example/t"}
    document = "https://acme.example/.well-known/openid-configuration"
    for one in (input_of("acme", **own), input_of("acme", oidc_discovery_endpoint=document)):
        assert "error" not in levels(found(one))
    overridden = ProviderInput(ProviderConfig("acme", clients=[CLIENT]), override=lambda original: original)
    assert "error" not in levels(found(overridden))
    for kind in ("google", "github", "gitlab", "discord", "facebook", "linkedin", "twitter"):
        assert "error" not in levels(found(input_of(kind)))


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (input_of("google", ProviderClientConfig("a", "b", scope=["email"])), "the scope has no 'openid'"),
        (input_of("google", ProviderClientConfig("a", "b", scope=["openid"])), "the scope has no 'email'"),
        (input_of("github", ProviderClientConfig("a", "b", scope=["read:user"])), "no 'user:email'"),
        (
            input_of("apple", ProviderClientConfig("a", "fixed", additional_config=APPLE)),
            "expire after six months",
        ),
        (
            input_of("google", ProviderClientConfig("a", "b", additional_config={"skipChecks": ["pkce"]})),
            "checks of google are switched off: pkce",
        ),
        (
            input_of(
                "discord", ProviderClientConfig("a", additional_config={"allowAccessTokenSignIn": True})
            ),
            "issued to other applications",
        ),
    ],
)
def test_what_may_be_meant_is_a_warning(one: ProviderInput, text: str) -> None:
    findings = found(one)
    (warning,) = [finding for finding in findings if finding.level == "warning"]
    assert doctor.worst(findings) == "warning"
    assert text in warning.text
    assert warning.advice


def test_no_secret_is_shown() -> None:
    client = ProviderClientConfig("a", "the secret of a client", additional_config={"keyId": "x"})
    text = repr(found(input_of("apple", client), input_of("google", client)))
    assert "the secret" not in text


def test_users_without_address_need_no_scope() -> None:
    own = ProviderClientConfig("a", "b", scope=["openid"])
    assert levels(found(input_of("google", own, require_email=False))) == ["ok"]
    assert levels(found(input_of("twitter"), input_of("boxy-saml", _boxy()))) == ["ok", "ok"]


def _boxy() -> ProviderClientConfig:
    return ProviderClientConfig("a", "b", additional_config={"boxyURL": "https://saml.example.com"})


APP = """
from supertokens_py import InputAppInfo, init
from supertokens_py.recipe import session, thirdparty
from supertokens_py.recipe.thirdparty import ProviderClientConfig, ProviderConfig, ProviderInput

github = ProviderConfig("github", clients=[ProviderClientConfig("a", "b", scope=["read:user"])])
init(
    app_info=InputAppInfo("Shop", "http://localhost:8000", website_domain="http://localhost:3000"),
    recipe_list=[
        session.init(), thirdparty.init(thirdparty.SignInAndUpFeature([ProviderInput(github)]))
    ],
)
"""


@pytest.mark.parametrize(
    ("source", "code", "text"),
    [
        (APP, 0, "github is not asked for addresses"),
        (APP, 0, "the website http://localhost:3000 is the same site as the API http://localhost:8000"),
        ("x = 1", 2, "does not call init()"),
        ("import nowhere_at_all", 2, "cannot be imported"),
    ],
)
def test_the_providers_of_an_application(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, code: int, text: str
) -> None:
    """`--app` names the module that calls `init`, as servers are started with."""
    Supertokens.reset()
    name = f"app_of_doctor_{len(source)}_{len(text)}"
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = run("doctor", "--no-store", "--app", name)
    Supertokens.reset()
    assert ran.code == code
    assert text in f"{ran.out}{ran.err}"


@pytest.mark.parametrize(
    ("recipes", "message"),
    [
        ([], "the app has no thirdparty.init() in recipe_list"),
        (
            [thirdparty.init()],
            "the app decides by a function what its website is: name one with --website-domain",
        ),
    ],
)
def test_an_application_without_settings_of_providers(recipes: list[Any], message: str) -> None:
    Supertokens.reset()
    init(
        InputAppInfo("Shop", "http://localhost:8000", origin=lambda *_: "http://localhost:3000"),
        supertokens_config=SupertokensConfig("sqlite://"),
        recipe_list=[session.init(), *recipes],
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        doctor.settings_of(Supertokens.get_instance())
    Supertokens.reset()


WITH_A_DATABASE = """
from supertokens_py import EngineConfig, InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import session

init(
    InputAppInfo("Shop", "http://localhost:8000", website_domain="http://localhost:3000"),
    supertokens_config=SupertokensConfig("sqlite:///shop.db", engine=EngineConfig(table_prefix="shop_")),
    recipe_list=[session.init()],
)
"""


def test_the_database_of_an_application(run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment of the shell names; the option names another one."""
    (tmp_path / "app_with_a_database.py").write_text(WITH_A_DATABASE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("SUPERTOKENS_CONNECTION_URI", "sqlite:///elsewhere.db")
    for arguments, name in (((), "shop.db"), (("--connection-uri", "sqlite:///given.db"), "given.db")):
        Supertokens.reset()
        sys.modules.pop("app_with_a_database", None)
        ran = run("doctor", "--app", "app_with_a_database", *arguments)
        assert f"WARN  database: there is no database {tmp_path}/{name}: " in ran.out
    Supertokens.reset()


BY_REQUEST = """
from supertokens_py import InputAppInfo, init
from supertokens_py.recipe import session

init(
    app_info=InputAppInfo("Shop", "https://api.example.com", origin=lambda *_: "https://example.com"),
    recipe_list=[session.init()],
)
"""


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        ((), 2, "--api-domain and --website-domain"),
        (("--website-domain", "https://example.com"), 0, "https://example.com is the same site as the API"),
        (("--website-domain", "https://example.org"), 0, "https://example.org is another site than the API"),
        (("--website-domain", "https://example.org", "--cookie-same-site", "lax"), 1, "are not sent from"),
    ],
)
def test_the_domains_of_an_application(
    run: Runner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    text: str,
) -> None:
    """A website that is decided request by request is named; other options win over the app."""
    Supertokens.reset()
    name = f"app_of_doctor_by_request_{hash(arguments) & 0xFFFFFF}"
    (tmp_path / f"{name}.py").write_text(BY_REQUEST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    ran = run("doctor", "--no-store", "--app", name, *(arguments or ("--probe",)))
    Supertokens.reset()
    assert ran.code == code
    assert text in f"{ran.out}{ran.err}"
