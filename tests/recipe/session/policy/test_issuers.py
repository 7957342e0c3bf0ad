"""Access tokens of another issuer: apps on copies of one database, a changed API domain, several domains."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
from supertokens_py.events import Event, SessionRefreshed, subscribe
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe import session
from supertokens_py.recipe.session import SessionContainer
from supertokens_py.recipe.session.exceptions import TryRefreshTokenError, UnauthorisedError
from supertokens_py.recipe.session.syncio import (
    create_new_session_without_request_response,
    get_session_information,
    get_session_without_request_response,
    merge_into_access_token_payload,
    refresh_session_without_request_response,
    revoke_session,
)
from supertokens_py.recipe.session.verification import verifier as tokens_module
from supertokens_py.runtime.bridge import blocking
from supertokens_py.tokens.access_token import parse_access_token
from tests.engine.driver import new_session
from tests.support.clock import Clock
from tests.support.databases import Sqlite

Start = Callable[..., None]

PRODUCTION, STAGING = "https://api.example.com", "https://api.staging.test"


@pytest.fixture
def start(sqlite_files: Sqlite, clock: Clock) -> Iterator[Start]:
    """Initialise the SDK for an API domain: `start(api, uri, **settings)`."""

    def started(api: str, uri: str, **settings: Any) -> None:
        Supertokens.reset()
        init(
            InputAppInfo("Test", api, website_domain="https://example.com"),
            supertokens_config=SupertokensConfig(uri, engine=EngineConfig(now_ms=clock, clean_up_interval=0)),
            recipe_list=[session.init(**settings)],
        )

    yield started
    Supertokens.reset()


def made(payload: dict[str, Any] | None = None) -> SessionContainer:
    return create_new_session_without_request_response("public", "ada", payload or {})


def refresh_token(made: SessionContainer) -> str:
    assert made.refresh_token is not None
    return made.refresh_token.token


def verified(access_token: str) -> str:
    """Return the user of an access token, verified twice: the second time from memory."""
    for _ in range(2):
        found = get_session_without_request_response(access_token)
        assert found is not None
    return found.get_user_id()


def test_apps_on_copies_of_one_database(start: Start, sqlite_files: Sqlite, tmp_path: Any):
    """The copy has the keys of the original, and its tokens are refused all the same, either way round."""
    original = sqlite_files.create()
    start(PRODUCTION, original.uri)
    made()
    Supertokens.reset()
    copied = tmp_path / "copy.db"
    shutil.copy(original.path, copied)
    tokens: dict[str, str] = {}
    apps = {PRODUCTION: original.uri, STAGING: f"sqlite:///{copied}"}
    for api, uri in apps.items():
        start(api, uri)
        tokens[api] = made().get_access_token()
    for api, uri in apps.items():
        start(api, uri)
        for issuer, token in tokens.items():
            if issuer == api:
                assert verified(token) == "ada"
                continue
            for _ in range(2):
                with pytest.raises(TryRefreshTokenError, match="issued by another app"):
                    get_session_without_request_response(token)
            regenerate = session.SessionRecipe.get_instance().recipe_implementation.regenerate_access_token
            assert blocking(regenerate)(token, {}, {}) is None


def test_a_changed_api_domain_logs_nobody_out(start: Start, sqlite_files: Sqlite):
    """The access token of before is refused, and each refresh leads to one that is accepted."""
    uri = sqlite_files.create().uri
    start(PRODUCTION, uri)
    before = made({"plan": "pro"})
    start("https://api.example.org", uri)
    with pytest.raises(TryRefreshTokenError):
        get_session_without_request_response(before.get_access_token())
    after = refresh_session_without_request_response(refresh_token(before))
    for _ in range(2):
        payload = after.get_access_token_payload()
        assert (payload["iss"], payload["plan"]) == ("https://api.example.org/auth", "pro")
        assert verified(after.get_access_token()) == "ada"
        after = refresh_session_without_request_response(refresh_token(after))


def test_a_session_that_ends_before_its_issuer_is_changed(start: Start, sqlite_files: Sqlite):
    """Somebody revokes it in the moment of the refresh that would."""
    uri = sqlite_files.create().uri
    start(PRODUCTION, uri)
    before = made()
    start("https://api.example.org", uri)

    def revoke(event: Event) -> None:
        if isinstance(event, SessionRefreshed):
            revoke_session(event.handle)

    unsubscribe = subscribe(revoke)
    try:
        with pytest.raises(UnauthorisedError) as refused:
            refresh_session_without_request_response(refresh_token(before))
    finally:
        unsubscribe()
    assert refused.value.code == "session_gone"


@pytest.mark.parametrize(
    "accepted", [["https://api.example.com/auth"], ["https://api.example.com/auth/"], "any"]
)
def test_api_domains_that_share_sessions(start: Start, sqlite_files: Sqlite, accepted: Any):
    """Each accepts what it was told to accept, and leaves the `iss` as it is."""
    uri = sqlite_files.create().uri
    start(PRODUCTION, uri)
    before = made()
    start("https://api.example.org", uri, accepted_issuers=accepted)
    assert verified(before.get_access_token()) == "ada"
    after = refresh_session_without_request_response(refresh_token(before))
    assert after.get_access_token_payload()["iss"] == f"{PRODUCTION}/auth"


def test_a_token_without_an_issuer_is_accepted(start: Start, sqlite_files: Sqlite):
    """Old releases wrote none; an `iss` that is no text is refused."""
    start(PRODUCTION, sqlite_files.create().uri)
    for issuer, is_accepted in (
        (None, True),
        (["https://api.example.com/auth"], False),
        (1, False),
        ("", False),
    ):
        engine = Supertokens.get_instance().engine
        payload = {} if issuer is None else {"iss": issuer}
        issued = engine.sessions.create(new_session("ada", payload=payload))
        if is_accepted:
            assert verified(issued.access_token.text) == "ada"
            continue
        with pytest.raises(TryRefreshTokenError):
            get_session_without_request_response(issued.access_token.text)
        renewed = refresh_session_without_request_response(issued.refresh_token.text)
        assert verified(renewed.get_access_token()) == "ada"


@pytest.mark.parametrize("accepted", [None, "any"])
def test_a_refresh_adds_a_missing_issuer(start: Start, sqlite_files: Sqlite, accepted: Any):
    """Once and for all, so that no clone accepts the next token."""
    start(PRODUCTION, sqlite_files.create().uri, accepted_issuers=accepted)
    before = made({"plan": "pro"})
    assert merge_into_access_token_payload(before.get_handle(), {"iss": None}) is True
    after = refresh_session_without_request_response(refresh_token(before))
    payload = after.get_access_token_payload()
    assert (payload["iss"], payload["plan"]) == (f"{PRODUCTION}/auth", "pro")
    stored = get_session_information(before.get_handle())
    assert stored is not None
    assert stored.custom_claims_in_access_token_payload == {"iss": f"{PRODUCTION}/auth", "plan": "pro"}


def test_a_repeated_verification_compares_nothing(
    start: Start, sqlite_files: Sqlite, monkeypatch: pytest.MonkeyPatch
):
    """The issuers are looked up for tokens that are not remembered only."""
    start(PRODUCTION, sqlite_files.create().uri)
    token = made().get_access_token()
    checked: list[str] = []
    original = tokens_module.verify

    def counted(*args: Any, **kwargs: Any) -> int:
        checked.append(args[0].text)
        return original(*args, **kwargs)

    monkeypatch.setattr(tokens_module, "verify", counted)
    assert verified(token) == verified(token) == "ada"
    assert checked == [token]
    assert parse_access_token(token) is not None


def test_a_refused_issuer_is_logged_once(
    start: Start, sqlite_files: Sqlite, caplog: pytest.LogCaptureFixture
):
    """Who shares sessions between API domains would see a loop of refreshes, and learns what to set."""
    uri = sqlite_files.create().uri
    start(PRODUCTION, uri)
    token = made().get_access_token()
    start(STAGING, uri)
    with caplog.at_level("WARNING", logger="supertokens_py"):
        for _ in range(3):
            with pytest.raises(TryRefreshTokenError):
                get_session_without_request_response(token)
    (message,) = [text for text in caplog.messages if "issuer" in text]
    assert message.startswith(
        "an access token of another issuer was refused: 'https://api.example.com/auth'."
    )
    assert "session.init(accepted_issuers=[...])" in message


@pytest.mark.parametrize("value", ["https://api.example.com/auth", [1], ["api.example.com"], 5])
def test_a_single_text_is_no_list_of_issuers(value: Any):
    """A single text is a mistake that would accept nothing."""
    with pytest.raises(ConfigError, match=r"^accepted_issuers must be a list of issuers"):
        session.init(accepted_issuers=value)
