"""What multitenancy functions take and return, and the body of GET /loginmethods."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal

from supertokens_py.types.providers import ProviderConfig
from supertokens_py.types.response import APIResponse

if TYPE_CHECKING:
    from supertokens_py.engine.records import Tenant

#: Login methods by the names of their switches, and the first factors that belong to each.
METHODS: dict[str, tuple[str, ...]] = {
    "email_password_enabled": ("emailpassword",),
    "passwordless_enabled": ("otp-email", "otp-phone", "link-email", "link-phone"),
    "third_party_enabled": ("thirdparty",),
}

FACTORS: frozenset[str] = frozenset(factor for own in METHODS.values() for factor in own) | {"webauthn"}


class _Unset(Enum):
    UNSET = "UNSET"


UNSET = _Unset.UNSET  #: "leave it as it is"; None is a value of its own


# -- settings of a tenant ----------------------------------------------------------------------------


@dataclass
class TenantConfig:
    """Which login methods a tenant has; what is None stays as it is, and is off in a new tenant."""

    email_password_enabled: bool | None = None
    passwordless_enabled: bool | None = None
    third_party_enabled: bool | None = None
    core_config: dict[str, Any] | None = None

    def changes(self, known: Tenant | None) -> dict[str, Any]:
        """Return what has to change in the engine's tenant; `known` is the tenant as it is.

        Engines and cores know login methods by switches, by factors, or by both, so both are said.
        """
        changes: dict[str, Any] = {} if self.core_config is None else {"core_config": self.core_config}
        wanted = (self.email_password_enabled, self.passwordless_enabled, self.third_party_enabled)
        if known is not None and wanted == (None, None, None):
            return changes
        before = (False, False, False) if known is None else enabled_methods(known)
        now = [old if new is None else new for old, new in zip(before, wanted, strict=True)]
        listed = [] if known is None else known.first_factors or []
        factors = [factor for factor in listed if not any(factor in own for own in METHODS.values())]
        for enabled, own in zip(now, METHODS.values(), strict=True):
            if enabled:
                factors += [factor for factor in listed if factor in own] or own
        switches = dict(zip(METHODS, now, strict=True)) if factors else {}
        return {**changes, **switches, "first_factors": factors}


@dataclass
class TenantConfigCreateOrUpdate:
    """The form of later releases: login methods as a list of factors.

    Args:
        core_config: settings of this tenant; laid over the ones it has, None removes one.
        first_factors: the ways to log in, such as ["emailpassword", "thirdparty"]; None allows all. Left
            out: unchanged, and none in a new tenant.
        required_secondary_factors: what must follow; None means nothing. Left out: unchanged.
    """

    core_config: dict[str, Any] = field(default_factory=dict[str, Any])
    first_factors: list[str] | Literal[_Unset.UNSET] | None = UNSET
    required_secondary_factors: list[str] | Literal[_Unset.UNSET] | None = UNSET

    def changes(self, known: Tenant | None) -> dict[str, Any]:
        """Return what has to change in the engine's tenant."""
        given = {
            "core_config": self.core_config or UNSET,
            "first_factors": self.first_factors,
            "required_secondary_factors": self.required_secondary_factors,
        }
        return {name: value for name, value in given.items() if value is not UNSET}


# -- results -----------------------------------------------------------------------------------------


@dataclass
class CreateOrUpdateTenantOkResult:
    """The tenant exists and has the configuration."""

    status = "OK"
    created_new: bool


@dataclass
class DeleteTenantOkResult:
    """The tenant is gone, with its sessions and role links."""

    status = "OK"
    did_exist: bool


@dataclass
class CreateOrUpdateThirdPartyConfigOkResult:
    """The tenant has the provider."""

    status = "OK"
    created_new: bool


@dataclass
class DeleteThirdPartyConfigOkResult:
    """The tenant has no such provider any more."""

    status = "OK"
    did_config_exist: bool


@dataclass
class _Switch:
    enabled: bool

    def to_json(self) -> dict[str, Any]:
        return {"enabled": self.enabled}


@dataclass
class _Providers(_Switch):
    providers: list[Any]

    def to_json(self) -> dict[str, Any]:
        return {**super().to_json(), "providers": [provider.to_json() for provider in self.providers]}


class EmailPasswordConfig(_Switch):
    """Whether a tenant's users may log in with e-mail and password."""


class PasswordlessConfig(_Switch):
    """Whether a tenant's users may log in with a code or link."""


@dataclass
class ThirdPartyConfig(_Providers):
    """Whether a tenant's users may log in through others, and the providers that are stored for it."""

    providers: list[ProviderConfig]


@dataclass(eq=False)
class TenantConfigResponse:
    """A tenant's configuration."""

    emailpassword: EmailPasswordConfig
    passwordless: PasswordlessConfig
    third_party: ThirdPartyConfig
    core_config: dict[str, Any]
    first_factors: list[str] | None = None
    required_secondary_factors: list[str] | None = None
    tenant_id: str = "public"

    @property
    def third_party_providers(self) -> list[ProviderConfig]:
        """Later name of `third_party.providers`."""
        return self.third_party.providers


