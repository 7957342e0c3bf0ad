"""What it means for a unit of work that a row which it writes breaks a rule of the schema."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from supertokens_py.engine.records import UnknownTenantError

from . import errors
from .database import UnitConflictError


@contextmanager
def writing_in(tenant_id: str, *, user_id: str | None = None) -> Generator[None]:
    """Write rows in a tenant, within a unit of work that has looked whether others have them.

    Args:
        tenant_id: as it is stored.
        user_id: whose rows they are, for the error.

    Raises:
        UnknownTenantError: there is no such tenant, or it was deleted at that moment.
        UnitConflictError: somebody else was first: the unit looks again.
    """
    try:
        yield
    except IntegrityError as error:
        if errors.is_unknown_parent(error):
            raise UnknownTenantError(tenant_id, user_id=user_id) from error
        raise UnitConflictError from error
