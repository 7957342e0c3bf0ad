"""The fixtures of the plugin for test cases of `unittest`, such as those that `manage.py test` runs."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, ClassVar

from .pytest_plugin.applications import SupertokensClock, under_test
from .pytest_plugin.outbox import Outbox, collected
from .pytest_plugin.provider_accounts import ProviderAccounts, known_accounts
from .pytest_plugin.sign_ups import sign_up_as

if TYPE_CHECKING:
    from supertokens_py.app import Supertokens

    _Base = unittest.TestCase
else:
    _Base = object


class SupertokensTestMixin(_Base):
    """Gives each test of a test case a store of its own, as the fixture `supertokens` does.

    It stands before the test case in the bases: `class SiteTests(SupertokensTestMixin, TestCase)`. Everything
    from `setUp` to the clean-up functions is on a database in memory; `setUpClass` and `setUpTestData` are
    not.
    """

    #: Where the sessions of each test are kept ("engine"), and arguments of `EngineConfig`.
    supertokens_engine: ClassVar[Mapping[str, Any]] = {}

    supertokens: Supertokens  #: your app, with your settings and recipes
    supertokens_clock: SupertokensClock  #: its clock, which only you move
    supertokens_outbox: Outbox  #: the e-mails and text messages of the test; none of them is sent
    _around: ExitStack
    _accounts: ProviderAccounts | None

    def sign_up_as(self, client: Any, email: str = "ada@example.com", **how: Any) -> Any:
        """Make a user through the API of a sign-in recipe, and sign a test client in.

        Arguments, result and errors are those of the fixture `sign_up_as`.
        """
        if self._accounts is None:
            self._accounts = self._around.enter_context(known_accounts())
        return sign_up_as(self.supertokens_outbox, self._accounts, client, email, **how)

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test with sessions in memory."""
        given = dict(self.supertokens_engine)
        self.supertokens_clock = SupertokensClock()
        self._accounts = None
        with ExitStack() as self._around:
            self.supertokens = self._around.enter_context(
                under_test(self.supertokens_clock, uri=given.pop("engine", "sqlite://"), engine=given)
            )
            self.supertokens_outbox = self._around.enter_context(collected())
            return super().run(result)
