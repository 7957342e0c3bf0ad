"""Applications that override every function and API of two recipes, in the forms of 0.24 and of 0.31."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supertokens_py import Supertokens
from tests.seeds.sites import API, Browser, Route, Visit, opened
from tests.support.databases import TestDatabase
from tests.support.deferred_work import finish_before_answers

from .test_python_snippets import run

PROGRAMS = Path(__file__).parent / "programs"
ADDRESS, PASSWORD, ANOTHER = "ada@example.com", "correct horse 1", "another horse 2"
OK = {"status": "OK"}

#: What the two programs note, in order, while the same visitor signs up, verifies, resets and signs in.
NOTES = {
    "sign_in_0_24": """
        sign_up ada@example.com; is_email_verified; sign_up_post True
        generate_email_verify_token_post; is_email_verified; create_email_verification_token True
        verify_email_using_token ada@example.com; is_email_verified; email_verify_post ada@example.com
        is_email_verified_get; is_email_verified
        get_user_by_email; email_exists_get True
        sign_in False; sign_in_post False
        generate_password_reset_token_post; get_user_by_email; create_reset_password_token True
        update_email_or_password; reset_password_using_token True
        create_email_verification_token False; password_reset_post True
        sign_in True; is_email_verified; sign_in_post True
        unverify_email; revoke_email_verification_tokens; update_email_or_password; get_user_by_id
    """,
    "sign_in_0_31": """
        create_new_recipe_user; sign_up ada@example.com False; is_email_verified; sign_up_post True
        generate_email_verify_token_post; is_email_verified; create_email_verification_token True
        verify_email_using_token ada@example.com; is_email_verified; email_verify_post ada@example.com
        is_email_verified_get; is_email_verified
        email_exists_get True
        verify_credentials; sign_in False; sign_in_post False
        generate_password_reset_token_post; create_reset_password_token ada@example.com True
        consume_password_reset_token ada@example.com; update_email_or_password
        create_email_verification_token False; password_reset_post ada@example.com
        verify_credentials; sign_in True; is_email_verified; sign_in_post True
        unverify_email; revoke_email_verification_tokens; update_email_or_password
    """,
}


@pytest.fixture
def empty_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No app yet, and none left behind; mails go before the answers."""
    Supertokens.reset()
    finish_before_answers(monkeypatch)
    yield
    Supertokens.reset()


def _program(name: str, database: TestDatabase) -> dict[str, Any]:
    text = (PROGRAMS / f"{name}.txt").read_text().replace("supertokens_python", "supertokens_py")
    values = {"api_domain": API, "website_domain": "http://example.com", "connection_uri": database.uri}
    for parameter, value in values.items():
        text = text.replace(f'{parameter}="..."', f"{parameter}={value!r}")
    return run(text)


async def _form(browser: Browser, path: str, more: dict[str, Any] | None = None, **fields: str) -> Any:
    body = {"formFields": [{"id": name, "value": value} for name, value in fields.items()], **(more or {})}
    reply = await browser.post(f"/auth{path}", json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def _token(link: str) -> str:
    return link.partition("token=")[2].partition("&")[0]


async def _me(visit: Visit) -> Any:
    assert visit.session is not None
    return visit.session.get_user_id()


@pytest.mark.parametrize("kind", ["fastapi", "flask"])
@pytest.mark.parametrize("name", NOTES)
async def test_a_program_of_an_earlier_release_signs_people_in(
    empty_process: None, sqlite_files: Any, name: str, kind: str
) -> None:
    """SI-27, SI-9: each override is called with the arguments of its release, and reaches the original."""
    program = _program(name, sqlite_files.create(users=True))
    calls, mails = program["calls"], program["mails"]
    false = {"shouldTryLinkingWithSessionUser": False}
    with opened(kind, [Route("/me", _me, verify={})]) as site:
        browser = site.browser(st_auth_mode="cookie")
        refused = await _form(browser, "/signup", email="eve@example.com", password=PASSWORD)
        assert refused == {"status": "GENERAL_ERROR", "message": "Not you"}
        up = await _form(browser, "/signup", false, email=ADDRESS, password=PASSWORD)
        user_id = up["user"]["id"]
        assert (await browser.get("/me")).status_code == 403
        assert (await browser.post("/auth/user/email/verify/token", json={})).json() == OK
        body = {"method": "token", "token": _token(mails[-1].email_verify_link)}
        assert (await browser.post("/auth/user/email/verify", json=body)).json()["status"] == "OK"
        assert (await browser.get("/me")).json() == user_id
        verified = await browser.get("/auth/user/email/verify")
        assert verified.json() == {**OK, "isVerified": True}
        assert (await browser.post("/auth/signout")).json() == OK
        exists = await browser.get(f"/auth/signup/email/exists?email={ADDRESS}")
        assert exists.json() == {**OK, "exists": True}
        wrong = await _form(browser, "/signin", email=ADDRESS, password="no horse 0")
        assert wrong == {"status": "WRONG_CREDENTIALS_ERROR"}
        assert await _form(browser, "/user/password/reset/token", email=ADDRESS) == OK
        token = {"method": "token", "token": _token(mails[-1].password_reset_link)}
        assert await _form(browser, "/user/password/reset", token, password=ANOTHER) == OK
        again = await _form(browser, "/signin", email=ADDRESS, password=ANOTHER)
        assert again["user"]["id"] == user_id
        assert (await browser.get("/me")).json() == user_id
        found = await program["change"](user_id)
    assert (found.id, found.emails) == (user_id, [ADDRESS])
    assert calls == [note.strip() for note in NOTES[name].replace("\n", ";").split(";") if note.strip()]
