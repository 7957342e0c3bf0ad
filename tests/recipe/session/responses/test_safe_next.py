"""Where a browser may be sent on to: pages of this server, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from supertokens_py.recipe.session import PageSettings
from supertokens_py.recipe.session.responses.pages import Pages, safe_next

OFF_SITE = [
    "//evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "javascript:alert(1)",
    "evil.example",
    "",
    " /x",
    "/auth/signout",
    "/€",
    "/%61uth/signout",
    "/x/../auth/session/refresh?next=/y",
    "//auth",
    "/./auth/",
    "/auth",
    f"/{'x' * 2048}",
]


@pytest.fixture
def pages() -> Pages:
    policy: Any = None
    return Pages(PageSettings(login_path="/login"), "/auth", policy, lambda: 0)


@pytest.mark.parametrize("following", OFF_SITE)
def test_what_is_no_page_of_this_server_is_its_first_page(pages: Pages, following: str) -> None:
    assert pages.safe_next(following) == "/"


@pytest.mark.parametrize(
    "following", ["/", "/a/b", "/a?next=https://b.example", "/%2F%2Fb", "/authors", "/a#b"]
)
def test_a_page_of_this_server_stays(pages: Pages, following: str) -> None:
    assert pages.safe_next(following) == following


def test_nothing_is_the_first_page(pages: Pages) -> None:
    assert pages.safe_next(None) == "/"


@pytest.mark.parametrize("following", ["/session/refresh", "/signout", "/x/../signout"])
def test_routes_at_the_root_are_no_pages(following: str) -> None:
    assert safe_next(following, "") == "/"
    assert safe_next("/shop", "") == "/shop"
