"""Forged, altered, foreign and misused access tokens: none is a session (RFC 8725)."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from supertokens_py.engine.embedded.session_state.session_rows import SESSIONS
from supertokens_py.engine.renewal import RenewalOrder
from supertokens_py.exceptions import ProtectedClaimError
from supertokens_py.recipe.session.exceptions import SuperTokensSessionError
from supertokens_py.recipe.session.syncio import get_session_without_request_response
from supertokens_py.tokens.access_token import looks_like_jwt, parse_access_token
from supertokens_py.tokens.signatures import sign_jwt, signature_matches
from tests.framework.site import Site
from tests.support.clock import Clock
from tests.support.databases import Sqlite, TestDatabase

from .forgery import (
    ATTACKER_ED,
    ATTACKER_RSA,
    compact,
    decode,
    encode,
    es256,
    hs,
    jwk_of,
    parts,
    public_forms,
    rs256,
    rsa_with,
    unsigned,
)


class Target:
    """An application with one session, and everything that its attacker may know."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.visitor = site.sign_in("header")
        self.access = self.visitor.access or ""
        self.refresh = self.visitor.refresh_token or ""
        self.header, self.payload, _ = parts(self.access)
        self.kid: str = self.header["kid"]
        self.public: rsa.RSAPublicKey = site.engine.keys.key_set().keys[self.kid].public_key
        self.private: rsa.RSAPrivateKey = site.engine.keys.signer(static=False).private_key
        self.admin = {**self.payload, "sub": "admin", "rsub": "admin"}

    def accepts(self, token: str) -> bool:
        """Tell whether a token is a session, anywhere: without a request, and in a view."""
        try:
            found = get_session_without_request_response(token)
        except SuperTokensSessionError:
            return False
        return found is not None

    def answers(self, token: str) -> list[int]:
        """Return the statuses of a required and an optional view, by header and by cookie."""
        replies = [
            self.site.get(path, **way)
            for path in ("/protected", "/optional")
            for way in ({"bearer": token}, {"cookies": [("sAccessToken", token)]})
        ]
        return [reply.status if reply.json.get("user", True) is not None else 0 for reply in replies]


@pytest.fixture
def target(sqlite_database: TestDatabase) -> Iterator[Target]:
    """One application, without a clock of its own: none of these tests moves it."""
    site = Site("flask", sqlite_database.uri, Clock()).init()
    yield Target(site)
    site.close()


@pytest.fixture(params=["fastapi", "flask", "django_sync", "django_async"])
def everywhere(request: pytest.FixtureRequest, sqlite_files: Sqlite, clock: Clock) -> Iterator[Target]:
    site = Site(request.param, sqlite_files.create().uri, clock).init()
    yield Target(site)
    site.close()


# -- algorithms ------------------------------------------------------------------------------------

RS = padding.PKCS1v15()
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)


def forgeries(target: Target) -> dict[str, str]:
    """Every way to have a token of another user accepted that RFC 8725 and its history know."""
    return _wrong_algorithms(target) | _wrong_keys(target)


