"""What ordinary traffic costs when time passes: no request pays for keys that have not changed."""

from __future__ import annotations

from typing import Any

from tests.framework.site import Site


def test_unchanged_keys_are_not_looked_at_again_and_again(site: Site, monkeypatch: Any) -> None:
    """After `jwks_refresh_interval_sec` the keys are loaded once, not at every request from then on."""
    visitor = site.sign_in("header")
    site.clock.advance(hours=5)
    assert visitor.refresh().status == 200  # a token of this hour, with keys of five hours ago
    database: Any = site.engine._database
    attempt, reads = database._attempt, [0]

    def counted(*args: Any) -> Any:
        reads[0] += 1
        return attempt(*args)

    monkeypatch.setattr(database, "_attempt", counted)
    for _ in range(4):
        site.engine._keys._reloaded_at = float("-inf")  # as if each came after the cool-down of 5 s
        assert visitor.get("/protected").status == 200
    assert reads[0] == 1
