"""What somebody without the key of a device-bound session, or with a key of his own, gets."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from supertokens_py import Supertokens
from supertokens_py.events import Event, SessionRefused, subscribe
from supertokens_py.exceptions import PayloadTooLargeError
from supertokens_py.recipe.session.device_binding import bindings, bound_cookie
from supertokens_py.recipe.session.session_tokens.writer import check_fits_cookie
from supertokens_py.testing.conformance import Reply
from tests.support.clock import Clock
from tests.support.device_browser import BOUND_COOKIE, OFFER, BrowserSession, DeviceBrowser
from tests.support.device_proofs import challenge_in

from .site import ASGI_AND_WSGI, Site
from .test_device_states import COOKIE_S, TRY_REFRESH, UNAUTHORISED, said

REGISTER = "/auth/session/device/register"
#: The core decides all of it.
ONE = pytest.mark.parametrize("bare_site", ["fastapi"], indirect=True)


def encoded(part: dict[str, Any] | bytes) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def bare_site(bare_site: Site) -> Site:
    return bare_site.init(device_binding="auto")


@pytest.fixture
def owner(bare_site: Site, clock: Clock) -> DeviceBrowser:
    """A browser with a bound session."""
    owner = DeviceBrowser(bare_site, clock)
    owner.sign_in()
    assert owner.refresh().status == 200
    return owner


@pytest.fixture
def session(owner: DeviceBrowser) -> BrowserSession:
    return owner.session


@pytest.fixture
def offered(bare_site: Site, clock: Clock) -> tuple[DeviceBrowser, str]:
    """A browser that was offered to register and has not done so, and the challenge."""
    browser = DeviceBrowser(bare_site, clock)
    browser.quota = 0
    found = OFFER.fullmatch(browser.sign_in().header("secure-session-registration") or "")
    assert found
    assert found[1] == REGISTER
    return browser, found[2]


def assert_refused(reply: Reply, *statuses: int) -> None:
    assert reply.status in statuses, reply.body
    assert reply.set_cookies == []
    assert reply.header("secure-session-challenge") is None
    assert reply.header("location") is None


def proof_with(key: Any, challenge: str, algorithm: str, **header: Any) -> str:
    """Return a proof that no library would sign: any key, under any name of an algorithm."""
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    else:
        jwk = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    head = {"alg": algorithm, "typ": "dbsc+jwt", "jwk": jwk, **header}
    signed = f"{encoded(head)}.{encoded({'jti': challenge})}"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(signed.encode(), PKCS1v15(), SHA256())
    else:
        size = (key.curve.key_size + 7) // 8
        r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))
        signature = r.to_bytes(size, "big") + s.to_bytes(size, "big")
    return f"{signed}.{encoded(signature)}"


@ONE
def test_keys_that_are_too_weak_or_of_another_kind(offered: tuple[DeviceBrowser, str]) -> None:
    """CP-30: P-256 and RSA from 2048 bits on, and nothing else."""
    browser, challenge = offered
    small, nearly = (rsa.generate_private_key(65537, bits) for bits in (1024, 2047))
    wide = ec.generate_private_key(ec.SECP384R1())
    p256 = ec.generate_private_key(ec.SECP256R1())
    large = json.loads(RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key()))
    symmetric = {"kty": "oct", "k": encoded(b"k" * 32)}
    header = {"typ": "dbsc+jwt", "jwk": symmetric}
    wrong = [
        proof_with(small, challenge, "RS256"),
        proof_with(nearly, challenge, "RS256"),
        proof_with(wide, challenge, "ES384"),
        proof_with(wide, challenge, "ES256"),
        proof_with(p256, challenge, "ES256", jwk=browser.public_key()),
        proof_with(p256, challenge, "ES256", jwk={**browser.public_key(), "x": "A" * 100_000}),
        proof_with(p256, challenge, "ES256", jwk={**browser.public_key(), "crv": "P-384"}),
        proof_with(p256, challenge, "ES256", jwk={"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}),
        proof_with(p256, challenge, "ES256", jwk=large),
        proof_with(p256, challenge, "ES256", jwk=[]),
        proof_with(p256, challenge, "ES256", jwk=None),
        jwt.encode({"jti": challenge}, b"k" * 32, algorithm="HS256", headers=header),
    ]
    for proof in wrong:
        assert_refused(browser.send_proof(REGISTER, proof), 403)
    assert BOUND_COOKIE not in browser.jar
    good = rsa.generate_private_key(65537, 2048)
    assert browser.send_proof(REGISTER, proof_with(good, challenge, "RS256")).status == 200


@ONE
def test_proofs_that_are_none(offered: tuple[DeviceBrowser, str]) -> None:
    """CP-28, CP-30: `none`, another `typ`, a foreign challenge, pieces of text; 403 whatever is sent."""
    browser, challenge = offered
    unsigned = {"alg": "none", "typ": "dbsc+jwt", "jwk": browser.public_key()}
    good = browser.proof(challenge, with_key=True)
    head, body, signature = good.split(".")
    deep = b"[" * 20_000
    wrong = [
        f"{encoded(unsigned)}.{body}.",
        f"{encoded({**unsigned, 'alg': 'ES256'})}.{body}.",
        f"{head}.{body}.{'A' * 86}",
        f"{head}.{encoded({'jti': challenge, 'x': 1})}.{signature}",
        browser.proof(challenge, with_key=True, typ="JWT"),
        browser.proof(challenge),
        browser.proof("", with_key=True),
        browser.proof(challenge[:-1], with_key=True),
        browser.proof(challenge + "A", with_key=True),
        browser.proof("A" * len(challenge), with_key=True),
        f"{encoded(deep)}.{encoded(deep)}.{signature}",
        f"{head}.{encoded(b'[]')}.{signature}",
        "a.b.c",
        "..",
        "",
        "\xff.\xff.\xff",
        "A" * 200_000,
    ]
    for proof in wrong:
        assert_refused(browser.send_proof(REGISTER, proof), 403, 431)
    assert_refused(browser.send_proof(REGISTER, None), 403)
    assert (
        browser.send_proof(REGISTER, f'"{good}"').status == 200
    )  # the draft sends a string, Chromium a token


@ONE
def test_an_old_offer(offered: tuple[DeviceBrowser, str], clock: Clock) -> None:
    """CP-30: an offer is good for fifteen minutes."""
    browser, challenge = offered
    clock.advance(minutes=15, s=1)
    assert_refused(browser.send_proof(REGISTER, browser.proof(challenge, with_key=True)), 403)


@ONE
def test_a_refresh_before_the_registration(offered: tuple[DeviceBrowser, str]) -> None:
    """CP-29: it ends the offer, for an access token of full life says nothing of a key."""
    browser, challenge = offered
    assert browser.stolen().refresh().status == 200
    reply = browser.send_proof(REGISTER, browser.proof(challenge, with_key=True))
    assert said(reply) == (
        403,
        {"message": "the session has been refreshed since it was offered to be bound"},
    )
    assert_refused(reply, 403)
    assert BOUND_COOKIE not in browser.jar


def largest_payload() -> dict[str, Any]:
    """Return a payload that fits a cookie beside the issuer, and with no other claim."""
    issuer = "https://api.example.com/auth"
    length = 4096
    while True:
        try:
            check_fits_cookie({"text": "x" * length, "iss": issuer})
        except PayloadTooLargeError:
            length -= 1
        else:
            return {"text": "x" * length}


@ASGI_AND_WSGI
def test_each_refusal_of_a_device_has_a_code(
    owner: DeviceBrowser, session: BrowserSession, bare_site: Site, request: pytest.FixtureRequest
) -> None:
    """CP-36: for those who watch the service, and with `debug` in the response."""
    codes: list[tuple[str, bool]] = []

    def note(event: Event) -> None:
        if isinstance(event, SessionRefused):
            codes.append((event.code, event.may_refresh))

    request.addfinalizer(subscribe(note))
    refresh_url, identifier = session.refresh_url, session.identifier
    large = DeviceBrowser(bare_site, owner.now_ms)
    large.quota = 0
    offer = challenge_in(large.sign_in(payload=largest_payload()).header("secure-session-registration"))
    refusals: list[tuple[Callable[[], Reply], str]] = [
        (lambda: owner.send_proof(REGISTER, None), "device_proof_wrong"),
        (lambda: owner.send_proof(REGISTER, "x"), "device_proof_wrong"),
        (lambda: large.send_proof(REGISTER, large.proof(offer, with_key=True)), "device_not_bound"),
        (lambda: owner.send_proof(refresh_url, "x"), "device_proof_wrong"),
        (lambda: owner.send_proof(refresh_url, "x", identifier), "device_proof_wrong"),
        (lambda: owner.send_proof(refresh_url, None, identifier), "device_proof_wanted"),
        (lambda: owner.send_proof(refresh_url, owner.proof("old"), identifier), "device_proof_wanted"),
    ]
    for debug in (False, True):
        Supertokens.get_instance().debug = debug
        for ask, code in refusals:
            reply = ask()
            assert reply.status in (400, 403)
            assert reply.header("supertokens-reason") == (code if debug else None)
            assert codes.pop() == (code, code == "device_proof_wanted")
    assert codes == []


@ONE
def test_a_session_has_one_key_for_good(bare_site: Site, clock: Clock) -> None:
    """CP-30: neither a second registration nor one after the session has ended."""
    owner = DeviceBrowser(bare_site, clock)
    offer = OFFER.fullmatch(owner.sign_in().header("secure-session-registration") or "")
    assert offer
    thief = DeviceBrowser(bare_site, clock)
    assert_refused(thief.send_proof(REGISTER, thief.proof(offer[2], with_key=True)), 403)
    clock.advance(s=COOKIE_S)
    assert owner.refresh().status == 200
    bare_site.engine.sessions.revoke([owner.handle])
    assert_refused(owner.send_proof(REGISTER, owner.proof(offer[2], with_key=True)), 403)


@ONE
def test_the_offer_of_another_session(bare_site: Site, clock: Clock) -> None:
    """CP-30: a challenge belongs to the session that it was made for, and is none of a refresh."""
    owner, other = DeviceBrowser(bare_site, clock), DeviceBrowser(bare_site, clock)
    owner.sign_in()
    offer = OFFER.fullmatch(other.sign_in("user-2").header("secure-session-registration") or "")
    assert offer
    reply = owner.send_proof(owner.session.refresh_url, owner.proof(offer[2]), owner.session.identifier)
    assert reply.status == 403
    assert reply.set_cookies == []


@ONE
def test_refreshes_without_the_key(
    owner: DeviceBrowser, session: BrowserSession, bare_site: Site, clock: Clock
) -> None:
    """CP-30, CP-32: another key, `none`, a key in the header, a changed challenge; the owner goes on."""
    assert session.challenge
    thief = DeviceBrowser(bare_site, clock)
    unsigned = f"{encoded({'alg': 'none', 'typ': 'dbsc+jwt'})}.{encoded({'jti': session.challenge})}."
    secret = encoded(json.dumps(owner.public_key()).encode()).encode()
    header = {"typ": "dbsc+jwt"}
    wrong = [
        thief.proof(session.challenge),
        thief.proof(session.challenge, with_key=True),
        owner.proof(session.challenge, with_key=True),
        owner.proof(session.challenge, typ="JWT"),
        jwt.encode({"jti": session.challenge}, secret, algorithm="HS256", headers=header),
        unsigned,
        "a.b.c",
    ]
    for proof in wrong:
        assert_refused(thief.send_proof(session.refresh_url, proof, session.identifier), 400, 403)
    clock.advance(s=COOKIE_S)
    assert owner.get("/protected").status == 200
    assert owner.refresh().status == 200


@ONE
def test_a_replayed_proof(owner: DeviceBrowser, session: BrowserSession, clock: Clock) -> None:
    """CP-28, CP-29: it is 403 with a new challenge, which a replay cannot sign; the owner's session stays."""
    assert session.challenge
    proofs = [owner.proof(session.challenge)]
    assert owner.send_proof(session.refresh_url, proofs[0], session.identifier).status == 200
    for _ in range(3):
        for proof in proofs:
            reply = owner.send_proof(session.refresh_url, proof, session.identifier)
            assert reply.status == 403
            assert reply.header("secure-session-challenge") is not None
            assert reply.set_cookies == []
        clock.advance(s=COOKIE_S)
        assert owner.get("/protected").status == 200


