"""Help for tests of applications and adapters.

`login_as`, `steal` and the assertions are for tests of applications, as are the fixtures of the plugin.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .pytest_plugin.applications import SupertokensClock
    from .pytest_plugin.assertions import assert_claim_failed, assert_logged_in, assert_logged_out
    from .pytest_plugin.logins import Login, Thief, login_as, steal
    from .pytest_plugin.outbox import Outbox, SentMessage
    from .pytest_plugin.sign_ups import SignUp
    from .unittest_mixin import SupertokensTestMixin

__all__ = [
    "PAGE",
    "Login",
    "Outbox",
    "SentMessage",
    "SignUp",
    "SupertokensClock",
    "SupertokensTestMixin",
    "Thief",
    "assert_claim_failed",
    "assert_logged_in",
    "assert_logged_out",
    "login_as",
    "steal",
]

#: The headers with which a browser asks for a page of this origin, or sends a form of one
#: (https://www.w3.org/TR/fetch-metadata/). Test clients send none, and are answered as scripts are:
#: `client.get("/", headers=PAGE)`.
PAGE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sec-fetch-mode": "navigate",
        "sec-fetch-dest": "document",
        "sec-fetch-site": "same-origin",
        "accept": "text/html",
    }
)

_HOMES: Final = MappingProxyType(
    {
        "Outbox": ".pytest_plugin.outbox",
        "SentMessage": ".pytest_plugin.outbox",
        "SignUp": ".pytest_plugin.sign_ups",
        "SupertokensClock": ".pytest_plugin.applications",
        "SupertokensTestMixin": ".unittest_mixin",
        "assert_claim_failed": ".pytest_plugin.assertions",
        "assert_logged_in": ".pytest_plugin.assertions",
        "assert_logged_out": ".pytest_plugin.assertions",
    }
)


def __getattr__(name: str) -> Any:
    """Import what is asked for: pytest imports this package in every run, where it is installed."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, ".pytest_plugin.logins"), __name__), name)


def __dir__() -> list[str]:
    """Show the names that come with their first use as well."""
    return sorted({*globals(), *__all__})
