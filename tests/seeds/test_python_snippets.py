"""Every Python snippet of the customer's documents runs, as its text stands in `snippets/`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supertokens_py import Supertokens
from supertokens_py.recipe.session.asyncio import (
    create_new_session_without_request_response,
    refresh_session_without_request_response,
)
from supertokens_py.recipe.session.asyncio import get_session_information as get_session_information_async
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response as create_blocking,
)
from supertokens_py.recipe.session.syncio import get_session_information
from tests.seeds.fixtures import Start
from tests.seeds.sites import API, Route, Visit, django_settings, fastapi_site, flask_site, opened
from tests.support.databases import TestDatabase

SNIPPETS = Path(__file__).parent / "snippets"
COOKIES = {"st-auth-mode": "cookie"}
PAYLOAD = {"customClaim": "theValue"}


def text_of(name: str, **values: str) -> str:
    """Return a snippet with the package renamed and a value for each placeholder."""
    text = (SNIPPETS / f"{name}.txt").read_text().replace("supertokens_python", "supertokens_py")
    for parameter, value in values.items():
        for placeholder in (f'{parameter}="..."', f"{parameter}='...'"):
            text = text.replace(placeholder, f"{parameter}={value!r}")
    assert '"..."' not in text
    return text


def run(text: str, **names: Any) -> dict[str, Any]:
    """Execute a snippet as a module of its own that already has these names."""
    namespace: dict[str, Any] = {"__name__": "snippet", **names}
    exec(compile(text, "snippet", "exec", dont_inherit=True), namespace)
    return namespace


def run_p1(framework: str) -> None:
    here = {"api_domain": API, "app_name": "Shop", "website_domain": "http://example.com"}
    run(text_of("p01", framework=framework, **here))


async def log_in(visit: Visit) -> dict[str, Any]:
    await visit.log_in("userId", PAYLOAD)
    return {}


async def payload(visit: Visit) -> Any:
    assert visit.session is not None
    return visit.session.get_access_token_payload()


LOG_IN = Route("/login", log_in)


@pytest.fixture
def in_memory(start: Start) -> Supertokens:
    return start(uri="sqlite://")


@pytest.fixture
def stored(any_database: TestDatabase, start: Start) -> Supertokens:
    """An app on each database that outlives a process."""
    return start(uri=any_database.uri)


# -- P1: claims at creation, by override -----------------------------------------------------------


@pytest.fixture
def empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Somewhere for the default database, and no app yet."""
    Supertokens.reset()
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    Supertokens.reset()


@pytest.mark.parametrize("framework", ["fastapi", "flask", "django"])
async def test_p1_override_of_create_new_session(framework: str, empty_directory: Path) -> None:
    """Without `supertokens_config`, sessions go to a file here, and each carries the claim."""
    run_p1(framework)
    kind = "django-async" if framework == "django" else framework
    with opened(kind, [LOG_IN, Route("/payload", payload, verify={})]) as site:
        browser = site.browser(st_auth_mode="cookie")
        assert (await browser.post("/login")).status_code == 200
        claims = (await browser.get("/payload")).json()
    assert claims["someKey"] == "someValue"
    assert claims["customClaim"] == "theValue"
    assert (empty_directory / "supertokens.db").exists()


def test_p1_override_of_create_new_session_for_blocking_callers(empty_directory: Path) -> None:
    run_p1("flask")
    created = create_blocking("public", "userId")
    assert created.get_access_token_payload()["someKey"] == "someValue"


# -- P2, P7: FastAPI -------------------------------------------------------------------------------


def test_p2_merge_in_fastapi(in_memory: Supertokens) -> None:
    from fastapi.testclient import TestClient

    site = fastapi_site([LOG_IN, Route("/payload", payload, verify={})])
    run(text_of("p02"), app=site.native)
    with TestClient(site.native, base_url=API, headers=COOKIES) as client:
        assert client.post("/update-access-token-payload").status_code == 401
        client.post("/login")
        answer = client.post("/update-access-token-payload")
        assert (answer.status_code, answer.text) == (200, "success")
        assert "front-token" in answer.headers
        assert client.get("/payload").json()["newKey"] == "newValue"


def test_p7_read_in_fastapi(in_memory: Supertokens, capsys: pytest.CaptureFixture[str]) -> None:
    from fastapi.testclient import TestClient

    site = fastapi_site([LOG_IN])
    run(text_of("p07"), app=site.native)
    with TestClient(site.native, base_url=API, headers=COOKIES) as client:
        assert client.get("/myApi").status_code == 401
        client.post("/login")
        answer = client.get("/myApi")
        assert (answer.status_code, answer.json()) == (200, None)
    assert capsys.readouterr().out == "theValue\n"