class GetTenantOkResult(TenantConfigResponse):
    """The configuration that `get_tenant` found."""

    status = "OK"

    @classmethod
    def of(cls, tenant: Tenant) -> GetTenantOkResult:
        """Return an engine's tenant in this form."""
        return cls(*_parts_of(tenant), *_factors_of(tenant), tenant_id=tenant.tenant_id)


class ListAllTenantsItem(TenantConfigResponse):
    """One tenant of `list_all_tenants`."""

    def __init__(
        self,
        tenant_id: str,
        emailpassword: EmailPasswordConfig,
        passwordless: PasswordlessConfig,
        third_party: ThirdPartyConfig,
        core_config: dict[str, Any],
        first_factors: list[str] | None = None,
        required_secondary_factors: list[str] | None = None,
    ) -> None:
        super().__init__(
            emailpassword,
            passwordless,
            third_party,
            core_config,
            first_factors,
            required_secondary_factors,
            tenant_id,
        )

    @classmethod
    def of(cls, tenant: Tenant) -> ListAllTenantsItem:
        """Return an engine's tenant in this form."""
        return cls(tenant.tenant_id, *_parts_of(tenant), *_factors_of(tenant))

    def to_json(self) -> dict[str, Any]:
        return {
            "tenantId": self.tenant_id,
            "emailPassword": self.emailpassword.to_json(),
            "passwordless": self.passwordless.to_json(),
            "thirdParty": self.third_party.to_json(),
            "coreConfig": self.core_config,
        }


@dataclass
class ListAllTenantsOkResult:
    """Every tenant, "public" among them."""

    status = "OK"
    tenants: list[ListAllTenantsItem]


def enabled_methods(tenant: Tenant) -> tuple[bool, bool, bool]:
    """Return whether e-mail and password, passwordless and third-party login work in a tenant.

    A method works if its switch is on and the tenant's factors, where it lists any, name one of its own.
    """

    def works(switch: str) -> bool:
        factors = tenant.first_factors
        return getattr(tenant, switch) and (factors is None or any(f in factors for f in METHODS[switch]))

    return works("email_password_enabled"), works("passwordless_enabled"), works("third_party_enabled")


def is_enabled(factor: str, tenant: TenantConfigResponse) -> bool:
    """Return whether the switches of a tenant that lists no factors leave one on."""
    switches = (tenant.emailpassword, tenant.passwordless, tenant.third_party)
    return all(
        switch.enabled for switch, own in zip(switches, METHODS.values(), strict=True) if factor in own
    )


def has_method(switch: str, factors: Sequence[str]) -> bool:
    """Return whether a login method, by the name of its switch, has one of these factors."""
    return any(factor in METHODS[switch] for factor in factors)


def _parts_of(
    tenant: Tenant,
) -> tuple[EmailPasswordConfig, PasswordlessConfig, ThirdPartyConfig, dict[str, Any]]:
    email_password, passwordless, third_party = enabled_methods(tenant)
    return (
        EmailPasswordConfig(email_password),
        PasswordlessConfig(passwordless),
        ThirdPartyConfig(third_party, [ProviderConfig.from_json(one) for one in tenant.providers]),
        dict(tenant.core_config),
    )


def _factors_of(tenant: Tenant) -> tuple[list[str] | None, list[str] | None]:
    first, second = tenant.first_factors, tenant.required_secondary_factors
    return None if first is None else list(first), None if second is None else list(second)


# -- GET /loginmethods -------------------------------------------------------------------------------


@dataclass
class ThirdPartyProvider:
    """One provider as the frontend shows it."""

    id: str
    name: str | None

    def to_json(self) -> dict[str, Any]:
        return {"id": self.id, "name": self.name}


class LoginMethodEmailPassword(_Switch):
    """Whether to offer e-mail and password."""


class LoginMethodPasswordless(_Switch):
    """Whether to offer a code or link."""


@dataclass
class LoginMethodThirdParty(_Providers):
    """Whether to offer providers, and which."""

    providers: list[ThirdPartyProvider]


@dataclass(eq=False)
class LoginMethodsGetOkResult(APIResponse):
    """The body of GET /loginmethods; without `first_factors` it lists those of the enabled methods."""

    email_password: LoginMethodEmailPassword
    passwordless: LoginMethodPasswordless
    third_party: LoginMethodThirdParty
    first_factors: list[str] | None = None
    status: str = field(default="OK", init=False)

    def _implied_factors(self) -> list[str]:
        enabled = (self.email_password.enabled, self.passwordless.enabled, self.third_party.enabled)
        offered = zip(enabled, METHODS.values(), strict=True)
        return [factor for is_enabled, own in offered if is_enabled for factor in own]

    def to_json(self) -> dict[str, Any]:
        factors = self._implied_factors() if self.first_factors is None else self.first_factors
        return {
            "status": self.status,
            "emailPassword": self.email_password.to_json(),
            "passwordless": self.passwordless.to_json(),
            "thirdParty": self.third_party.to_json(),
            "webauthn": {"enabled": "webauthn" in factors},  # newer frontends read it without asking
            "firstFactors": factors,
        }
