"""`-m quick` asks nearly every function of the tests once, and leaves none of the parameters out for good."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.quick import LEFT_OUT, SUITES, is_left_out, mark_quick

ROOT = Path(__file__).parents[1]
FRAMEWORKS = ("fastapi", "flask", "django_sync", "django_async", "quart")

Choose = Callable[..., list[str]]


class _Item(pytest.Item):
    """A test of which only name and markers count."""

    def runtest(self) -> None:
        raise NotImplementedError


@pytest.fixture
def choose(request: pytest.FixtureRequest) -> Choose:
    """Choose among tests with these names, in which "real" and "postgres" stand for the markers."""

    def choose(*names: str) -> list[str]:
        items = [_Item.from_parent(request.session, name=name, nodeid=name) for name in names]
        for item in items:
            for marker in ("real", "postgres"):
                if marker in item.name:
                    item.add_marker(marker)
        mark_quick(items)
        return [item.name for item in items if item.get_closest_marker("quick")]

    return choose


def test_one_of_each_function(choose: Choose) -> None:
    chosen = choose(
        "tests/a.py::test_a[x]", "tests/a.py::test_a[y]", "tests/a.py::test_b", "tests/b.py::test_b"
    )
    assert [name.partition("[")[0] for name in chosen] == [
        "tests/a.py::test_a",
        "tests/a.py::test_b",
        "tests/b.py::test_b",
    ]


def test_the_choice_does_not_depend_on_the_order(choose: Choose) -> None:
    """pytest-randomly shuffles the tests, and each worker chooses by itself."""
    names = [f"tests/a.py::test_a[{number}]" for number in range(20)]
    assert choose(*names) == choose(*reversed(names))


def test_every_framework_has_its_share(choose: Choose) -> None:
    names = [f"tests/a.py::test_{n}[{framework}]" for n in range(100) for framework in FRAMEWORKS]
    chosen = choose(*names)
    assert len(chosen) == 100
    assert all(sum(framework in name for name in chosen) >= 10 for framework in FRAMEWORKS)


def test_of_two_databases_it_is_sqlite(choose: Choose) -> None:
    """PostgreSQL is a program that each worker would start; what is about it alone is left out."""
    names = [f"tests/a.py::test_{number}[{kind}]" for number in range(9) for kind in ("postgres", "sqlite")]
    assert choose(*names) == [name for name in names if "sqlite" in name]
    assert choose("tests/a.py::test_a[postgres]") == []


def test_of_the_classes_of_a_suite_it_is_one_per_test(choose: Choose) -> None:
    """Which one follows from the names, so that each framework has some of the suite."""
    names = [f"{SUITES[0]}::Test{kind}::test_{n}" for kind in ("Flask", "Sanic") for n in range(20)]
    chosen = choose(*names)
    assert {name.rpartition("::")[2] for name in chosen} == {f"test_{n}" for n in range(20)}
    assert len(chosen) == 20
    assert all(any(kind in name for name in chosen) for kind in ("Flask", "Sanic"))


def test_what_drives_programs_is_left_out(choose: Choose) -> None:
    """Where one parametrisation is `real`, another one is chosen."""
    browser, real, other = (
        "tests/browser/test_a.py::test_a",
        "tests/a.py::test_a[real]",
        "tests/a.py::test_a[x]",
    )
    assert choose(browser, real) == []
    assert choose(browser, real, other) == [other]


def test_what_is_left_out_is_not_read(tmp_path: Path) -> None:
    """Unless a test of it carries the marker by itself."""
    folder = tmp_path / "tests" / "servers"
    folder.mkdir(parents=True)
    for name, text in {"test_a.py": "", "test_b.py": "@pytest.mark.quick", "conftest.txt": ""}.items():
        (folder / name).write_text(text)
    (tmp_path / "tests" / "test_c.py").write_text("")
    found = [path.name for path in sorted(tmp_path.rglob("*.*")) if is_left_out(path, tmp_path)]
    assert found == ["test_a.py"]


def test_what_is_left_out_is_there() -> None:
    """A file that was renamed would be chosen all of a sudden."""
    assert [place for place in (*LEFT_OUT, *SUITES) if not (ROOT / place).exists()] == []
