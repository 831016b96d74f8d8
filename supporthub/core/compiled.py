"""Statements of the hot paths, composed once a process and then only executed.

Django composes the SQL of a query anew each time, which costs several times what sending it costs. Here a query is
written with the ORM as everywhere else, with its parameters named; Django composes it at its first use, and every
later use only puts other values in; PostgreSQL plans it once a connection. What comes back are the same model
instances.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.backends.postgresql.base import ServerBindingCursor
from django.db.models import Model, QuerySet
from django.db.models.constants import OnConflict
from django.db.models.expressions import DatabaseDefault
from django.db.models.query import ModelIterable, get_related_populators
from django.db.models.sql import InsertQuery, UpdateQuery
from psycopg.sql import Literal
from psycopg.types.numeric import Int8

T = TypeVar("T")
Row = Sequence[Any]
_MARKS: dict[type, Callable[[int], Any]] = {
    int: lambda number: 2_100_000_000 + number,
    float: lambda number: 1e300 + number * 1e290,
    str: lambda number: f"\ue000{number}",
    UUID: lambda number: UUID(int=number),
    datetime: lambda number: datetime(1, 1, 1, 0, 0, number, tzinfo=UTC),
}
_MARKS[datetime | None] = _MARKS[datetime]  # type: ignore[index]  # a union is no type to mypy


@dataclass(frozen=True, slots=True)
class _Statement:
    """SQL in which only the parameters are left open, in the order of `names`."""

    sql: str
    names: tuple[str, ...]

    def filled(self, parameters: dict[str, Any]) -> list[Any]:
        # One integer type, or PostgreSQL would prepare the statement once for each size of number.
        given = (parameters[name] for name in self.names)
        return [Int8(value) if type(value) is int else value for value in given]


def _marks_of(build: Callable[..., Any]) -> dict[str, Any]:
    """Return a value for each parameter that no query has by itself, of the parameter's annotated type."""
    found = {}
    for number, (name, parameter) in enumerate(inspect.signature(build).parameters.items()):
        if parameter.annotation not in _MARKS:
            raise TypeError(f"{build.__qualname__}: {name} must be annotated as int, float, str, UUID or datetime")
        found[name] = _MARKS[parameter.annotation](number)
    return found


def _statement(sql: str, values: Iterable[Any], marks: dict[str, Any]) -> _Statement:
    """Write the constants into the SQL: only then can one plan serve all parameters and still use partial indexes."""
    names: list[str] = []
    rest = iter(values)

    def written(place: "re.Match[str]") -> str:
        if place[0] == "%%":
            return "%%"
        value = next(rest)
        for name, mark in marks.items():
            if isinstance(value, type(mark)) and value == mark:
                names.append(name)
                return "%s"
        return Literal(value).as_string(connection.connection).replace("%", "%%")

    filled = re.sub("%%|%s", written, sql)
    if missing := marks.keys() - set(names):
        raise TypeError(f"The query does not use {', '.join(sorted(missing))} as a plain value: {sql}")
    return _Statement(filled, tuple(names))


class _PreparingCursor(ServerBindingCursor):
    """A cursor whose statements PostgreSQL parses and plans once a connection."""

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)  # type: ignore[misc]  # Django's query log reads it
        return self._query


@contextmanager
def _preparing() -> Iterator[Any]:
    """A cursor of this thread's connection, in Django's wrappers: its errors and its query log."""
    wrapper: Any = connection
    make: Any = _PreparingCursor
    wrapper.ensure_connection()
    with wrapper._prepare_cursor(make(wrapper.connection)) as cursor:  # noqa: SLF001
        yield cursor