def _wrong_algorithms(target: Target) -> dict[str, str]:
    header, claims, ours = target.header, target.admin, rs256(target.private)
    made: dict[str, str] = {}
    for name in ("none", "None", "NONE", "nOnE", "", "null"):
        made[f"alg {name!r}"] = compact({**header, "alg": name}, claims, unsigned)
        made[f"alg {name!r}, old signature"] = compact(
            {**header, "alg": name}, claims, lambda _: parts(target.access)[2]
        )
    for odd in (None, True, 0, [], ["RS256"], {"RS256": 1}):
        made[f"alg {odd!r}"] = compact({**header, "alg": odd}, claims, ours)
    made["no alg"] = compact({name: value for name, value in header.items() if name != "alg"}, claims, ours)
    for form, secret in public_forms(target.public).items():
        for bits in (256, 384, 512):
            made[f"HS{bits} with the {form}"] = compact(
                {**header, "alg": f"HS{bits}"}, claims, hs(secret, f"sha{bits}")
            )
        made[f"RS256 that is HMAC with the {form}"] = compact(header, claims, hs(secret))
    made["ES256"] = compact({**header, "alg": "ES256"}, claims, es256)
    made["RS256 that is ES256"] = compact(header, claims, es256)
    made["EdDSA"] = compact({**header, "alg": "EdDSA"}, claims, ATTACKER_ED.sign)
    made["a psychic ES256 signature"] = compact({**header, "alg": "ES256"}, claims, lambda _: bytes(64))
    made["zeros"] = compact(header, claims, lambda _: bytes(256))
    made["PS256 by us"] = compact(
        {**header, "alg": "PS256"}, claims, rsa_with(target.private, PSS, hashes.SHA256())
    )
    made["RS256 that is PS256"] = compact(header, claims, rsa_with(target.private, PSS, hashes.SHA256()))
    for digest in (hashes.SHA384(), hashes.SHA512(), hashes.SHA1(), hashes.SHA224()):
        made[f"RS256 over {digest.name}"] = compact(header, claims, rsa_with(target.private, RS, digest))
        made[f"{digest.name}, named"] = compact(
            {**header, "alg": f"RS{digest.digest_size * 8}"}, claims, rsa_with(target.private, RS, digest)
        )
    for name in ("rs256", "RS256 ", "RS256\0", "RS2560", "RS384", "RSA", "HS256", "ES256", "PS256", "none"):
        made[f"our signature, alg {name!r}"] = compact({**header, "alg": name}, claims, ours)
    return made


def _wrong_keys(target: Target) -> dict[str, str]:
    header, claims, ours = target.header, target.admin, rs256(target.private)
    theirs = rs256(ATTACKER_RSA)
    jwk = jwk_of(ATTACKER_RSA.public_key(), target.kid)
    made: dict[str, str] = {}
    made["another key"] = compact(header, claims, theirs)
    made["embedded jwk"] = compact({**header, "jwk": jwk}, claims, theirs)
    made["embedded jwk, its kid"] = compact(
        {**header, "jwk": {**jwk, "kid": "evil"}, "kid": "evil"}, claims, theirs
    )
    for member in ("jku", "x5u", "url", "iss"):
        for url in ("https://evil.example/jwks.json", "file:///etc/passwd", "http://169.254.169.254/"):
            made[f"{member} {url}"] = compact({**header, member: url}, claims, theirs)
    made["x5c"] = compact({**header, "x5c": [jwk["n"]]}, claims, theirs)
    for kid in (
        "../../../../dev/null", "/dev/null", "' OR '1'='1", "x' UNION SELECT 'secret", "https://evil.example/key",
        "d-0", "d-", "s-", "", "*", "%", "d-%", "\0", "d-" + "9" * 5000, "__class__", "🔑", "\ud800",
        target.kid + " ", " " + target.kid, target.kid.upper(), target.kid + "\0", target.kid[:-1],
    ):  # fmt: skip
        made[f"kid {kid[:30]!r}"] = compact({**header, "kid": kid}, claims, theirs)
        made[f"kid {kid[:30]!r}, empty secret"] = compact(
            {**header, "kid": kid, "alg": "HS256"}, claims, hs(b"")
        )
        if kid not in ("", target.kid):
            made[f"kid {kid[:30]!r}, our key"] = compact({**header, "kid": kid}, claims, ours)
    for odd in (None, 1, True, [], {}, [target.kid], {"kid": target.kid}):
        made[f"kid {odd!r}"] = compact({**header, "kid": odd}, claims, ours)
    return made


def test_no_forgery_is_accepted(target: Target) -> None:
    """Over 170 ways; what the token itself says never chooses how it is checked (RFC 8725 3.1, 3.10)."""
    made = forgeries(target)
    assert len(made) > 170
    assert [name for name, token in made.items() if target.accepts(token)] == []


