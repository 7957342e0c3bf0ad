"""Files of users for `supertokens users import`: CSV and JSON lines, read record by record.

What a record says is checked here, without the database. A reason names what to do, and repeats neither a
hash nor a password.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO, TypeAlias, cast

from supertokens_py import payloads
from supertokens_py.engine import validation
from supertokens_py.engine.embedded.importing.users import ImportedUser
from supertokens_py.engine.embedded.signin.password_hashes import (
    importable_form,
    importable_form_of_flask_security,
    is_hashed_twice,
)
from supertokens_py.exceptions import BadInputError, ConfigError
from supertokens_py.types.base import JSONObject
from supertokens_py.types.emails import is_address
from supertokens_py.types.numbers import whole_number
from supertokens_py.types.users import normalised_email

Format = Literal["csv", "jsonl"]

#: What a column is called: here first, then in exports of Django, Flask-Security, Firebase and Node programs.
COLUMNS: dict[str, tuple[str, ...]] = {
    "email": ("email",),
    "password_hash": ("password_hash", "password", "passwordHash", "hash"),
    "user_id": ("user_id", "external_user_id", "externalUserId", "id", "localId"),
    "email_verified": ("email_verified", "emailVerified", "verified", "confirmed_at"),
    "time_joined": ("time_joined", "timeJoined", "date_joined", "create_datetime", "created_at", "createdAt"),
    "metadata": ("metadata", "user_metadata", "userMetadata"),
    "roles": ("roles", "userRoles"),
    "active": ("active", "is_active"),
}
_FLASK_SECURITY = "fs_uniquifier"  # a column that no other system has
_FIREBASE = frozenset({"salt", "passwordSalt"})
_DOUBLE = (
    "Flask-Security hashes a password twice, first with SECURITY_PASSWORD_SALT: give its value to this "
    "command, and to the application, as flask_security_password_salt "
    "(SUPERTOKENS_FLASK_SECURITY_PASSWORD_SALT), or use --single-hash if it had SECURITY_PASSWORD_SINGLE_HASH"
)
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0", ""})
_LONGEST_LINE = 2 * payloads.MAX_METADATA_JSON
_EARLIEST_MS = 100_000_000_000  # in 1973; a smaller number is one of seconds
_DIGITS = re.compile("[0-9]+")


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be imported; `number` is its line."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Inactive:
    """A user whom the other system does not let in."""

    number: int


Record: TypeAlias = "ImportedUser | Refused | Inactive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read, as the command line says."""

    path: Path
    form: Format
    metadata_columns: Sequence[str] = ()
    reset_passwords: bool = False
    flask_security: bool = False
    single_hash: bool = False
    has_salt: bool = False


def form_of(path: Path) -> Format:
    """Return the form that the name of a file says.

    Raises:
        ConfigError: it says none, or it is no file that can be read twice.
    """
    if not path.is_file():
        raise ConfigError(f"there is no file {path}")
    match path.suffix.lower():
        case ".csv":
            return "csv"
        case ".jsonl" | ".ndjson":
            return "jsonl"
        case _:
            raise ConfigError(f"say which form {path.name} has: --format csv or --format jsonl")


def unused_columns(reading: Reading) -> list[str]:
    """Return the columns of the first record that no field is read from.

    Raises:
        ConfigError: there are no columns with an address, or not those of `--metadata`.
    """
    with _raw(reading) as records:
        first = next((values for _, values in records if isinstance(values, dict)), None)
    if first is None:
        return []
    used = {name for names in COLUMNS.values() if (name := _column(first, names)) is not None}
    if "email" not in used:
        raise ConfigError(f"{reading.path.name} has no column email: its first line has to name the columns")
    missing = set(reading.metadata_columns) - first.keys()
    if missing and reading.form == "csv":
        raise ConfigError(f"{reading.path.name} has no column {min(missing)} for --metadata")
    return [name for name in first if name not in used.union(reading.metadata_columns)]


@contextmanager
def read(reading: Reading) -> Generator[Iterator[Record]]:
    """Open a file and yield its records, one by one."""
    with _raw(reading) as records:
        yield (_record(reading, number, values) for number, values in records)


def _record(reading: Reading, number: int, values: JSONObject | str) -> Record:
    if isinstance(values, str):
        return Refused(number, values)
    try:
        if not _flag("active", _value(values, "active"), default=True):
            return Inactive(number)
        return _user(reading, number, values)
    except BadInputError as error:
        return Refused(number, str(error))


def _user(reading: Reading, number: int, values: JSONObject) -> ImportedUser:
    user_id = _value(values, "user_id")
    return ImportedUser(
        number=number,
        email=_email(_value(values, "email")),
        password_hash=_password_hash(reading, values),
        user_id=None if user_id in (None, "") else validation.validate_user_id(_text("user_id", user_id)),
        verified=_flag("email_verified", _value(values, "email_verified"), default=False),
        joined_ms=_time_ms(_value(values, "time_joined")),
        metadata=_metadata(reading, values),
        roles=_roles(_value(values, "roles")),
    )


def _column(values: Mapping[str, object], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in values), None)


def _value(values: JSONObject, field: str) -> object:
    column = _column(values, COLUMNS[field])
    return None if column is None else values[column]


