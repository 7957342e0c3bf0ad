"""Limits over an official core, which counts nothing: the rules of the embedded engine, in each process."""

from __future__ import annotations

import importlib
import inspect
import json
import tracemalloc
from typing import Any

import httpx2
import pytest

from supertokens_py.engine.code_records import PresentedCode
from supertokens_py.engine.config import EngineConfig
from supertokens_py.engine.remote.limits import MOST, Counts, LocalAttempts
from supertokens_py.events import ContactRefused, Event, TextMessageRefused, subscribe
from supertokens_py.exceptions import EngineUnavailableError, TooManyAttemptsError
from tests.engine.test_attempts import ADDRESS, PASSWORD, guess
from tests.support.clock import Clock
from tests.support.forks import in_child

from .cores import Core, engine_over

OK = {"status": "OK"}
USER = {
    "id": "ada",
    "isPrimaryUser": False,
    "tenantIds": ["public"],
    "timeJoined": 5,
    "emails": [ADDRESS],
    "phoneNumbers": [],
    "thirdParty": [],
    "loginMethods": [
        {
            "recipeId": "emailpassword",
            "recipeUserId": "ada",
            "tenantIds": ["public"],
            "timeJoined": 5,
            "verified": False,
            "email": ADDRESS,
        }
    ],
}
#: The settings with which each of these modules starts its engine.
SETTINGS = {
    "attempts": {"sign_in_free_failures": 3},
    "message_limits": {"password_reset_emails_per_day": 24},
    "client_limits": {"sign_in_failures_per_client_and_hour": 4, "sign_ups_per_client_and_hour": 0},
}


class OfficialCore(Core):
    """Knows one user, and whether a password is hers; counts nothing."""

    def __init__(self) -> None:
        self.password = PASSWORD
        page = {**OK, "users": [USER], "nextPaginationToken": None}
        super().__init__(
            {
                "POST /public/recipe/signin": self.sign_in,
                "POST /t1/recipe/signin": {"status": "WRONG_CREDENTIALS_ERROR"},
                "PUT /recipe/user": self.change,
                "POST /recipe/session/remove": {**OK, "sessionHandlesRevoked": []},
                "POST /public/recipe/session/remove": {**OK, "sessionHandlesRevoked": []},
                "GET /public/users": page,
                "GET /user/id": {**OK, "user": USER},
                "PUT /recipe/multitenancy/tenant/v2": {**OK, "createdNew": True},
            }
        )

    def sign_in(self, request: httpx2.Request) -> dict[str, Any]:
        body = json.loads(request.content)
        if (body["email"], body["password"]) == (ADDRESS, self.password):
            return {**OK, "user": USER}
        return {"status": "WRONG_CREDENTIALS_ERROR"}

    def change(self, request: httpx2.Request) -> dict[str, Any]:
        self.password = json.loads(request.content)["password"]
        return OK

    @property
    def guesses(self) -> int:
        return self.asked.count("POST /public/recipe/signin")


class Process:
    """One process of an application; `engine` and its services, as the tests of the embedded engine ask."""

    def __init__(self, core: Core, clock: Clock, settings: dict[str, Any]) -> None:
        self.engine = engine_over(core, now_ms=clock, settings=settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)


def start(core: Core, clock: Clock, **settings: Any) -> Any:
    return Process(core, clock, settings)


@pytest.fixture
def official() -> OfficialCore:
    return OfficialCore()


@pytest.fixture
def core(request: pytest.FixtureRequest, official: OfficialCore, clock: Clock) -> Any:
    return start(official, clock, **SETTINGS.get(request.function.__module__.rpartition("test_")[2], {}))


def _adopt() -> None:
    """Take over what the embedded engine promises, where it is not about rows."""
    for kind in SETTINGS:
        module = importlib.import_module(f"tests.engine.test_{kind}")
        for name, test in vars(module).items():
            if name.startswith("test_") and inspect.isfunction(test) and test.__module__ == module.__name__:
                parameters = set(inspect.signature(test).parameters)
                if "core" in parameters and parameters <= {"core", "clock", "client"}:
                    globals()[f"{name}__{kind}"] = test