# -- P3, P8: Flask ---------------------------------------------------------------------------------


def test_p3_merge_in_flask(in_memory: Supertokens) -> None:
    app = flask_site([LOG_IN, Route("/payload", payload, verify={})]).native
    run(text_of("p03"), app=app)
    client = app.test_client()
    where: dict[str, Any] = {"base_url": API, "headers": COOKIES}
    assert client.post("/update-access-token-payload", **where).status_code == 401
    client.post("/login", **where)
    answer = client.post("/update-access-token-payload", **where)
    assert (answer.status_code, answer.text) == (200, "success")
    assert "front-token" in answer.headers
    assert client.get("/payload", **where).get_json()["newKey"] == "newValue"


def test_p8_read_in_flask(in_memory: Supertokens, capsys: pytest.CaptureFixture[str]) -> None:
    app = flask_site([LOG_IN]).native
    run(text_of("p08") + "    return 'success'\n", app=app)
    client = app.test_client()
    where: dict[str, Any] = {"base_url": API, "headers": COOKIES}
    assert client.get("/myApi", **where).status_code == 401
    client.post("/login", **where)
    assert client.get("/myApi", **where).text == "success"
    assert capsys.readouterr().out == "theValue\n"


# -- P4, P9: Django --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p04", "p09"])
async def test_p4_merge_and_p9_read_in_django(
    name: str, in_memory: Supertokens, capsys: pytest.CaptureFixture[str]
) -> None:
    import django.http
    from django.urls import path

    from supertokens_py.recipe.session.asyncio import create_new_session
    from supertokens_py.recipe.session.framework.django.asyncio import verify_session

    async def login(request: Any) -> Any:
        await create_new_session(request, "public", "userId", PAYLOAD)
        return django.http.HttpResponse()

    @verify_session()
    async def show(request: Any) -> Any:
        return django.http.JsonResponse(request.supertokens.get_access_token_payload())

    names = run(text_of(name) + "    return HttpResponse('success')\n", HttpResponse=django.http.HttpResponse)
    view = names["update_access_token_payload" if name == "p04" else "my_api"]
    with django_settings([path("login", login), path("view", view), path("payload", show)]):
        from django.test import AsyncClient

        client = AsyncClient()
        assert (await client.post("/view")).status_code == 401
        await client.post("/login", headers=COOKIES)
        answer = await client.post("/view")
        assert (answer.status_code, answer.content) == (200, b"success")
        claims = (await client.get("/payload")).json()
    if name == "p04":
        assert "front-token" in answer.headers
        assert claims["newKey"] == "newValue"
    else:
        assert capsys.readouterr().out == "theValue\n"


# -- P5, P6, P10, P11: without a request -----------------------------------------------------------


async def test_p5_merge_offline_asyncio(stored: Supertokens) -> None:
    """Stored at once for every session of the user; in the tokens of each after its refresh."""
    sessions = [await create_new_session_without_request_response("public", "userId") for _ in range(2)]
    other = await create_new_session_without_request_response("public", "somebody else")
    await run(text_of("p05"))["some_func"]()
    for created in sessions:
        assert "newKey" not in created.get_access_token_payload()
        token = created.get_all_session_tokens_dangerously()["refreshToken"]
        assert token is not None
        refreshed = await refresh_session_without_request_response(token)
        assert refreshed.get_access_token_payload()["newKey"] == "newValue"
    data = await other.get_session_data_from_database()
    assert data == {}
    stored_other = await get_session_information_async(other.get_handle())
    assert stored_other is not None
    assert "newKey" not in stored_other.custom_claims_in_access_token_payload


def test_p6_merge_offline_syncio(stored: Supertokens) -> None:
    created = create_blocking("public", "userId")
    run(text_of("p06"))
    information = get_session_information(created.get_handle())
    assert information is not None
    assert information.custom_claims_in_access_token_payload["newKey"] == "newValue"


async def test_p10_read_offline_asyncio(stored: Supertokens, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        await create_new_session_without_request_response("public", "userId", PAYLOAD)
    await run(text_of("p10"))["some_func"]()
    assert capsys.readouterr().out == "theValue\ntheValue\n"


def test_p11_read_offline_syncio(stored: Supertokens, capsys: pytest.CaptureFixture[str]) -> None:
    create_blocking("public", "userId", PAYLOAD)
    run(text_of("p11"))
    assert capsys.readouterr().out == "theValue\n"
