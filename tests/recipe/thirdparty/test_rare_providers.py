"""Configurations and answers that are rare."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe.thirdparty.exceptions import ProviderError
from supertokens_py.recipe.thirdparty.provider import (
    ProviderClientConfig,
    ProviderConfig,
    ProviderInput,
    UserFields,
    UserInfoMap,
)
from supertokens_py.recipe.thirdparty.providers.addresses import NetworkRules
from supertokens_py.recipe.thirdparty.providers.documents import Documents
from supertokens_py.recipe.thirdparty.providers.failures import SignInFailedError
from supertokens_py.recipe.thirdparty.providers.frontend_tokens import accepted_tokens
from supertokens_py.recipe.thirdparty.providers.http import ProviderHttp, Request
from supertokens_py.recipe.thirdparty.providers.places import Exchanges, Places
from tests.recipe.thirdparty.conftest import Frontend, MakeSource, custom, found, id_token
from tests.recipe.thirdparty.test_built_in_providers import CASES, DIRECTORY, configured
from tests.support.clock import Clock
from tests.support.fake_provider import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, Asked, FakeProvider


async def test_a_public_client(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    frontend = await Frontend(await found(source(custom(fake, client_secret=None)))).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"])
    assert (await frontend.come_back()).third_party_user_id == "ada"
    assert "client_secret" not in fake.last("/token").form


@pytest.mark.parametrize(
    ("methods", "basic"),
    [
        (["client_secret_basic"], True),
        (["client_secret_basic", "client_secret_post"], False),
        (["private_key_jwt"], False),
        ("client_secret_basic", False),
    ],
)
async def test_where_the_secret_is_sent(
    methods: Any, basic: bool, source: MakeSource, fake: FakeProvider
) -> None:
    """In a header where the provider takes it nowhere else."""
    fake.document["token_endpoint_auth_methods_supported"] = methods
    secret = "s: %&é"
    frontend = await Frontend(await found(source(custom(fake, client_secret=secret)))).begin()
    await frontend.exchange()
    asked = fake.last("/token")
    assert asked.basic_auth == ((CLIENT_ID, secret) if basic else None)
    assert asked.form.get("client_secret") == (None if basic else secret)


async def test_parameters_and_headers_of_the_application(source: MakeSource, fake: FakeProvider) -> None:
    """None leaves one out, ours included."""
    given = custom(
        fake,
        scope=["email"],
        token_endpoint_body_params={"audience": "x", "redirect_uri": None},
        user_info_endpoint_query_params={"fields": "id", "none": None},
        user_info_endpoint_headers={"X-Kind": "1", "Authorization": "token of another kind", "None": None},
    )
    await (await Frontend(await found(source(given))).begin()).come_back()
    form, asked = fake.last("/token").form, fake.last("/me")
    assert form["audience"] == "x"
    assert "redirect_uri" not in form
    assert asked.query == {"fields": "id"}
    assert asked.headers["x-kind"] == "1"
    assert asked.headers["authorization"] == "token of another kind"


async def test_endpoints_with_a_query(source: MakeSource, fake: FakeProvider) -> None:
    fake.document["authorization_endpoint"] += "?policy=b2c"
    fake.document["token_endpoint"] += "?policy=b2c"
    frontend = await Frontend(await found(source(custom(fake)))).begin()
    assert frontend.query["policy"] == "b2c"
    await frontend.exchange()
    assert fake.last("/token").query == {"policy": "b2c"}


async def test_endpoints_that_are_missing(source: MakeSource, fake: FakeProvider) -> None:
    provider = await found(source(custom(fake, oidc_discovery_endpoint=None)))
    with pytest.raises(ProviderError, match="authorization_endpoint is not configured"):
        await Frontend(provider).begin()
    odd = custom(fake, oidc_discovery_endpoint=None, authorization_endpoint="https://[::1")
    with pytest.raises(ProviderError, match="cannot be read"):
        await Frontend(await found(source(odd))).begin()


async def test_a_path_that_leads_nowhere(source: MakeSource, fake: FakeProvider) -> None:
    fields = UserInfoMap(from_user_info_api=UserFields("sub.deeper", "list.9", "list.x"))
    fake.user = {"sub": "ada", "list": ["x"]}
    frontend = await Frontend(await found(source(custom(fake, user_info_map=fields)))).begin()
    with pytest.raises(ProviderError, match="does not say who the user is"):
        await frontend.come_back()


async def test_apple_with_a_secret_of_the_application(source: MakeSource, fake: FakeProvider) -> None:
    client = ProviderClientConfig(CLIENT_ID, "made-elsewhere")
    document = f"{fake.address}/.well-known/openid-configuration"
    given = ProviderInput(ProviderConfig("apple", clients=[client], oidc_discovery_endpoint=document))
    await (await Frontend(await found(source(given), "apple")).begin()).exchange()
    assert fake.last("/token").form["client_secret"] == "made-elsewhere"


async def test_github_without_what_it_needs(source: MakeSource, fake: FakeProvider) -> None:
    """Without a secret nobody can look a token up; without a primary address there is none."""
    given = configured(next(case for case in CASES if case.name == "github"), fake)
    provider = await found(source(given), "github")
    fake.answers["/user/emails"] = [{"email": "a@example.com", "primary": "yes"}, "x"]
    accepted = accepted_tokens(provider, {"access_token": ACCESS_TOKEN})
    assert (await provider.get_user_info(accepted, {})).email is None
    assert given.config.clients is not None
    given.config.clients[0].client_secret = None
    provider = await found(source(given), "github")
    with pytest.raises(ProviderError, match="needs the client's secret"):
        await provider.get_user_info(accepted, {})


async def test_github_enterprise(source: MakeSource, fake: FakeProvider) -> None:
    """Addresses and look-ups are beside the configured user."""
    case = next(case for case in CASES if case.name == "github")
    given = configured(case, fake)
    given.config.user_info_endpoint = f"{fake.address}/api/v3/user"
    fake.answers |= {f"/api/v3{path}": answer for path, answer in case.answers.items()}
    provider = await found(source(given), "github")
    user = await provider.get_user_info(accepted_tokens(provider, {"access_token": ACCESS_TOKEN}), {})
    assert user.third_party_user_id == "583231"
    assert all(path.startswith("/api/v3/") for path in fake.paths())


async def test_microsoft_without_an_address(source: MakeSource, fake: FakeProvider, clock: Clock) -> None:
    case = next(case for case in CASES if case.name == "active-directory")
    frontend = await Frontend(await found(source(configured(case, fake)), case.name)).begin()
    fake.id_token = id_token(fake, clock, frontend.query["nonce"], email=None, xms_edov=True, tid=DIRECTORY)
    fake.answers["/me"] = {"sub": "ada"}
    assert (await frontend.come_back()).email is None


def test_a_host_without_an_address() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    for resolve in (unknown, lambda host, port: []):
        with pytest.raises(SignInFailedError):
            ProviderHttp(NetworkRules(), resolve=resolve).send(Request(url="https://idp.example/"), ())


def test_a_fork_in_the_middle_of_a_request(fake: FakeProvider) -> None:
    """The child has locks of its own, and counts its own requests."""
    sender = ProviderHttp(NetworkRules(development=True))
    documents = Documents(lambda url, hosts: {"issuer": url})
    places, exchanges = Places(), Exchanges()

    def fork(asked: Asked) -> Any:
        for one in (documents, places, exchanges):
            one.after_fork_in_child()
        with places.taken("x", 1, wait_s=0, what="requests"), exchanges.of("v"):
            return {"ok": True}

    fake.answers["/x"] = fork
    for _ in range(2):
        with places.taken("x", 1, wait_s=0, what="requests"), exchanges.of("v"):
            assert sender.send(Request(url=f"{fake.address}/x"), ()).json() == {"ok": True}
    assert documents.metadata("https://idp.example", ()).issuer == "https://idp.example"


def test_secrets_do_not_appear_in_representations() -> None:
    request = Request(
        url="https://idp.example/?t=secret", form={"client_secret": "secret"}, basic_auth=("id", "secret")
    )
    assert "secret" not in repr(request)
    assert CLIENT_SECRET not in repr(ProviderClientConfig("id", CLIENT_SECRET))
