"""Names of the multitenancy recipe."""

from supertokens_py.constants import DEFAULT_TENANT_ID

LOGIN_METHODS = "/loginmethods"

__all__ = ["DEFAULT_TENANT_ID", "LOGIN_METHODS"]
