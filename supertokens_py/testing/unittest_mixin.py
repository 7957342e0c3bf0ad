"""The fixtures of the plugin for test cases of `unittest`, such as those that `manage.py test` runs."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from .pytest_plugin.applications import SupertokensClock, under_test

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

    def run(self, result: unittest.TestResult | None = None) -> unittest.TestResult | None:
        """Run the test with sessions in memory."""
        given = dict(self.supertokens_engine)
        self.supertokens_clock = SupertokensClock()
        with under_test(self.supertokens_clock, uri=given.pop("engine", "sqlite://"), engine=given) as app:
            self.supertokens = app
            return super().run(result)