class Select(Generic[T]):
    """Decorator: a function from parameters (`int`, `str`, `UUID`, …) to a queryset becomes a prepared query.

    Parameters may only be compared with columns: the queryset must have the same shape for all of their values. Calling
    it returns a list of what the queryset would yield (models, with `select_related` and annotations, or values).
    """

    def __init__(self, build: Callable[..., QuerySet[Any, T]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __call__(self, **parameters: Any) -> list[T]:
        statement, make, converters = self._plan
        with _preparing() as cursor:
            cursor.execute(statement.sql, statement.filled(parameters))
            rows: list[Row] = cursor.fetchall()
        if converters:
            rows = [_converted(row, converters) for row in rows]
        return [make(row) for row in rows]

    def first(self, **parameters: Any) -> T | None:
        """Return the first row, or None. Give the queryset an order and `[:1]` where there can be several."""
        found = self(**parameters)
        return found[0] if found else None

    @cached_property
    def _plan(self) -> tuple[_Statement, Callable[[Row], T], dict[int, Any]]:
        marks = _marks_of(self._build)
        connection.ensure_connection()
        queryset = self._build(**marks)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        sql, values = compiler.as_sql()
        converters = compiler.get_converters([column[0] for column in compiler.select[: compiler.col_count]])
        return _statement(sql, values, marks), _maker(queryset, compiler), converters


def _converted(row: Row, converters: dict[int, Any]) -> Row:
    values = list(row)
    for place, (steps, expression) in converters.items():
        for step in steps:
            values[place] = step(values[place], expression, connection)
    return values


def _maker(queryset: QuerySet[Any, Any], compiler: Any) -> Callable[[Row], Any]:
    """Return what turns a row into what the queryset yields; as Django's ModelIterable does it."""
    if not issubclass(queryset._iterable_class, ModelIterable):  # noqa: SLF001  (Django has no public name for it)
        names = compiler.col_count
        flat = queryset._iterable_class.__name__ == "FlatValuesListIterable"  # noqa: SLF001
        return (lambda row: row[0]) if flat else (lambda row: tuple(row[:names]))
    info, select = compiler.klass_info, compiler.select
    model, columns = info["model"], info["select_fields"]
    first, last = columns[0], columns[-1] + 1
    names_of_columns = [column[0].target.attname for column in select[first:last]]
    populators = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # the stubs are for 6.0
    annotations = tuple((compiler.annotation_col_map or {}).items())

    def make(row: Row) -> Any:
        made = model.from_db(DEFAULT_DB_ALIAS, names_of_columns, row[first:last])
        for populator in populators:
            populator.populate(row, made)
        for name, place in annotations:
            setattr(made, name, row[place])
        return made

    return make


@dataclass(frozen=True, slots=True)
class Part:
    """A statement with its values, and what to do with its answer; `together` runs it."""

    sql: str
    values: Sequence[Any]
    take: Callable[[Any], None] = lambda _: None


def together(*parts: Part) -> None:
    """Run several writes in one round trip. Raises IntegrityError as `save` does; call it in a transaction."""
    sql = "; ".join(part.sql for part in parts)
    values = [value for part in parts for value in part.values]
    with transaction.mark_for_rollback_on_error(DEFAULT_DB_ALIAS), connection.cursor() as cursor:
        cursor.execute(sql, values)
        for part in parts:
            part.take(cursor)
            cursor.nextset()


class Update:
    """Decorator: a function from parameters to `(queryset, {field: value})` becomes a prepared UPDATE.

    A value is a parameter (None only where the column is nullable) or an expression without one. Calling it returns
    how many rows it hit; `part` is for `together`.
    """

    def __init__(self, build: Callable[..., tuple[QuerySet[Any, Any], dict[str, Any]]]) -> None:
        self._build = build
        self.__doc__ = build.__doc__

    def __call__(self, **parameters: Any) -> int:
        with _preparing() as cursor:
            cursor.execute(self._plan.sql, self._plan.filled(parameters))
            return int(cursor.rowcount)

    def part(self, **parameters: Any) -> Part:
        return Part(self._plan.sql, self._plan.filled(parameters))

    @cached_property
    def _plan(self) -> _Statement:
        marks = _marks_of(self._build)
        connection.ensure_connection()
        queryset, changes = self._build(**marks)
        query: Any = queryset.query.chain(UpdateQuery)
        query.add_update_values(changes)
        sql, values = query.get_compiler(DEFAULT_DB_ALIAS).as_sql()
        return _statement(sql, values, marks)


_inserts: dict[tuple[Any, ...], str] = {}


def insert(*rows: Model) -> None:
    """Insert new rows, of any tables, in one round trip."""
    together(*map(inserting, rows))


def inserting(row: Model) -> Part:
    """Insert a new row as `save(force_insert=True)` does, but for signals: the hub has none on these models.

    Fills in its number and what the database made by default.
    """
    sql, values, returned = _insertion(row)

    def take(cursor: Any) -> None:
        for field, value in zip(returned, cursor.fetchone() if returned else (), strict=True):
            setattr(row, field.attname, value)
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS  # noqa: SLF001

    return Part(sql, values, take)


def upserting(row: Model, *, unique: tuple[str, ...], update: tuple[str, ...]) -> Part:
    """Insert the row; where one with the same `unique` fields exists, change the `update` fields of that one instead.

    The number of the row is not filled in.
    """
    sql, values, _ = _insertion(row, unique, update)
    return Part(sql, values)


def _insertion(
    row: Model, unique: tuple[str, ...] = (), update: tuple[str, ...] = ()
) -> tuple[str, list[Any], list[Any]]:
    """Return the statement, its values, and the fields that it answers."""
    meta = type(row)._meta
    fields, values = [], []
    for field in meta.local_concrete_fields:
        if field.generated or (field is meta.auto_field and row.pk is None):
            continue
        value = field.pre_save(row, add=True)
        if not isinstance(value, DatabaseDefault):
            fields.append(field)
            values.append(field.get_db_prep_save(value, connection))
    returned = [field for field in meta.db_returning_fields if field not in fields] if not unique else []
    known = type(row), tuple(field.column for field in fields), unique, update
    sql = _inserts.get(known)
    if sql is None:
        sql = _inserts[known] = _insert_sql(row, fields, returned, unique, update)
    return sql, values, returned


def _insert_sql(
    row: Model, fields: list[Any], returned: list[Any], unique: tuple[str, ...], update: tuple[str, ...]
) -> str:
    column = {field.name: field for field in fields}
    query = InsertQuery(
        type(row),
        on_conflict=OnConflict.UPDATE if unique else None,
        unique_fields=[column[name] for name in unique],
        update_fields=[column[name] for name in update],
    )
    query.insert_values(fields, [row], raw=True)  # the row's own moments have been taken already
    compiler = query.get_compiler(DEFAULT_DB_ALIAS)
    compiler.returning_fields = returned or None
    ((sql, _values),) = compiler.as_sql()
    return str(sql)
