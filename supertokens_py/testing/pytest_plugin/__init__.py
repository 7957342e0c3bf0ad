"""Fixtures for tests of applications; pytest loads this module in every run of an environment that has us.

So it imports nothing but pytest: everything else comes with the first fixture that is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from supertokens_py.app import Supertokens
    from supertokens_py.events import Event

    from .applications import SupertokensClock
    from .logins import Login
    from .outbox import Outbox

_MARKER = (
    "supertokens(engine='sqlite://', **engine_config): where the sessions of this test are kept, and the "
    "arguments of EngineConfig"
)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def supertokens_clock() -> SupertokensClock:
    """The clock of the app in this test; it moves only when you move it."""
    from .applications import SupertokensClock

    return SupertokensClock()


@pytest.fixture
def _supertokens_and_outbox(  # pyright: ignore[reportUnusedFunction]
    request: pytest.FixtureRequest, supertokens_clock: SupertokensClock
) -> Iterator[tuple[Supertokens, Outbox]]:
    """One fixture for both: no test sends messages, whether it looks at them or not."""
    from .applications import under_test
    from .outbox import collected

    marker = request.node.get_closest_marker("supertokens")
    given: dict[str, Any] = {} if marker is None else dict(marker.kwargs)
    uri = given.pop("engine", "sqlite://")
    with under_test(supertokens_clock, uri=uri, engine=given) as app, collected() as outbox:
        yield app, outbox


@pytest.fixture
def supertokens(_supertokens_and_outbox: tuple[Supertokens, Outbox]) -> Supertokens:
    """The application's own app, on a database in memory of this test alone, with `supertokens_clock`.

    Import what calls `init` at the top of the test file, or in conftest.py. Where a factory calls `init`,
    let the fixture that calls the factory use this one: then the test gets the app of the factory, and it is
    dropped afterwards.
    """
    return _supertokens_and_outbox[0]


@pytest.fixture
def login_as(supertokens: Supertokens) -> Callable[..., Login]:
    """`login_as(client, user_id, ...)` signs a test client in; see `supertokens_py.testing.login_as`."""
    from .logins import login_as

    return login_as


@pytest.fixture
def supertokens_outbox(_supertokens_and_outbox: tuple[Supertokens, Outbox]) -> Outbox:
    """The e-mails and text messages of this test, in order; none is sent."""
    return _supertokens_and_outbox[1]


@pytest.fixture
def sign_up_as(supertokens_outbox: Outbox) -> Iterator[Callable[..., Any]]:
    """`sign_up_as(client, email, ...)` makes a user through the API, and signs a test client in."""
    from .provider_accounts import known_accounts
    from .sign_ups import sign_up_as

    with known_accounts() as accounts:
        yield partial(sign_up_as, supertokens_outbox, accounts)


@pytest.fixture
def supertokens_events(supertokens: Supertokens) -> Iterator[list[Event]]:
    """The events of this test (`supertokens_py.events`), in order."""
    from supertokens_py.events import subscribe

    events: list[Event] = []
    unsubscribe = subscribe(events.append)
    yield events
    unsubscribe()
