"""Definitions of tables in the official layout, and those that every feature builds on (engine: Tables).

The official core also indexes beginnings of primary keys. We leave those indexes out: each costs a write,
and PostgreSQL prefers the smaller index of a table that it has no statistics of yet, reading every session
of a tenant to find one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

#: The table by which a set of tables under some prefix is recognised.
MAIN_TABLE = "session_info"


@dataclass(frozen=True, slots=True)
class ColumnKind:
    """The type of a column, whether it may be null, and what the database puts where nothing is given."""

    type: TypeEngine[Any]
    nullable: bool = False
    default: Any = None
    #: Made with the table, and not missed in one that has none.
    may_lack: bool = False
    #: Whether the database counts it up, in the order of the inserts, and never gives a number twice.
    is_counted: bool = False


def optional(kind: TypeEngine[Any]) -> ColumnKind:
    """Return the kind of a column that may be null."""
    return ColumnKind(kind, nullable=True)


#: An app or a tenant.
PUBLIC_ID = ColumnKind(String(64), default="public")
USER_ID = ColumnKind(String(128))
#: Unix milliseconds.
TIME = ColumnKind(BigInteger())
OPTIONAL_TIME = optional(BigInteger())
OPTIONAL_TEXT = optional(Text())
#: The number of a row in the order of the inserts: the whole key of its table.
SEQUENCE = ColumnKind(BigInteger().with_variant(Integer(), "sqlite"), is_counted=True)


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key beyond that of the parent: a row goes with the row that its columns name."""

    columns: tuple[str, ...]
    table: str
    their_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class TableDefinition:
    """A table whose schema and prefix are not known yet; `Tables` makes it."""

    name: str
    columns: Mapping[str, ColumnKind]
    key: tuple[str, ...]
    parent: TableDefinition | None = None  #: a row goes with the row of this table that has the parent's key
    references: tuple[Reference, ...] = ()
    #: Columns that no two rows share, by the last word of the constraint's name.
    unique: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    #: Columns by the name of their index; one with "-" before it is in descending order.
    indexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    #: Names of indexes that have only the rows where this column is not null.
    indexed_where_set: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Names of indexes that only SQLite gets.
    only_on_sqlite: frozenset[str] = frozenset()
    #: How full PostgreSQL makes a page, in per cent: rows that change find room beside themselves.
    fillfactor: int | None = None
    #: Columns that databases of older cores lack; any other missing column means "too old to adopt".
    added_later: frozenset[str] = frozenset()
    #: Whether it is a table of ours with a parent that a core may change: see `parent_keys`.
    beside_a_core: bool = False


class Tables:
    """The tables of an engine, under one schema and one prefix: `tables[DEFINITION]`."""

    def __init__(self, definitions: Sequence[TableDefinition], *, schema: str | None, prefix: str) -> None:
        self.schema = schema
        self.prefix = prefix
        self._metadata = MetaData(schema=schema)
        self._tables: dict[TableDefinition, Table] = {one: self._made(one) for one in definitions}

    def __getitem__(self, definition: TableDefinition) -> Table:
        return self._tables[definition]

    def __contains__(self, definition: TableDefinition) -> bool:
        return definition in self._tables

    @property
    def main_name(self) -> str:
        """The name of the table by which these tables are recognised."""
        return self.prefix + MAIN_TABLE

    def all(self) -> list[Table]:
        """Return every table, parents first; `Table.info` has what it was made from (`definition`)."""
        return list(self._parents_first)

    @cached_property
    def _parents_first(self) -> Sequence[Table]:
        return self._metadata.sorted_tables

    def _made(self, definition: TableDefinition) -> Table:
        name = self.prefix + definition.name
        constraints: list[Any] = [PrimaryKeyConstraint(*definition.key, name=f"{name}_pkey")]
        references = definition.references
        if (parent := definition.parent) is not None:
            references = (Reference(parent.key, parent.name, parent.key), *references)
        constraints += [self._foreign_key(name, reference) for reference in references]
        constraints += [
            UniqueConstraint(*columns, name=f"{name}_{word}_key")
            for word, columns in definition.unique.items()
        ]
        columns = [
            Column(column, kind.type, *_counting(kind), nullable=kind.nullable, server_default=kind.default)
            for column, kind in definition.columns.items()
        ]
        table = Table(
            name,
            self._metadata,
            *columns,
            *constraints,
            info={"definition": definition},
            postgresql_with={} if definition.fillfactor is None else {"fillfactor": definition.fillfactor},
            sqlite_autoincrement=any(kind.is_counted for kind in definition.columns.values()),
        )
        for index, on in definition.indexes.items():
            condition = _is_set(table, definition.indexed_where_set.get(index))
            made = Index(self.prefix + index, *(_ordered(table, column) for column in on), **condition)
            if index in definition.only_on_sqlite:
                made.ddl_if(dialect="sqlite")
        return table

    def _foreign_key(self, name: str, reference: Reference) -> ForeignKeyConstraint:
        target = (f"{self.schema}." if self.schema else "") + self.prefix + reference.table
        return ForeignKeyConstraint(
            reference.columns,
            [f"{target}.{column}" for column in reference.their_columns],
            name=f"{name}_{reference.columns[-1]}_fkey",
            ondelete="CASCADE",
        )


def _counting(kind: ColumnKind) -> tuple[Identity, ...]:
    return (Identity(),) if kind.is_counted else ()


def _is_set(table: Table, column: str | None) -> dict[str, Any]:
    condition = None if column is None else table.c[column].is_not(None)
    return {} if condition is None else {"postgresql_where": condition, "sqlite_where": condition}


def _ordered(table: Table, column: str) -> Any:
    return table.c[column[1:]].desc() if column.startswith("-") else table.c[column]


def definition_of(table: Table) -> TableDefinition:
    """Return what `Tables` made a table from."""
    return table.info["definition"]


def indexes_on(table: Table, dialect: str) -> list[Index]:
    """Return the indexes that a table has in databases of a dialect, by name."""
    ours = [index for index in table.indexes if dialect == "sqlite" or not _is_only_on_sqlite(table, index)]
    return sorted(ours, key=lambda index: str(index.name))


def _is_only_on_sqlite(table: Table, index: Index) -> bool:
    definition = definition_of(table)
    prefix = table.name.removesuffix(definition.name)
    return str(index.name).removeprefix(prefix) in definition.only_on_sqlite


def needed_columns(table: Table) -> set[str]:
    """Return the columns that a table must have."""
    return {name for name, kind in definition_of(table).columns.items() if not kind.may_lack}


APPS = TableDefinition(
    name="apps", columns={"app_id": PUBLIC_ID, "created_at_time": OPTIONAL_TIME}, key=("app_id",)
)
TENANTS = TableDefinition(
    name="tenants",
    columns={"app_id": PUBLIC_ID, "tenant_id": PUBLIC_ID, "created_at_time": OPTIONAL_TIME},
    key=("app_id", "tenant_id"),
    parent=APPS,
)
#: Named values of any feature.
KEY_VALUE = TableDefinition(
    name="key_value",
    columns={
        "app_id": PUBLIC_ID,
        "tenant_id": PUBLIC_ID,
        "name": ColumnKind(String(128)),
        "value": OPTIONAL_TEXT,
        "created_at_time": OPTIONAL_TIME,
    },
    key=("app_id", "tenant_id", "name"),
    parent=TENANTS,
)
