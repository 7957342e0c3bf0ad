"""The options that select a database or core, and the engine that they open."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import cast

from supertokens_py.app import Supertokens
from supertokens_py.engine.config import EngineConfig, ResolvedEngineConfig
from supertokens_py.engine.environment_variables import CONNECTION_URI, misspelt_variables
from supertokens_py.engine.factory import DEFAULT_DATABASE, check_connection_uri, open_engine
from supertokens_py.engine.interface import Engine
from supertokens_py.engine.uris import describe, kind_of, sqlite_name
from supertokens_py.exceptions import ConfigError

from .output import Output


def add_store_options(parser: argparse.ArgumentParser) -> None:
    """Let a command say which database or core it means."""
    parser.add_argument(
        "--connection-uri",
        metavar="URI",
        help=f"database or core [${CONNECTION_URI}, else {DEFAULT_DATABASE}]; more settings: SUPERTOKENS_…",
    )
    parser.add_argument(
        "--core-api-key", metavar="KEY", help="API key of a core at an http(s):// URI [$SUPERTOKENS_API_KEY]"
    )


def connection_uri(args: argparse.Namespace) -> str:
    """Return the URI that the options or the environment give.

    Raises:
        ConfigError: it cannot work.
    """
    uri = given_uri(args)
    check_connection_uri(uri)
    return uri


def given_uri(args: argparse.Namespace) -> str:
    """Return the URI as it was given, unchecked; the default file where none was, not where it is empty.

    Raises:
        ConfigError: the name of the variable is misspelt: the default file is not what was meant.
    """
    given = cast("str | None", args.connection_uri)
    uri = os.environ.get(CONNECTION_URI) if given is None else given
    if uri is not None:
        return uri.strip()
    wrong = [name for name, meant in misspelt_variables(os.environ) if meant == CONNECTION_URI]
    if wrong:
        raise ConfigError(f"{wrong[0]} is read by nothing; did you mean {CONNECTION_URI}?")
    return DEFAULT_DATABASE


def mean_application(args: argparse.Namespace, app: Supertokens) -> None:
    """Have a command work on the database or core of an application, with its engine settings."""
    config = app.supertokens_config
    args.connection_uri, args.engine_config = config.engine_uri, config.engine
    args.core_api_key = args.core_api_key or config.api_key


def store_name(args: argparse.Namespace) -> str:
    """Return where the store is that the options mean, without a password; for commands that change it."""
    return describe(connection_uri(args))


def given_engine_config(args: argparse.Namespace) -> EngineConfig:
    """Return the engine's settings: those of an application that runs the command, else the environment's."""
    given: EngineConfig | None = getattr(args, "engine_config", None)
    return given or EngineConfig()


def engine_settings(args: argparse.Namespace) -> ResolvedEngineConfig:
    """Return these settings with every default filled in."""
    return given_engine_config(args).resolve()


def core_api_key(args: argparse.Namespace) -> str | None:
    """Return the API key that the options or the environment give for a core."""
    given = cast("str | None", args.core_api_key)
    return given or os.environ.get("SUPERTOKENS_API_KEY", "").strip() or None


def is_remote(uri: str) -> bool:
    """Return whether a URI means a core, not a database."""
    return kind_of(uri) == "core"


def open_store(args: argparse.Namespace, *, may_create: bool = False, keeps_users: bool = False) -> Engine:
    """Return the engine that the options mean; without `may_create` it makes no file, table, column or key.

    What applications record of their sessions in this database, it records, too.

    Raises:
        ConfigError: the URI cannot work, or means a SQLite file that does not exist.
        EngineUnavailableError: the database cannot be read.
    """
    uri = connection_uri(args)
    if not may_create:
        refuse_missing_file(uri)
    settings = engine_settings(args)
    return open_engine(
        uri,
        settings,
        api_key=core_api_key(args),
        may_create=may_create,
        keeps_users=keeps_users,
        features=None,
    )


def say_how_long_tokens_verify(engine: Engine, args: argparse.Namespace, out: Output) -> None:
    """Say for how long copies of access tokens outlive sessions that ended, where nobody hears of the end."""
    if engine.revocations is not None:
        return  # the applications have `instant_revocation`, and hear of it
    seconds = engine_settings(args).access_token_validity
    until = "until they expire" if is_remote(connection_uri(args)) else f"for up to {seconds} seconds more"
    out.say(f"access tokens that are out verify {until}, except where check_database is on")


def refuse_missing_file(uri: str) -> None:
    """Raise ConfigError instead of letting SQLite make an empty database where none was meant."""
    path = sqlite_file(uri)
    if path is not None and not path.exists():
        raise ConfigError(
            f"there is no database {path}: say where it is with --connection-uri or ${CONNECTION_URI}"
        )


def sqlite_file(uri: str) -> Path | None:
    """Return the file of a SQLite URI; None for memory and for everything else."""
    if kind_of(uri) != "sqlite":
        return None
    name = sqlite_name(uri)
    return None if name in ("", ":memory:") or name.startswith("file:") else Path(name)
