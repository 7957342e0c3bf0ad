"""Sessions in two databases behind a router, as docs/sharding.md describes them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shards() -> ModuleType:
    """The example, which is a script and no package."""
    path = ROOT / "example_apps" / "scale_out" / "shards.py"
    spec = importlib.util.spec_from_file_location("shards_of_the_example", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_two_databases(shards: ModuleType, tmp_path: Path) -> None:
    """Nobody's sessions are in both, a database that is away is away for its users only, and shards move."""
    uris = [f"sqlite:///{tmp_path}/{number}.db" for number in range(2)]
    found = shards.simulate(uris, users=12)
    assert sum(found.sessions) == 24
    assert found.scattered_users == 0
    assert found.calls["create"] == found.sessions
    assert found.refused_while_away + found.served_while_away == 9
    assert found.refused_while_away > 0
    assert found.served_while_away > 0
    assert found.moved > 0
    assert found.lost == 0


def test_a_forged_access_token_leads_nowhere(shards: ModuleType) -> None:
    """Where a token says that its session is, is only where it is looked for."""
    assert shards.shard_of_access_token("e30.eyJ0SWQiOiAiczcifQ.forged") == "s7"
    assert shards.shard_of_handle("00000000-0000-4000-8000-000000000000_s7") == "s7"
    assert shards.shard_of_handle("00000000-0000-4000-8000-000000000000") == "public"


def test_the_table_of_the_page(shards: ModuleType) -> None:
    """The page shows what the script computes."""
    page = (ROOT / "docs" / "sharding.md").read_text()
    assert "\n".join(shards.table()) in page
