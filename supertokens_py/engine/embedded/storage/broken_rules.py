"""What it means for a unit of work that a row which it writes breaks a rule of the schema.

A rule that is not one of ours, such as a CHECK of an operator's own, stays an `IntegrityError`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from supertokens_py.engine.records import UnknownTenantError

from . import errors
from .database import UnitConflictError


@contextmanager
def looking_again() -> Generator[None]:
    """Write rows, within a unit of work that has looked whether others have them.

    Raises:
        UnitConflictError: somebody else was first, or removed what the rows belong to.
    """
    try:
        yield
    except IntegrityError as error:
        if not errors.is_taken(error) and not errors.is_unknown_parent(error):
            raise
        raise UnitConflictError from error


@contextmanager
def writing_in(tenant_id: str, *, user_id: str | None = None) -> Generator[None]:
    """Do as `looking_again` for rows in a tenant.

    Args:
        tenant_id: as it is stored.
        user_id: whose rows they are, for the error.

    Raises:
        UnknownTenantError: there is no such tenant, or it was deleted at that moment.
        UnitConflictError: somebody else was first: the unit looks again.
    """
    with looking_again():
        try:
            yield
        except IntegrityError as error:
            if not errors.is_unknown_parent(error):
                raise
            raise UnknownTenantError(tenant_id, user_id=user_id) from error