_adopt()


def test_a_guess_that_comes_too_early_is_not_asked(official: OfficialCore, clock: Clock) -> None:
    """The core, which would compute a hash, is spared; events tell of it."""
    core, seen = start(official, clock, sign_in_free_failures=2), list[str]()
    stop = subscribe(lambda event: seen.append(event.name))
    try:
        assert [guess(core) for _ in range(4)] == [None, None, 1_000, 1_000]
    finally:
        stop()
    assert official.guesses == 2
    assert seen == ["user.sign_in_failed"] * 2 + ["user.sign_in_refused"] * 2


def test_0_switches_each_limit_off(official: OfficialCore, clock: Clock) -> None:
    limits = ("sign_in_free_failures", "password_reset_emails_per_day", "verification_emails_per_day")
    core = start(official, clock, **dict.fromkeys(limits, 0), sign_in_failures_per_client_and_hour=0)
    for _ in range(30):
        assert guess(core) is None
        assert core.email_password.may_send_reset("public", ADDRESS, None)
        assert core.email_verification.may_send("public", ADDRESS, None)
        assert core.engine.clients.begin("sign_in", "192.0.2.7") == 0
    core.engine.clients.take_back("sign_in", "192.0.2.7")


def test_a_core_out_of_reach_makes_nobody_wait(official: OfficialCore, clock: Clock) -> None:
    """Nobody said whether the password was wrong."""
    core = start(official, clock, sign_in_free_failures=1)
    official.answers["POST /public/recipe/signin"] = (502, "bad gateway")
    for _ in range(5):
        with pytest.raises(EngineUnavailableError):
            guess(core)
    official.answers["POST /public/recipe/signin"] = official.sign_in
    assert guess(core) is None
    assert guess(core) == 1_000


def test_a_core_that_counts_as_well_decides(official: OfficialCore, clock: Clock) -> None:
    """As `supertokens serve` does: what it refuses is no guess."""
    core = start(official, clock, sign_in_free_failures=1)
    wait = {"status": "WRONG_CREDENTIALS_ERROR", "retryAfterMs": 3_000}
    official.answers["POST /public/recipe/signin"] = wait
    for _ in range(3):
        with pytest.raises(TooManyAttemptsError) as caught:
            core.email_password.verify("public", ADDRESS, PASSWORD)
        assert caught.value.retry_after_ms == 3_000


def test_wrong_passwords_are_forgotten_after_a_day(official: OfficialCore, clock: Clock) -> None:
    core = start(official, clock, sign_in_free_failures=1)
    assert [guess(core) for _ in range(2)] == [None, 1_000]
    clock.advance(hours=24)
    assert [guess(core) for _ in range(2)] == [None, 1_000]


def test_each_process_counts_by_itself(official: OfficialCore, clock: Clock) -> None:
    """What docs/official-core.md says of several."""
    one, other = (start(official, clock, sign_in_free_failures=1) for _ in range(2))
    assert [guess(one), guess(one), guess(other), guess(other)] == [None, 1_000, None, 1_000]


def test_links_to_verify_an_address_are_limited(official: OfficialCore, clock: Clock) -> None:
    core = start(official, clock, verification_emails_per_day=1)
    assert core.email_verification.may_send("public", ADDRESS, "192.0.2.7")
    clock.advance(minutes=1)
    assert not core.email_verification.may_send("public", " ADA@example.com", "192.0.2.7")
    core.email_verification.not_sent("public", " ADA@example.com")
    assert core.email_verification.may_send("public", ADDRESS, "198.51.100.9")