@ONE
def test_requests_that_no_browser_sends_on_its_own(
    owner: DeviceBrowser, session: BrowserSession, bare_site: Site
) -> None:
    """CP-28: without the header that scripts cannot set there is no answer to work with; nor for GET."""
    assert session.challenge
    proof = owner.proof(session.challenge)
    assert_refused(owner.send_proof(session.refresh_url, proof), 403)
    for path in (REGISTER, session.refresh_url):
        assert owner.send("GET", path).status in (404, 405)
        assert_refused(owner.send("POST", path), 403)
    for unknown in ("A" * 22, "short", "", "x" * 4000):
        reply = owner.send_proof(session.refresh_url, proof, unknown)
        assert said(reply) == (200, {"continue": False})
        assert reply.set_cookies == []


@ONE
def test_a_stolen_jar(owner: DeviceBrowser, clock: Clock) -> None:
    """CP-29, CP-31, CP-32: ten minutes at most, whatever is sent, and the owner's session stays."""
    thief = owner.stolen()
    assert thief.get("/protected").status == 200
    clock.advance(s=COOKIE_S)
    assert said(thief.get("/protected")) == TRY_REFRESH
    assert said(thief.stolen().refresh()) == UNAUTHORISED
    assert said(thief.stolen().get("/database")) == TRY_REFRESH
    assert thief.stolen().post("/auth/signout").status in (200, 401)
    assert owner.get("/protected").status == 200
    assert owner.refresh().status == 200


