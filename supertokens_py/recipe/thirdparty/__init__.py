"""Sign-in with accounts of other providers, by OAuth 2 and OpenID Connect: list `thirdparty.init(…)`."""

from __future__ import annotations

from . import exceptions, provider, utils
from .provider import (
    Provider,
    ProviderClientConfig,
    ProviderConfig,
    ProviderInput,
    UserFields,
    UserInfoMap,
)
from .recipe import SignInAndUpFeature, ThirdPartyRecipe
from .recipe import ThirdPartyInit as init
from .utils import InputOverrideConfig

ThirdPartyOverrideConfig = InputOverrideConfig

__all__ = [
    "InputOverrideConfig",
    "Provider",
    "ProviderClientConfig",
    "ProviderConfig",
    "ProviderInput",
    "SignInAndUpFeature",
    "ThirdPartyOverrideConfig",
    "ThirdPartyRecipe",
    "UserFields",
    "UserInfoMap",
    "exceptions",
    "init",
    "provider",
    "utils",
]