def test_a_refused_message_is_an_event(official: OfficialCore, clock: Clock) -> None:
    """As with a database: the contact, or the tenant's text messages, and not both."""
    found: list[Event] = []
    codes = start(official, clock, passwordless_text_messages_per_hour=1).passwordless
    unsubscribe = subscribe(found.append)
    waits = [codes.may_send("public", email=ADDRESS) for _ in range(2)]
    waits += [codes.may_send("public", phone_number=f"+1650253000{digit}") for digit in "001"]
    unsubscribe()
    assert waits == [0, 15_000, 0, 15_000, 3_600_000]
    assert found == [
        ContactRefused(kind="email", tenant_id="public", retry_after_ms=15_000),
        ContactRefused(kind="phone", tenant_id="public", retry_after_ms=15_000),
        TextMessageRefused(tenant_id="public", retry_after_ms=3_600_000),
    ]


def test_a_text_message_that_was_not_sent_is_given_back(official: OfficialCore, clock: Clock) -> None:
    codes = start(official, clock, passwordless_text_messages_per_hour=1).passwordless
    assert codes.may_send("public", phone_number="+16502530000") == 0
    codes.not_sent("public", email=ADDRESS)
    assert codes.may_send("public", phone_number="+16502530001") == 3_600_000
    codes.not_sent("public", phone_number="+16502530000")
    assert codes.may_send("public", phone_number="+16502530001") == 0
    unlimited = start(
        official, clock, passwordless_text_messages_per_hour=0, passwordless_messages_per_day=0
    ).passwordless
    unlimited.not_sent("public", phone_number="+16502530000")
    assert [unlimited.may_send("public", phone_number="+16502530000") for _ in range(9)] == [0] * 9


def test_memory_is_bounded() -> None:
    """Whoever names ever new addresses pushes out what was left alone for longest, and no more."""
    counts = Counts(3)
    for number in range(3):
        counts.set(bytes([number]), (number, number))
    counts.set(bytes([0]), (7, 7))
    counts.set(bytes([3]), (3, 3))
    assert [counts.get(bytes([number])) for number in range(4)] == [(7, 7), (0, 0), (2, 2), (3, 3)]
    counts = Counts()
    tracemalloc.start()
    try:
        for number in range(2 * MOST):
            counts.set(number.to_bytes(32, "big"), (number, number))
        assert len(counts) == MOST
        assert tracemalloc.get_traced_memory()[0] < 5_000_000
    finally:
        tracemalloc.stop()


def test_a_forked_process_waits_for_nobody(official: OfficialCore, clock: Clock) -> None:
    """Another thread of the parent may have been counting when it was forked."""
    core = start(official, clock, sign_in_free_failures=1)
    assert guess(core) is None
    core.engine.clients.counts.locked.acquire()
    try:
        assert in_child(lambda: core.engine.clients.begin("sign_in", "192.0.2.7")) == "0"
    finally:
        core.engine.clients.counts.locked.release()


def code_core(core: OfficialCore, clock: Clock) -> PresentedCode:
    """Have a core know a device with one code, and take no code for right; return what is presented."""
    code = {"codeId": "c", "timeCreated": clock(), "codeLifetime": 600_000}
    device = {"preAuthSessionId": "p", "failedCodeInputAttemptCount": 0, "email": ADDRESS, "codes": [code]}
    counts = {"failedCodeInputAttemptCount": 1, "maximumCodeInputAttempts": 5}
    for tenant in ("public", "t1"):
        core.answers[f"GET /{tenant}/recipe/signinup/codes"] = {**OK, "devices": [device]}
        core.answers[f"POST /{tenant}/recipe/signinup/code/consume"] = {
            "status": "INCORRECT_USER_INPUT_CODE_ERROR",
            **counts,
        }
    return PresentedCode(pre_auth_session_id="p", device_id="AAAA", user_input_code="x")


