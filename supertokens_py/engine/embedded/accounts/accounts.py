"""Users and their login methods, as they are read (engine: Users).

Tables hold a core's own ids; everything that leaves here has the application's, where there is a mapping.
"""

from __future__ import annotations

import binascii
import logging
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, or_, select

from supertokens_py.constants import DEFAULT_APP_ID
from supertokens_py.engine import user_queries, validation
from supertokens_py.engine.user_records import UserPage, UserQuery
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.base import RecipeUserId
from supertokens_py.types.numbers import whole_number
from supertokens_py.types.users import AccountInfo, LoginMethod, ThirdPartyInfo, User

from ..storage.database import UnitConflictError
from ..storage.dialects import without_index
from .account_info import AccountInfoRows, same_user
from .account_rows import AccountRows
from .user_layout import UserLayout
from .user_tables import (
    EMAIL_USERS,
    PASSWORDLESS_USERS,
    THIRD_PARTY_USERS,
    USER_ID_MAPPING,
    USERS,
    VERIFIED_EMAILS,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Executable, Select

    from ..storage.database import Database
    from .account_tables import Memberships

_MAX_FOUND = 1000

log: logging.Logger = logging.getLogger(__name__)


class Accounts:
    """Reads users."""

    def __init__(self, database: Database, layout: UserLayout) -> None:
        self._database = database
        self.layout: UserLayout = layout
        self.rows: AccountRows = AccountRows(layout)  #: for the services, which write them
        self._tenants_of = layout.by_layout(_tenants_of)
        tables = database.tables
        self._known_by = layout.by_layout(lambda known: AccountInfoRows(tables, known))
        self._prepare_statements()

    def _prepare_statements(self) -> None:
        tables = self._database.tables
        users, mapping = tables[USERS], tables[USER_ID_MAPPING]
        self._users = users
        self._internal = select(mapping.c.supertokens_user_id).where(
            mapping.c.app_id == DEFAULT_APP_ID, mapping.c.external_user_id == bindparam("id")
        )
        self._primary = select(users.c.primary_or_recipe_user_id).where(
            users.c.app_id == DEFAULT_APP_ID, users.c.user_id == bindparam("id")
        )
        self._methods = self._login_methods()
        verified = tables[VERIFIED_EMAILS]
        self._verified = select(verified.c.user_id, verified.c.email).where(
            verified.c.app_id == DEFAULT_APP_ID, verified.c.user_id.in_(bindparam("ids", expanding=True))
        )

    def _login_methods(self) -> Executable:
        tables, users = self._database.tables, self._users
        mapping, with_password, with_codes, at_provider = (
            tables[one] for one in (USER_ID_MAPPING, EMAIL_USERS, PASSWORDLESS_USERS, THIRD_PARTY_USERS)
        )
        of_recipes = (with_password, with_codes, at_provider)
        return (
            select(
                users.c.user_id,
                users.c.primary_or_recipe_user_id,
                users.c.is_linked_or_is_a_primary_user,
                users.c.recipe_id,
                func.coalesce(*(table.c.email for table in of_recipes)).label("email"),
                with_codes.c.phone_number,
                at_provider.c.third_party_id,
                at_provider.c.third_party_user_id,
                func.coalesce(*(table.c.time_joined for table in of_recipes)).label("time_joined"),
                mapping.c.external_user_id,
            )
            .outerjoin(with_password, same_user(with_password, users))
            .outerjoin(with_codes, same_user(with_codes, users))
            .outerjoin(at_provider, same_user(at_provider, users))
            .outerjoin(
                mapping,
                and_(mapping.c.app_id == users.c.app_id, mapping.c.supertokens_user_id == users.c.user_id),
            )
            .where(
                users.c.app_id == DEFAULT_APP_ID,
                users.c.primary_or_recipe_user_id.in_(bindparam("ids", expanding=True)),
            )
        )

    # -- for the other services, within their units of work ------------------------------------------------

    def internal_id(self, connection: Connection, user_id: str) -> str:
        """Return the id under which the tables know a user, given either id."""
        known = connection.execute(self._internal, {"id": user_id}).scalar()
        return user_id if known is None else str(known)

    def locked(self, connection: Connection, user_id: str, lock: Select[Any, Any]) -> tuple[str, Any]:
        """Return a user's internal id, given either id, and the row that a statement locks, if any.

        Raises:
            UnitConflictError: the application's id was given to another user before the row was locked.
        """
        internal = self.internal_id(connection, user_id)
        row = connection.execute(lock, {"user": internal}).first()
        if self.internal_id(connection, user_id) != internal:
            raise UnitConflictError
        return internal, row

    def load(self, connection: Connection, ids: Iterable[str]) -> list[User]:
        """Return the users that own these login methods, in the order of the ids, each once."""
        primaries = [connection.execute(self._primary, {"id": one}).scalar() for one in dict.fromkeys(ids)]
        return self.load_primary(connection, [str(one) for one in primaries if one is not None])

    def load_primary(self, connection: Connection, ids: Iterable[str]) -> list[User]:
        """Return the users with these primary ids, in their order."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return []
        rows = connection.execute(self._methods, {"ids": wanted}).all()
        own = [row.user_id for row in rows]
        tenants: dict[str, dict[str, Any]] = {}
        for row in connection.execute(self._tenants_of(), {"ids": own}):
            tenants.setdefault(row.user_id, {})[row.tenant_id] = row
        names = {one for row in rows for one in (row.user_id, row.external_user_id) if one is not None}
        verified = {(row.user_id, row.email) for row in connection.execute(self._verified, {"ids": [*names]})}
        by_primary: dict[str, list[Any]] = {}
        for row in rows:
            by_primary.setdefault(row.primary_or_recipe_user_id, []).append(row)
        return [_user(one, by_primary[one], tenants, verified) for one in wanted if one in by_primary]

    def with_email(self, connection: Connection, tenant_id: str, email: str) -> str | None:
        """Return the internal id of the user with a password who has an address in a tenant."""
        return self._known_by().with_password(connection, tenant_id, email)

    def learn_layout(self) -> None:
        """Learn the layout anew, in the clean-up: a core may move users while this process runs."""
        try:
            self._database.read(self.layout.learn)
        except ConfigError as error:
            log.error("in which layout users are is unknown; taken to be %s: %s", self.layout.mode, error)

    # -- the service -------------------------------------------------------------------------------------

    def find(self, user_id: str) -> User | None:
        """Return a user by any of their ids."""
        if not validation.is_possible_user_id(user_id):
            return None

        def unit(connection: Connection) -> User | None:
            found = self.load(connection, [self.internal_id(connection, user_id)])
            return found[0] if found else None

        return self._database.read(unit)

    def by_account_info(self, tenant_id: str, info: AccountInfo, *, any_of: bool = False) -> list[User]:
        """Return the users of a tenant who have all that is named, or any of it, oldest first."""
        tenant = validation.normalise_tenant_id(tenant_id)
        user_queries.validate_account_info(info)

        def unit(connection: Connection) -> list[User]:
            owners = self._known_by().owners(connection, tenant, info)
            found = [self._primaries(connection, ids) for ids in owners]
            if not found:
                return []
            ids = found[0].union(*found[1:]) if any_of else found[0].intersection(*found[1:])
            return sorted(self.load_primary(connection, ids), key=lambda user: (user.time_joined, user.id))

        return self._database.read(unit)

    def _primaries(self, connection: Connection, ids: Iterable[str]) -> set[str]:
        primaries = (connection.execute(self._primary, {"id": one}).scalar() for one in ids)
        return {str(one) for one in primaries if one is not None}

    def count(self, *, tenant_id: str | None, recipe_ids: Sequence[str] | None = None) -> int:
        """Return how many users a tenant has, or all have (None)."""
        tenant = None if tenant_id is None else validation.normalise_tenant_id(tenant_id)
        recipes = None if recipe_ids is None else user_queries.validate_recipes(recipe_ids)

        def unit(connection: Connection) -> int:
            table: Any = self._users if tenant is None else self.layout.memberships.users
            statement = select(func.count(table.c.primary_or_recipe_user_id.distinct())).where(
                table.c.app_id == DEFAULT_APP_ID
            )
            if tenant is not None:
                statement = statement.where(table.c.tenant_id == tenant)
            if recipes is not None:
                statement = statement.where(table.c.recipe_id.in_(recipes))
            return connection.execute(statement).scalar_one()

        return self._database.read(unit)

    def page(self, tenant_id: str, query: UserQuery) -> UserPage:
        """Return users of a tenant in the order in which they joined.

        Raises:
            BadInputError: the limit, the pagination token or a recipe id is invalid.
        """
        user_queries.validate_user_query(query)
        tenant = validation.normalise_tenant_id(tenant_id)
        searches = query.is_search
        if searches and not all(map(validation.is_storable, query.searched)):
            return UserPage([], None)
        position = None if searches or query.token is None else _read_token(query.token)

        def unit(connection: Connection) -> UserPage:
            statement = self._search(query) if searches else self._listing(query, position)
            statement = statement.where(self.layout.memberships.users.c.tenant_id == tenant)
            rows = connection.execute(statement).all()
            shown = rows if searches else rows[: query.limit]
            token = _token(*rows[query.limit]) if len(rows) > len(shown) else None
            return UserPage(self.load_primary(connection, [row[0] for row in shown]), token)

        return self._database.read(unit)

    def _listing(self, query: UserQuery, position: tuple[str, int] | None) -> Select[Any, Any]:
        statement = self._ordered(newest_first=query.newest_first, recipe_ids=query.recipe_ids)
        if position is not None:
            user_id, joined_ms = position
            listed = self.layout.memberships.users.c
            joined = listed.primary_or_recipe_user_time_joined
            later = joined < joined_ms if query.newest_first else joined > joined_ms
            same = and_(joined == joined_ms, listed.primary_or_recipe_user_id <= user_id)
            statement = statement.where(or_(later, same))
        return statement.limit(query.limit + 1)

    def _ordered(self, *, newest_first: bool, recipe_ids: Sequence[str] | None) -> Select[Any, Any]:
        table = self.layout.memberships.users
        joined, user = table.c.primary_or_recipe_user_time_joined, table.c.primary_or_recipe_user_id
        statement = select(user, joined).distinct().where(table.c.app_id == DEFAULT_APP_ID)
        if recipe_ids is not None:
            statement = statement.where(table.c.recipe_id.in_(recipe_ids))
        return statement.order_by(joined.desc() if newest_first else joined.asc(), user.desc())

    def _search(self, query: UserQuery) -> Select[Any, Any]:
        ordered = self._ordered(newest_first=False, recipe_ids=None)
        return ordered.where(self._known_by().matching(query)).limit(_MAX_FOUND)


def _tenants_of(known: Memberships) -> Executable:
    listed = known.users.c
    return (
        select(listed.user_id, listed.tenant_id, listed.time_joined)
        .where(listed.app_id == DEFAULT_APP_ID, listed.user_id.in_(bindparam("ids", expanding=True)))
        .order_by(without_index(listed.tenant_id))
    )


def _user(primary: str, rows: Sequence[Any], tenants: dict[str, dict[str, Any]], verified: set[Any]) -> User:
    methods: list[LoginMethod] = []
    for row in rows:
        joined = tenants.get(row.user_id, {}).values()
        known = {(one, row.email) for one in (row.user_id, row.external_user_id)}
        by_phone = row.email is None and row.phone_number is not None  # a code was sent to it
        methods.append(
            LoginMethod(
                recipe_id=row.recipe_id,
                recipe_user_id=RecipeUserId(row.external_user_id or row.user_id),
                tenant_ids=[one.tenant_id for one in joined],
                time_joined=row.time_joined or min((one.time_joined for one in joined), default=0),
                verified=by_phone or bool(known & verified),
                email=row.email,
                phone_number=row.phone_number,
                third_party=None
                if row.third_party_id is None
                else ThirdPartyInfo(row.third_party_user_id, row.third_party_id),
            )
        )
    methods.sort(key=lambda method: (method.time_joined, method.recipe_user_id))
    own = next((row for row in rows if row.user_id == primary), None)
    return User(
        id=primary if own is None or own.external_user_id is None else own.external_user_id,
        is_primary_user=any(row.is_linked_or_is_a_primary_user for row in rows),
        login_methods=methods,
    )


def _token(user_id: str, joined_ms: int) -> str:
    return b64encode(f"{user_id};{joined_ms}".encode()).decode()


def _read_token(token: str) -> tuple[str, int]:
    try:
        user_id, _, joined = b64decode(token, validate=True).decode().rpartition(";")
        joined_ms = whole_number(joined)
        if user_id and joined_ms is not None and validation.is_storable(user_id):
            return user_id, joined_ms
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise BadInputError("invalid pagination token")