def test_no_forgery_is_accepted_in_any_framework(everywhere: Target) -> None:
    """The same in views: 401 where a session is required, nobody or 401 where it is not, never 5xx."""
    made = forgeries(everywhere)
    for name, token in random.Random(8).sample(sorted(made.items()), 40):
        if token.isascii():
            statuses = everywhere.answers(token)
            assert set(statuses) <= {0, 401}, (name, statuses)


def test_nothing_of_a_token_is_ever_fetched(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """`jku`, `x5u`, `kid`: no socket is opened and no file is read for them."""
    import builtins
    import socket

    made = [
        token for name, token in forgeries(target).items() if name.startswith(("jku", "x5u", "url", "kid"))
    ]
    target.accepts(made[0])  # may load the keys once

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError(args)

    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        patch.setattr(builtins, "open", refuse)
        assert not any(target.accepts(token) for token in made)


def test_extra_header_members_change_nothing(target: Target) -> None:
    """A token that we signed ourselves is judged by its own claims alone, whatever else its header says."""
    for extra in ({"jku": "https://evil.example"}, {"crit": ["exp"]}, {"b64": False}, {"cty": "JWT"}):
        token = compact({**target.header, **extra}, target.payload, rs256(target.private))
        assert target.accepts(token)  # signed with our private key: nobody else can make one
        assert not target.accepts(compact({**target.header, **extra}, target.payload, rs256(ATTACKER_RSA)))


# -- alterations -----------------------------------------------------------------------------------


def test_no_flipped_bit_of_header_or_signature_is_accepted(target: Target) -> None:
    """Each bit of the decoded header and signature, and a sample of the payload's."""
    head, body, tail = target.access.split(".")
    assert target.accepts(target.access)

    def flipped(text: str, sample: int | None = None) -> Iterator[str]:
        raw = decode(text)
        bits = range(len(raw) * 8)
        for bit in bits if sample is None else random.Random(1).sample(bits, sample):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            yield encode(bytes(changed))

    tokens = [f"{part}.{body}.{tail}" for part in flipped(head)]
    tokens += [f"{head}.{part}.{tail}" for part in flipped(body, 500)]
    tokens += [f"{head}.{body}.{part}" for part in flipped(tail)]
    assert len(tokens) > 3000
    assert [token for token in tokens if target.accepts(token)] == []


def test_no_flipped_bit_of_the_text_is_accepted(target: Target) -> None:
    """Each bit of each character of header and signature, as text; none is another spelling of the token."""
    text = target.access
    ends = text.index("."), text.rindex(".")
    places = [*range(ends[0] + 1), *random.Random(2).sample(range(*ends), 60), *range(ends[1], len(text))]
    tokens = [
        text[:place] + chr(ord(text[place]) ^ 1 << bit) + text[place + 1 :]
        for place in places
        for bit in range(8)
    ]
    assert [token for token in tokens if target.accepts(token)] == []


def test_no_truncation_or_extension_is_accepted(target: Target) -> None:
    """A token cut short anywhere, or with something before, after or between its parts."""
    text = target.access
    tokens = [text[:length] for length in range(len(text))]
    tokens += [text[start:] for start in range(1, len(text))]
    head, body, tail = text.split(".")
    for extra in ("A", "===", "=A", ".", "..", " ", "\n", "\0", "%", "é", "AAAA", ".e30", ",", ";", '"'):
        tokens += [text + extra, extra + text, f"{head}{extra}.{body}.{tail}", f"{head}.{body}{extra}.{tail}"]
    tokens += [
        "..".join((head, body, tail)),
        f"{head}.{body}.{tail}.{tail}",
        f"{body}.{head}.{tail}",
        f"{head}..{tail}",
    ]
    tokens += [f"{head}.{body}.", f"{head}.{body}", f".{body}.{tail}", ".", "..", "...", ""]
    assert [token for token in tokens if target.accepts(token)] == []


def test_one_signature_has_one_spelling(target: Target) -> None:
    """Other base64 spellings of the same signature bytes are refused: one token, one text."""
    head, body, tail = target.access.split(".")
    raw = decode(tail)
    standard = b64encode(raw).decode()
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = [
        tail[:-1] + letter for letter in last if letter != tail[-1] and decode(tail[:-1] + letter) == raw
    ]
    assert spare
    others = [
        *spare,
        tail[:5] + "\n" + tail[5:],
        tail[:5] + " " + tail[5:],
        *(tail + "=" * n for n in range(1, 5)),
    ]
    if any(letter in standard for letter in "+/"):
        others.append(standard.rstrip("="))
    assert [other for other in others if target.accepts(f"{head}.{body}.{other}")] == []


def test_the_signed_text_is_what_counts(target: Target) -> None:
    """Another base64 spelling of header or payload breaks the signature, although it decodes the same."""
    head, body, tail = target.access.split(".")
    for part in (head, body):
        padded = urlsafe_b64encode(decode(part)).decode()
        if padded != part:
            assert parse_access_token(target.access.replace(part, padded)) is not None
            assert not target.accepts(target.access.replace(part, padded))
    assert not target.accepts(f"{head}.{encode(decode(body) + b' ')}.{tail}")


def test_a_member_twice_has_one_reading(target: Target) -> None:
    """Twice the same member never makes two readers of one token disagree to our cost."""
    claims = json.dumps(target.payload)[1:]
    for text in ('{"sub":"admin",' + claims, "{" + claims[:-1] + ',"sub":"admin"}'):
        assert not target.accepts(compact(target.header, text.encode(), rs256(ATTACKER_RSA)))
    head = json.dumps(target.header)[1:]
    for text in ('{"alg":"none",' + head, "{" + head[:-1] + ',"alg":"none"}', '{"version":"4",' + head):
        for sign in (unsigned, rs256(ATTACKER_RSA)):
            assert not target.accepts(compact(text.encode(), target.admin, sign))


# -- other tokens of ours --------------------------------------------------------------------------


def test_a_jwt_of_the_jwt_recipe_is_no_session(everywhere: Target) -> None:
    """Signed with the very same keys, with every claim of a session: still none (RFC 8725 3.11, 3.12)."""
    engine = everywhere.site.engine
    sneaky = {**everywhere.payload, "version": "5", "alg": "RS256", "typ": "JWT", "kid": everywhere.kid}
    for static in (False, True):
        key = engine.keys.signer(static=static)
        for payload in (everywhere.payload, sneaky):
            with pytest.raises(ProtectedClaimError):
                engine.keys.create_jwt(payload, issuer="x", validity_s=60, static_key=static)
            token = sign_jwt(payload, key=key.private_key, kid=key.kid)  # as an official core would
            assert set(everywhere.answers(token)) <= {0, 401}
            assert not everywhere.accepts(token)


def test_a_refresh_token_is_no_access_token_and_back(everywhere: Target) -> None:
    """Each in the other's place, by header and by cookie; the session outlives the attempt."""
    site, visitor = everywhere.site, everywhere.visitor
    assert set(everywhere.answers(everywhere.refresh.replace("/", "%2F").replace("=", "%3D"))) <= {0, 401}
    assert set(everywhere.answers(everywhere.refresh)) <= {0, 401}
    for way in ({"bearer": everywhere.access}, {"cookies": [("sRefreshToken", everywhere.access)]}):
        assert site.post("/auth/session/refresh", **way).status == 401
    assert site.stored(visitor.handle) is not None
    assert visitor.refresh().status == 200


def test_hashes_of_refresh_tokens_are_no_refresh_tokens(target: Target) -> None:
    """What an access token and the database tell of a refresh token cannot be used as one."""
    row = target.site.engine.database.read(
        lambda c: c.execute(target.site.engine.database.tables[SESSIONS].select()).mappings().first()
    )
    hashes_known = [target.payload["refreshTokenHash1"], row["refresh_token_hash_2"]]
    for text in (*hashes_known, *(f"{text}.{text}.V2" for text in hashes_known)):
        assert target.site.post("/auth/session/refresh", bearer=text).status == 401
    assert target.site.stored(target.visitor.handle) is not None


@pytest.mark.parametrize(
    "version", ["1", "2", "0", "-1", "", "5.0", " 5", "٥", "１", "1e1", "05x", "9999", 5, None, [], True]
)
def test_only_a_decimal_text_from_3_on_is_a_version(target: Target, version: Any) -> None:
    """Only a decimal string from 3 on is a version, even under our own signature."""
    header = {**target.header, "version": version}
    assert not target.accepts(compact(header, target.payload, rs256(target.private)))


def test_older_versions_need_their_claims_too(target: Target) -> None:
    """v3 and v4 tokens are sessions only under our signature and with every claim of theirs."""
    for version in (3, 4, 5):
        header = {**target.header, "version": str(version)}
        assert target.accepts(compact(header, target.payload, rs256(target.private)))
        assert not target.accepts(compact(header, target.payload, rs256(ATTACKER_RSA)))
        for claim in ("sub", "sessionHandle", "refreshTokenHash1", "exp", "iat"):
            less = {name: value for name, value in target.payload.items() if name != claim}
            assert not target.accepts(compact(header, less, rs256(target.private)))


def test_the_legacy_form_is_only_refreshed(target: Target) -> None:
    """v1 and v2 tokens are never a session, signed or not (they carry no `kid`)."""
    claims = {
        "sessionHandle": "h", "userId": "admin", "refreshTokenHash1": "x", "userData": {},
        "expiryTime": 9e14, "timeCreated": 1,
    }  # fmt: skip
    body = b64encode(json.dumps(claims).encode()).decode()
    for version in ("1", "2"):
        head = b64encode(f'{{"alg":"RS256","typ":"JWT","version":"{version}"}}'.encode()).decode()
        for sign in (rs256(target.private), rs256(ATTACKER_RSA), unsigned):
            signature = b64encode(sign(f"{head}.{body}".encode())).decode()
            assert not target.accepts(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("stt", [1, "0", "1", None, False, 0.5, [], {}])
def test_a_token_of_another_type_is_no_session(target: Target, stt: Any) -> None:
    """`stt` tells OAuth tokens of newer cores apart; only 0 or none is a session."""
    token = compact(target.header, {**target.payload, "stt": stt}, rs256(target.private))
    assert target.accepts(token) is (stt is False)  # in JSON false is not 0, but it is no other type either


def test_odd_times_are_refused_under_our_own_signature(target: Target) -> None:
    """Expired, not yet valid, issued in the future, without an end, with an odd one: refused, though ours."""
    now = target.site.clock() // 1000
    for change in (
        {"exp": now - 1}, {"exp": 0}, {"exp": -1}, {"exp": "9999999999"}, {"exp": None}, {"exp": True},
        {"exp": []},
        {"iat": now + 120}, {"iat": "0"}, {"iat": None}, {"nbf": now + 1}, {"nbf": 1e300},
    ):  # fmt: skip
        token = compact(target.header, {**target.payload, **change}, rs256(target.private))
        assert not target.accepts(token), change
    for number in ("1e999", "-1e999", "NaN", "Infinity", "1" * 5000):
        text = json.dumps({**target.payload, "exp": 0}).replace('"exp": 0', f'"exp": {number}')
        assert not target.accepts(compact(target.header, text.encode(), rs256(target.private))), number


# -- other applications ----------------------------------------------------------------------------


def test_a_token_of_another_database_is_a_strangers(everywhere: Target, sqlite_files: Sqlite) -> None:
    """Another app, tenant or environment has other keys: access and refresh tokens of it are strangers'."""
    other_site = Site("flask", sqlite_files.create(template=False).uri, everywhere.site.clock)
    other_site.init()
    other = Target(other_site)
    other_site.close()
    everywhere.site.init()
    assert set(everywhere.answers(other.access)) <= {0, 401}
    reply = everywhere.site.post("/auth/session/refresh", bearer=other.refresh)
    assert reply.status == 401


def test_keys_that_expired_or_were_dropped(sqlite_files: Sqlite, clock: Clock) -> None:
    """A leaked key that was dropped signs nothing any more, also on a server that remembered its tokens."""
    site = Site("flask", sqlite_files.create().uri, clock).init()
    old = Target(site)
    assert old.accepts(old.access)
    assert old.accepts(old.access)  # from memory
    site.engine.keys.renew(RenewalOrder(dynamic=True, drop_old=True))
    assert not old.accepts(old.access)
    assert not old.accepts(compact(old.header, old.admin, rs256(old.private)))
    assert old.visitor.refresh().status == 200  # the session goes on
    expired = Target(site)
    clock.advance(days=30)
    far = {**expired.payload, "iat": clock() // 1000, "exp": clock() // 1000 + 10**9}
    assert not expired.accepts(compact(expired.header, far, rs256(expired.private)))
    site.close()


def test_a_token_of_the_other_kind_of_key_is_no_session(target: Target) -> None:
    """A token signed with a static key is no session where dynamic keys are asked for."""
    signer = target.site.engine.keys.signer(static=True)
    token = sign_jwt(target.payload, key=signer.private_key, kid=signer.kid, version=5)
    assert not target.accepts(token)


# -- sizes and encodings ---------------------------------------------------------------------------


@pytest.mark.usefixtures("no_collection")
def test_huge_and_deep_tokens_are_plainly_refused(everywhere: Target) -> None:
    """Depth, width and digits end in a plain refusal, not in a crash or a long wait."""
    deep = b'{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}"
    bodies = [deep, b'{"sub":' + b"1" * 40_000 + b"}", b'{"sub":"' + b"x" * 48_000 + b'"}', b"[" * 30_000]
    for body in bodies:
        for token in (
            compact(everywhere.header, body, unsigned),
            compact(body, everywhere.payload, unsigned),
            compact(body, body, unsigned)[:60_000],
        ):
            assert not everywhere.accepts(token)
    token = compact(everywhere.header, deep, unsigned)
    assert set(everywhere.answers(token)) <= {0, 401}
    assert everywhere.site.post("/auth/session/refresh", bearer=token).status == 401


def test_long_forgeries_are_refused_by_key_and_signature(everywhere: Target) -> None:
    """What the payload holds makes no difference, so that nobody decodes it for an attacker."""
    assert everywhere.accepts(everywhere.access)  # the keys are known from here on
    bodies = [b"\xff" * 6000, b"[" * 6000, json.dumps({**everywhere.admin, "x": "x" * 6000}).encode()]
    for kid in (everywhere.kid, "d-unknown", "s-unknown"):
        header = {**everywhere.header, "kid": kid}
        answers: list[tuple[object, ...]] = []
        for body in bodies:
            token = compact(header, body, rs256(ATTACKER_RSA))
            with pytest.raises(SuperTokensSessionError) as refused:
                get_session_without_request_response(token, session_required=False)
            reply = everywhere.site.get("/optional", bearer=token)
            answers.append((str(refused.value), refused.value.code, reply.status, reply.json))
        assert answers == [answers[0]] * 3
        assert answers[0][2:] == (401, {"message": "try refresh token"})


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff\xfe{}",
        b"\xc3\x28",
        b"\xed\xa0\x80",
        b"{\x00}",
        b"\xef\xbb\xbf{}",
        b"{}\x00",
        b"",
        b"null",
        b"5",
    ],
)
def test_bytes_that_are_no_json(target: Target, raw: bytes) -> None:
    """Not UTF-8, with a byte order mark, with NUL, not an object: refused in either part."""
    for token in (compact(target.header, raw, unsigned), compact(raw, target.payload, unsigned)):
        assert parse_access_token(token) is None
        assert not target.accepts(token)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    """The parsers take every text there is, surrogates included, without an error."""
    public = ATTACKER_RSA.public_key()
    for candidate in (text, f"{text}.{text}.{text}", f"e30.{text}.e30"):
        assert parse_access_token(candidate) is None
        assert looks_like_jwt(candidate) in (True, False)
        assert not signature_matches(candidate, public)
