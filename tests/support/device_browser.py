"""A user agent with device-bound sessions, as the W3C draft describes it and Chromium 156 does it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from supertokens_py.testing.conformance import Headers, Reply
from supertokens_py.testing.conformance.replies import SetCookie

OFFER = re.compile(r'\(ES256 RS256\);path="([^"]+)";challenge="([^"]+)"')
CHALLENGE = re.compile(r'"([^"]+)";id="([^"]+)"')
BOUND_COOKIE = "__Host-sDevice"
REFRESH = "/auth/session/refresh"
#: A server that asks for another proof each time is left after so many.
MAX_TRIES = 3


@dataclass(frozen=True)
class Kept:
    """A cookie in the jar."""

    raw: str
    path: str
    expires_ms: float


@dataclass(frozen=True)
class BrowserSession:
    """What the browser keeps of a device-bound session, beside its key."""

    identifier: str
    refresh_url: str
    cookie: str
    key: ec.EllipticCurvePrivateKey
    challenge: str | None = None


class DeviceBrowser:
    """Sends requests as a tab with the official client does; `key` None: a browser without the feature."""

    def __init__(self, site: Any, now_ms: Callable[[], int], *, has_keys: bool = True) -> None:
        self.site = site
        self.now_ms = now_ms
        self.key = ec.generate_private_key(ec.SECP256R1()) if has_keys else None
        self.jar: dict[str, Kept] = {}
        #: Of several with one cookie, browsers renew any, and are content then; this one takes the oldest.
        self.sessions: dict[str, BrowserSession] = {}
        #: What the browser may still sign; None: as much as it likes.
        self.quota: int | None = None
        self.handle = ""
        #: The answers to the browser's own requests: registrations and refreshes of the bound cookie.
        self.device_replies: list[Reply] = []
        self.sent_proofs: list[str] = []
        self.registered: str | None = None  #: what the newest session was called when it was registered

    @property
    def session(self) -> BrowserSession:
        """The newest session of the browser."""
        return list(self.sessions.values())[-1]

    def restart(self) -> None:
        """Lose the challenges, which browsers keep in memory only."""
        self.sessions = {name: replace(one, challenge=None) for name, one in self.sessions.items()}

    # -- requests of the page ------------------------------------------------------------------------

    def get(self, path: str, **options: Any) -> Reply:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> Reply:
        return self.request("POST", path, **options)

    def refresh(self, **options: Any) -> Reply:
        """Have the client of the page refresh the session."""
        return self.post(REFRESH, **options)

    def sign_in(self, user_id: str = "user-1", payload: dict[str, Any] | None = None, **more: Any) -> Reply:
        """Log in, and let the browser register if it is offered to."""

        def create(view: Any) -> Any:
            made = yield view.create(user_id, payload, **more)
            return {"handle": made.get_handle()}

        reply = self.post("/open", do=create)
        assert reply.status == 200, reply.body
        self.handle = reply.json["handle"]
        return reply

    def request(self, method: str, path: str, headers: Headers = (), **options: Any) -> Reply:
        """Send a request of the page; renew a missing bound cookie before, and register where offered."""
        skipped: list[tuple[str, str]] = []
        for session in list(self.sessions.values()):
            if not self.cookie(session.cookie):
                skipped += self._renew(session)
        lines = [("rid", "anti-csrf"), ("st-auth-mode", "cookie"), *skipped, *headers]
        reply = self.send(method, path, lines, **options)
        offered = OFFER.fullmatch(reply.header("secure-session-registration") or "")
        if self.key and offered and self._may_sign():
            self.register(offered[1], offered[2])
        return reply

    def send(self, method: str, path: str, headers: Headers = (), **options: Any) -> Reply:
        """Send a request with the cookies of its path, and keep those of the answer."""
        reply = self.site.request(method, path, [*headers, *self._cookie_line(path)], **options)
        self._keep(reply.set_cookies)
        return reply

    # -- cookies -------------------------------------------------------------------------------------

    def cookie(self, name: str) -> str | None:
        """Return the value of a cookie that has not expired."""
        kept = self.jar.get(name)
        return kept.raw if kept and kept.expires_ms > self.now_ms() else None

    def stolen(self) -> DeviceBrowser:
        """Return a thief's browser with a copy of the cookies: the key cannot be copied."""
        thief = DeviceBrowser(self.site, self.now_ms, has_keys=False)
        thief.jar = dict(self.jar)
        return thief

    def _cookie_line(self, path: str) -> list[tuple[str, str]]:
        pure = path.partition("?")[0]
        sent = [
            f"{name}={kept.raw}"
            for name, kept in self.jar.items()
            if self.cookie(name) and f"{pure}/".startswith(kept.path.rstrip("/") + "/")
        ]
        return [("cookie", "; ".join(sent))] if sent else []

    def _keep(self, cookies: Iterable[SetCookie]) -> None:
        for cookie in cookies:
            facts = cookie.attributes
            expires_ms = float("inf")
            if "max-age" in facts:
                expires_ms = self.now_ms() + int(facts["max-age"]) * 1000
            elif "expires" in facts:
                expires_ms = parsedate_to_datetime(facts["expires"]).timestamp() * 1000
            self.jar[cookie.name] = Kept(cookie.raw, facts.get("path", "/"), expires_ms)

    # -- requests of the browser itself --------------------------------------------------------------

    def proof(self, challenge: str, *, with_key: bool = False, key: Any = None, **header: Any) -> str:
        """Return a proof over a challenge, as the browser signs it with the key of its newest session."""
        assert self.key
        header = {"typ": "dbsc+jwt", **({"jwk": self.public_key()} if with_key else {}), **header}
        return jwt.encode({"jti": challenge}, key or self.key, algorithm="ES256", headers=header)

    def public_key(self) -> dict[str, Any]:
        """Return the public key as a JWK."""
        assert self.key
        found = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
        return {name: found[name] for name in ("crv", "kty", "x", "y")}

    def send_proof(self, path: str, proof: str | None, identifier: str | None = None) -> Reply:
        """Send a request of the browser itself; scripts can send no header that starts with `Sec-`."""
        lines = [("origin", "https://api.example.com"), ("sec-fetch-site", "same-origin")]
        if proof is not None:
            lines.append(("secure-session-response", proof))
            self.sent_proofs.append(proof)
        lines += [("sec-secure-session-id", identifier)] if identifier is not None else []
        reply = self.send("POST", path, lines)
        self.device_replies.append(reply)
        return reply

    def _may_sign(self) -> bool:
        if self.quota is not None:
            self.quota -= 1
        return self.quota is None or self.quota >= 0

    def register(self, path: str, challenge: str) -> None:
        """Accept an offer, with a key that no other session has."""
        if self.sessions:
            self.key = ec.generate_private_key(ec.SECP256R1())
        assert self.key
        reply = self.send_proof(path, self.proof(challenge, with_key=True))
        if reply.status == 200:
            told = reply.json
            [credential] = told["credentials"]
            found = BrowserSession(
                told["session_identifier"], told["refresh_url"], credential["name"], self.key
            )
            self.registered = found.identifier
            self.sessions[found.identifier] = _with_challenge(found, reply)

    def _renew(self, session: BrowserSession) -> Sequence[tuple[str, str]]:
        """Refresh the bound cookie; return the header that says why the request goes out without it."""
        for _ in range(MAX_TRIES):
            if session.challenge and not self._may_sign():
                return _skipped("quota_exceeded", session)
            proof = self.proof(session.challenge, key=session.key) if session.challenge else None
            reply = self.send_proof(session.refresh_url, proof, session.identifier)
            session = self.sessions[session.identifier] = _with_challenge(session, reply)
            if reply.status in (407, 429) or reply.status >= 500:
                return _skipped("server_error", session)
            if reply.status != 403 or not reply.header("secure-session-challenge"):
                break
        is_over = reply.status == 200 and reply.body and reply.json.get("continue") is False
        if reply.status != 200 or is_over or not self.cookie(session.cookie):
            del self.sessions[session.identifier]
        return ()


def _with_challenge(session: BrowserSession, reply: Reply) -> BrowserSession:
    """Return the session with the challenge of an answer, if that names this session."""
    found = CHALLENGE.fullmatch(reply.header("secure-session-challenge") or "")
    return replace(session, challenge=found[1]) if found and found[2] == session.identifier else session


def _skipped(reason: str, session: BrowserSession) -> list[tuple[str, str]]:
    return [("secure-session-skipped", f'{reason};session_identifier="{session.identifier}"')]
