"""Connection URIs of PostgreSQL, read by libpq's own parser, and checked for what could only fail later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from supertokens_py.exceptions import ConfigError
from supertokens_py.secret import masked
from supertokens_py.types.numbers import whole_number

MISSING_DRIVER = "PostgreSQL needs a driver: the extra 'postgres' (docs/installation.md)"

#: The option of a connection URI that is ours rather than libpq's, and means what the setting means.
PREPARE_OPTION = "prepare_threshold"

_SCHEME = re.compile(r"postgres(?:ql(?:\+psycopg)?)?://", re.IGNORECASE)
_KEY_VALUE = re.compile(r"\s*[A-Za-z_]+\s*=")
# A password that holds "/", "?" or "#" as they are is taken to reach up to the first "@".
_CREDENTIALS = re.compile(r"([^:/@?#]*):([^@]*)@")
_PREPARE = re.compile(rf"([?&]){PREPARE_OPTION}=([^&]*)(&|$)")
_UNKNOWN_OPTION = re.compile(r'invalid (?:URI query parameter|connection option):? "([A-Za-z_]\w*)"')
_SCHEMA_OPTIONS = ("schema", "currentSchema", "search_path")
_POOL_OPTIONS = ("connection_limit", "pool_timeout", "pool_size")
_CHOICES = {
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
    "load_balance_hosts": ("disable", "random"),
}


def is_key_value(uri: str) -> bool:
    """Return whether `uri` has libpq's other form, such as "host=db.internal dbname=shop"."""
    return _KEY_VALUE.match(uri) is not None


def parse_postgres(uri: str) -> dict[str, str]:
    """Return libpq's parameters (host, port, user, password, dbname, sslmode, ...) that `uri` gives.

    Several hosts stay one parameter, separated by commas. `prepare_threshold` is among them where given.

    Raises:
        ConfigError: the driver is missing, or the URI cannot work; nothing of a password is in the message.
    """
    uri = masked(uri.strip())
    text, prepare = _without_prepare_option(uri)
    if (scheme := _SCHEME.match(text)) is not None:
        text = masked(f"postgresql://{_with_encoded_password(text[scheme.end() :])}")
    found = _by_libpq(text)
    _check_choices(found)
    _check_ports(found)
    return found | prepare


def _without_prepare_option(uri: str) -> tuple[str, dict[str, str]]:
    match = _PREPARE.search(uri)
    if match is None:
        return uri, {}
    rest = uri[: match.start()] + (match[1] if match[3] else "") + uri[match.end() :]
    return masked(rest), {PREPARE_OPTION: match[2]}


def _with_encoded_password(rest: str) -> str:
    """Percent-encode what libpq would not take as a part of the password.

    Raises:
        ConfigError: there is a second "@" before the options, so nobody knows where the password ends.
    """
    match = _CREDENTIALS.match(rest)
    end = match.end() if match else rest.find("@") + 1
    if "@" in rest[end:].partition("?")[0]:
        del match  # its `repr` shows the password
        raise ConfigError(
            'connection_uri has more than one "@": write that of the password as %40 (and "/" as %2F, "#" as '
            '%23, "?" as %3F, "%" as %25)'
        )
    return f"{match[1]}:{quote(match[2], safe='%')}@{rest[end:]}" if match else rest


def _by_libpq(text: str) -> dict[str, str]:
    try:
        from psycopg import ProgrammingError  # noqa: PLC0415
        from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError(MISSING_DRIVER) from error
    try:
        given = conninfo_to_dict(text)
        return {name: masked(str(value)) if "pass" in name else str(value) for name, value in given.items()}
    except ProgrammingError as error:
        said = masked(str(error))
    # libpq quotes what it did not understand, which may be a piece of the password: only a name of an option
    # is repeated, and only where no "@" follows the "?".
    option = None if "@" in text.partition("?")[2] or is_key_value(text) else _UNKNOWN_OPTION.search(said)
    if option is None:
        raise ConfigError(
            "connection_uri is not understood by PostgreSQL's client library: percent-encode special "
            "characters of the password, and give every option a value"
        )
    raise ConfigError(_about_option(option[1]))


def _about_option(name: str) -> str:
    if name in _SCHEMA_OPTIONS:
        advice = "set EngineConfig(table_schema=...) or SUPERTOKENS_TABLE_SCHEMA instead"
    elif name in _POOL_OPTIONS:
        advice = "set EngineConfig(pool_size=..., pool_timeout=...) or SUPERTOKENS_POOL_SIZE instead"
    else:
        advice = "remove it"
    return f"connection_uri: PostgreSQL's client library knows no option {name!r}; {advice}"


def _check_choices(found: dict[str, str]) -> None:
    for name, choices in _CHOICES.items():
        if name in found and found[name] not in choices:
            raise ConfigError(f"connection_uri: {name} must be one of {', '.join(choices)}")


def _check_ports(found: dict[str, str]) -> None:
    ports = found.get("port", "").split(",")
    for port in ports:
        if port.strip() and not 0 < (whole_number(port.strip()) or 0) < 65536:
            raise ConfigError("connection_uri: a port must be a whole number from 1 to 65535")
    hosts = max(len(found.get(name, "").split(",")) for name in ("host", "hostaddr"))
    if len(ports) not in (1, hosts):
        raise ConfigError(f"connection_uri has {hosts} hosts and {len(ports)} ports")


def name_of(given: Mapping[str, str]) -> str:
    """Return what `parse_postgres` gave as a URI for messages: without password and options."""
    who = quote(given.get("user", "")) + (":***" if given.get("password") else "")
    place = _place(given.get("host", ""), given.get("port", ""))
    return f"postgresql://{who}{'@' if who else ''}{place}/{quote(given.get('dbname', ''))}"


def _place(host: str, port: str) -> str:
    """Return hosts with their ports, as a URI has them; the directory of a socket percent-encoded."""
    hosts, ports = host.split(","), port.split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    shown = [f"[{name}]" if ":" in name else quote(name, safe="") for name in hosts]
    pairs = zip(shown, ports, strict=True)
    return ",".join(f"{name}:{number}" if number else name for name, number in pairs)