def _text(field: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise BadInputError(f"{field} must be a string")
    return str(value)


def _email(value: object) -> str:
    address = normalised_email(value) if isinstance(value, str) else ""
    if not address:
        raise BadInputError("there is no e-mail address: users sign in with one")
    if not is_address(str(value).strip()):
        raise BadInputError("the e-mail address is invalid: correct it, for nobody could sign in with it")
    return address


def _password_hash(reading: Reading, values: JSONObject) -> str | None:
    try:
        given = _value(values, "password_hash")
        if given in (None, ""):
            raise BadInputError("there is no password hash")
        if not isinstance(given, str):
            raise BadInputError("password_hash must be a string")
        if _FIREBASE & values.keys():
            raise BadInputError(
                "hashes of Firebase are not supported: such users have to reset their passwords"
            )
        if reading.flask_security or reading.single_hash or _FLASK_SECURITY in values:
            return _flask_security_hash(reading, given)
        return importable_form(given)
    except BadInputError as error:
        if reading.reset_passwords:
            return None
        raise BadInputError(f"{error} (--reset-passwords imports such users without one)") from None


def _flask_security_hash(reading: Reading, given: str) -> str:
    if is_hashed_twice(given) and not reading.single_hash and not reading.has_salt:
        raise BadInputError(_DOUBLE)
    return importable_form_of_flask_security(given, single=reading.single_hash)


def _flag(field: str, value: object, *, default: bool) -> bool:
    """Return what a column says: a boolean in any usual spelling, or a time for "since then"."""
    if value is None:
        return default if field == "active" else False
    if isinstance(value, bool):
        return value
    text = _text(field, value).strip().lower()
    if text == "" and field == "active":
        return default
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    try:
        _time_ms(value)  # confirmed_at: verified since then
    except BadInputError:
        raise BadInputError(f"{field} must be true or false") from None
    return True


def _time_ms(value: object) -> int | None:
    if value in (None, ""):
        return None
    text = _text("time_joined", value).strip()
    if _DIGITS.fullmatch(text):  # not 20260131, which is a time of ISO 8601
        milliseconds = whole_number(text.lstrip("0"))
        if milliseconds is not None and _EARLIEST_MS <= milliseconds < 1000 * _EARLIEST_MS:
            return milliseconds
        raise BadInputError("a time in numbers must be milliseconds since 1970, such as 1700000000000")
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return max(0, int(moment.timestamp() * 1000))
    except (ValueError, OverflowError):
        raise BadInputError("a time must be written as 2026-01-31T12:00:00Z, or in milliseconds") from None


def _metadata(reading: Reading, values: JSONObject) -> JSONObject:
    given = _value(values, "metadata")
    if isinstance(given, str) and given.strip():
        given = _parsed("metadata", given)
    given = given or cast("JSONObject", {})
    extra = {name: values[name] for name in reading.metadata_columns if values.get(name) not in (None, "")}
    payloads.validate_json("metadata", given, limit=payloads.MAX_METADATA_JSON)
    merged = {**cast("JSONObject", given), **extra}
    payloads.validate_json("metadata", merged, limit=payloads.MAX_METADATA_JSON)
    return merged


def _roles(value: object) -> Sequence[str]:
    if value in (None, ""):
        return ()
    if isinstance(value, str):
        text = value.strip()
        value = _parsed("roles", text) if text.startswith("[") else text.replace(";", ",").split(",")
    if not isinstance(value, list):
        raise BadInputError("roles must be a list of strings")
    texts = [one for one in cast("list[Any]", value) if one != ""]
    return validation.validate_names("roles", texts)


def _parsed(field: str, text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadInputError(f"{field} must be JSON") from None


# -- records of either form: line number, and values or the reason why there are none ------------------

_Raw: TypeAlias = Iterator[tuple[int, "JSONObject | str"]]


@contextmanager
def _raw(reading: Reading) -> Generator[_Raw]:
    with _readable(reading.path):
        file = reading.path.open(encoding="utf-8-sig", errors="surrogateescape", newline="")
    with file:
        yield _records(reading, file)


def _records(reading: Reading, file: TextIO) -> _Raw:
    # Not around what is done with the records: a broken pipe there would pass for a file that fails.
    with _readable(reading.path):
        yield from _csv_records(file) if reading.form == "csv" else _json_records(file)


@contextmanager
def _readable(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error


def _csv_records(file: TextIO) -> _Raw:
    csv.field_size_limit(_LONGEST_LINE)
    rows = csv.reader(file, strict=True)
    columns: list[str] | None = None
    while True:
        number = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise ConfigError(  # not of this line alone: where the next record begins is not known
                f"line {number}: this is no CSV ({error}): look for a quotation mark that is not doubled. "
                "Nothing from that line on can be read, so nothing was imported"
            ) from None
        if columns is None:
            columns = row
        elif row:
            yield number, _named(columns, row)


def _named(columns: Sequence[str], row: Sequence[str]) -> JSONObject | str:
    if len(row) != len(columns):
        return f"there are {len(row)} values for {len(columns)} columns"
    if not all(validation.is_storable(value) for value in row):
        return "there are bytes that are not UTF-8: save the file as UTF-8"
    return dict(zip(columns, row, strict=True))


def _json_records(file: TextIO) -> _Raw:
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE and not line.endswith("\n"):
            yield number, "the line is too long"
            return
        if line.strip():
            yield number, _object(line)


def _object(line: str) -> JSONObject | str:
    if not validation.is_storable(line):
        return "there are bytes that are not UTF-8: save the file as UTF-8"
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return "this is no JSON: each line has to be one object"
    return cast("JSONObject", value) if isinstance(value, dict) else "each line has to be one JSON object"