def test_each_client_keeps_wrong_codes_of_its_own(official: OfficialCore, clock: Clock) -> None:
    """As with the embedded engine: over tenants, and for valid codes only."""
    core, presented = start(official, clock, passwordless_wrong_codes_per_hour=6), code_core(official, clock)

    def looked_at(client: str | None, tenant: str = "public") -> bool:
        try:
            core.passwordless.consume(tenant, presented, client=client)
        except TooManyAttemptsError:
            return False
        return True

    assert [looked_at("192.0.2.1") for _ in range(7)] == [True] * 6 + [False]
    assert [looked_at("192.0.2.2", "t1") for _ in range(7)] == [True] * 6 + [False]
    assert [looked_at("192.0.2.3") for _ in range(6)] == [True] * 5 + [False]
    assert not looked_at("192.0.2.1", "t1")
    clock.advance(ms=600_001)
    official.answers["POST /public/recipe/signinup/code/consume"]["status"] = "EXPIRED_USER_INPUT_CODE_ERROR"
    assert all(looked_at("192.0.2.1") for _ in range(12))


def test_a_right_code_forgets_the_wrong_ones(official: OfficialCore, clock: Clock) -> None:
    """As with the embedded engine: those of its client."""
    core, presented = start(official, clock, passwordless_wrong_codes_per_hour=6), code_core(official, clock)
    path = "POST /public/recipe/signinup/code/check"
    wrong = official.answers["POST /public/recipe/signinup/code/consume"]
    device = {"preAuthSessionId": "p", "failedCodeInputAttemptCount": 0, "email": ADDRESS, "codes": []}
    refused = 0
    for answer in [wrong] * 5 + [{**OK, "consumedDevice": device}] + [wrong] * 7:
        official.answers[path] = answer
        try:
            core.passwordless.check("public", presented, client="192.0.2.1")
        except TooManyAttemptsError:
            refused += 1
    assert refused == 1


def test_what_was_not_counted_is_not_taken_back() -> None:
    """A password that was right meanwhile has left no failure: the next guesses get none more."""
    attempts = LocalAttempts(EngineConfig(sign_in_free_failures=1).resolve({}))
    guess = "password", "public", ADDRESS
    attempts.take_back(*guess)
    assert [attempts.begin(*guess) > 0 for _ in range(2)] == [False, True]


@pytest.mark.parametrize("is_ours", [True, False])
def test_only_a_core_of_ours_is_told_of_clients(official: OfficialCore, clock: Clock, is_ours: bool) -> None:
    """An official one would do nothing with the address; ours counts by it, so that this process need not."""
    versions = httpx2.Response(200, json={"versions": ["5.3"]}, headers={"st-client": "taken"})
    if is_ours:
        official.answers["GET /apiversion"] = versions
    core, presented = start(official, clock, passwordless_wrong_codes_per_hour=1), code_core(official, clock)
    core.passwordless.consume("public", presented, client="192.0.2.1")
    asked = [
        (path, request.headers.get("st-client"))
        for path, request in zip(official.asked, official.requests, strict=True)
    ]
    sent = ("POST /public/recipe/signinup/code/consume", "192.0.2.1" if is_ours else None)
    looked_up = [] if is_ours else [("GET /public/recipe/signinup/codes", None)]
    assert asked == [("GET /apiversion", None), *looked_up, sent]


def test_messages_with_codes_are_counted_over_tenants(official: OfficialCore, clock: Clock) -> None:
    """Of a contact with shares, and of all contacts by an hour; what was not sent is taken back."""
    core = start(official, clock, passwordless_text_messages_of_all_tenants_per_hour=2)
    may_send, sent = core.passwordless.may_send, 0
    assert may_send("public", phone_number="+16502530000") == 0
    assert may_send("t1", phone_number="+16502530000") == 15_000
    core.passwordless.not_sent("public", phone_number="+16502530000")
    assert may_send("t1", phone_number="+16502530000") == may_send("t2", phone_number="+16502530001") == 0
    assert may_send("t3", phone_number="+16502530002") == 1_800_000
    for number in range(12):
        sent += may_send("public", email=ADDRESS, client=f"192.0.2.{number % 2}") == 0
        clock.advance(ms=15_000)
    assert sent == 10
    assert may_send("public", email=ADDRESS) > 0
    assert may_send("t1", email=ADDRESS, client="192.0.2.9") == 0