@ONE
def test_a_thief_makes_no_cookie_of_another_session_do(
    owner: DeviceBrowser, bare_site: Site, clock: Clock
) -> None:
    """CP-29: a bound cookie is of one session and one key; changed ones, and two at once, are none."""
    thief = DeviceBrowser(bare_site, clock)
    thief.sign_in("thief")
    stolen = owner.stolen()
    own = thief.jar[BOUND_COOKIE]
    genuine = owner.jar[BOUND_COOKIE].raw
    version, expiry, *rest = genuine.split(".")
    later = ".".join([version, str(int(expiry) + 1), *rest])
    for value in (
        own.raw,
        later,
        genuine[:-1],
        f"{genuine}A",
        "",
        "v1",
        "v1...",
        "\u00e9",
        "v1." + "9" * 400,
    ):
        stolen.jar[BOUND_COOKIE] = own.__class__(value, own.path, own.expires_ms)
        assert said(stolen.get("/protected")) == TRY_REFRESH
    stolen.jar[BOUND_COOKIE] = own.__class__(genuine, own.path, float("inf"))
    assert stolen.get("/protected").status == 200
    clock.advance(s=COOKIE_S)  # it is the server that ends it, not the jar
    assert said(stolen.get("/protected")) == TRY_REFRESH
    assert said(stolen.refresh()) == UNAUTHORISED


