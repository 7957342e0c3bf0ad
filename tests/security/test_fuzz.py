"""Short versions of what `scripts/fuzz` runs for long."""

from __future__ import annotations

import pytest

from supertokens_py.recipe.session import SessionRecipe
from supertokens_py.tokens.signatures import RsaVerificationKey
from tests.framework.site import Site
from tests.support.databases import TestDatabase

from . import fuzz
from .__main__ import main


@pytest.fixture
def fuzzed(bare_site: Site) -> Site:
    return bare_site.init(older_cookie_domain="")


def test_mutated_tokens_and_cookies(fuzzed: Site) -> None:
    """None is accepted, none is answered with 5xx, in any framework (`scripts/fuzz tokens`)."""
    report = fuzz.fuzz_tokens(fuzzed, 600, seed=11)
    assert (report.accepted, report.broken) == ([], [])
    assert report.sent == 600
    assert len({way for way, _ in report.statuses}) == 5


def test_the_corpus_itself(fuzzed: Site) -> None:
    """Every committed token in every place; every cookie line with real tokens in it."""
    visitor = fuzzed.sign_in("header")
    for token in fuzz.corpus("tokens"):
        for reply in (
            fuzzed.get("/protected", bearer=token),
            fuzzed.get("/protected", cookies=[("sAccessToken", token)]),
            fuzzed.post("/auth/session/refresh", bearer=token),
            fuzzed.post("/auth/session/refresh", cookies=[("sRefreshToken", token)]),
        ):
            assert reply.status == 401, token
    for line in fuzz.corpus("cookies"):
        line = line.replace("{access}", visitor.access or "").replace("{refresh}", "x")
        assert fuzzed.get("/optional", [("cookie", line)]).status in (200, 401), line


def test_the_fuzzer_would_notice(fuzzed: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the signature check taken out, the same run reports accepted tokens."""
    monkeypatch.setattr(RsaVerificationKey, "matches", lambda *_: True)
    assert fuzz.fuzz_tokens(fuzzed, 300, seed=11).accepted


def test_a_short_state_run(sqlite_database: TestDatabase) -> None:
    """The long run's own loop, cut short."""
    assert fuzz.fuzz_state(sqlite_database.uri, 120, seed=5).total() == 120


@pytest.mark.parametrize(
    "kind", ["garbage", "foreign JWT", "unknown kid", "bad signature", "60 kB", "garbage refresh"]
)
@pytest.mark.parametrize("bare_site", ["fastapi", "flask"], indirect=True)
def test_a_flood_costs_no_io_and_no_memory(fuzzed: Site, kind: str) -> None:
    """Distinct forged tokens: at most one look at the keys per 5 s, nothing is kept (`fuzz flood`)."""
    make = fuzz.flood_kinds(fuzzed)[kind]
    result = fuzz.flood(fuzzed, kind, make, 40 if kind == "60 kB" else 80)
    looks = 1 + int(result.seconds / 5)
    assert result.transactions <= (looks if kind in ("unknown kid", "garbage refresh") else 0)
    assert result.kept_bytes < 6_000_000  # 64 headers of at most 60 kB each
    cache = SessionRecipe.get_instance().verifier.verified.cache
    assert (cache.young, cache.old) == ({}, {})  # only valid tokens are cached


@pytest.mark.real
def test_each_long_command_runs_and_prints_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    """Each long command runs and prints its figures."""
    assert main(["tokens", "--count", "50", "--seed", "1"]) == 0
    assert main(["payloads", "--count", "20", "--seed", "1"]) == 0
    assert main(["state", "--steps", "30", "--seed", "1"]) == 0
    assert main(["flood", "--count", "20"]) == 0
    told = capsys.readouterr().out
    assert "50 sent, 0 accepted, 0 broken" in told
    assert "seed 1: 20 payloads carried unchanged" in told
    assert "30 steps without a divergence" in told
    assert "us each" in told
