"""The Django application: `INSTALLED_APPS += ["supertokens_py.framework.django"]`.

It is optional. It adds system checks, `manage.py supertokens`, and `SUPERTOKENS` in the settings as another
way to call `init`.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from supertokens_py.framework.adapter import ConfigError, initialise

from .browser_checks import check_browser, check_forms
from .system_checks import check_deployment, check_settings


class SupertokensConfig(AppConfig):
    """`SUPERTOKENS` holds the arguments of `supertokens_py.init` by name, where that is not called itself."""

    name = "supertokens_py.framework.django"
    label = "supertokens"
    verbose_name: Any = "SuperTokens"  # Django also takes what translates lazily

    def ready(self) -> None:
        """Call `init` with the settings, if there are any, and register the checks.

        Raises:
            ConfigError: the settings cannot work; the message names the argument.
        """
        given: Any = getattr(settings, "SUPERTOKENS", None)
        if given is not None:
            if not isinstance(given, dict):
                raise ConfigError("SUPERTOKENS must be a dict with the arguments of supertokens_py.init")
            initialise({"framework": "django", **given}, place="SUPERTOKENS in the settings")
        checks.register(check_settings)
        checks.register(check_browser)
        checks.register(check_deployment, deploy=True)
        checks.register(check_forms, deploy=True)