@ONE
def test_bound_tokens_in_the_authorization_header(
    owner: DeviceBrowser, bare_site: Site, clock: Clock
) -> None:
    """CP-29: moving the cookies' tokens to headers does not do without the proof."""
    access, refresh = owner.jar["sAccessToken"].raw, owner.jar["sRefreshToken"].raw
    clock.advance(s=COOKIE_S)
    mode = [("st-auth-mode", "header"), ("rid", "anti-csrf")]
    assert said(bare_site.get("/protected", mode, bearer=access)) == TRY_REFRESH
    assert said(bare_site.post("/auth/session/refresh", mode, bearer=refresh)) == UNAUTHORISED
    assert owner.refresh().status == 200


@ONE
def test_a_cookie_that_is_known_is_checked_without_a_mac(
    owner: DeviceBrowser, bare_site: Site, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CP-29: it is known for its session and key only, and until it expires."""
    checked: list[str] = []

    def counted(value: str, *rest: Any) -> bool:
        checked.append(value)
        return bound_cookie.is_genuine(value, *rest)

    monkeypatch.setattr(bindings, "is_genuine", counted)
    for _ in range(4):
        assert owner.get("/protected").status == 200
    assert len(checked) <= 1  # none where the refresh of the fixture has found it genuine
    other = DeviceBrowser(bare_site, clock)
    other.sign_in("user-2")
    assert other.refresh().status == 200
    other.jar[BOUND_COOKIE] = owner.jar[BOUND_COOKIE]
    assert said(other.get("/protected")) == TRY_REFRESH
    thief = owner.stolen()
    thief.jar[BOUND_COOKIE] = replace(thief.jar[BOUND_COOKIE], expires_ms=float("inf"))
    clock.advance(s=COOKIE_S, ms=-1)
    assert thief.get("/protected").status == 200
    clock.advance(ms=1)
    assert said(thief.get("/protected")) == TRY_REFRESH


def test_cookies_that_are_not_used_are_forgotten() -> None:
    """The memory has a bound; one that is used stays in it."""
    known = bound_cookie.KnownCookies(4)
    claim = {"jkt": "t"}
    for n in range(6):
        known.add(f"v1.{1000 + n}.nonce.mac", f"handle-{n}", claim)
        assert known.value_of("handle-0", claim, now_ms=0) == "v1.1000.nonce.mac"
    left = [n for n in range(6) if known.value_of(f"handle-{n}", claim, now_ms=0)]
    assert left[0] == 0
    assert 2 <= len(left) <= 4
    assert known.value_of("handle-0", {"jkt": "u"}, now_ms=0) is None
    assert known.value_of("handle-0", claim, now_ms=999) is not None
    assert known.value_of("handle-0", claim, now_ms=1000) is None
