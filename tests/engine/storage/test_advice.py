"""What the operator is told to do about each failure of PostgreSQL."""

from __future__ import annotations

import pytest

from supertokens_py.engine.embedded.storage import advice

ADDRESS = 'connection to server at "127.0.0.1", port 5432 failed: FATAL:  '


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('password authentication failed for user "app"', "28000"),
        ('no pg_hba.conf entry for host "10.0.0.1", user "app", database "shop", no encryption', "28000"),
        ('role "app" does not exist', "28000"),
        ('role "app" is not permitted to log in', "28000"),
        ('database "nope" does not exist', "3D000"),
        ("sorry, too many clients already", "53300"),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", "53300"),
        ('too many connections for role "app"', "53300"),
        ("no more connections allowed (max_client_conn)", "53300"),
        ("the database system is starting up", "57P03"),
        ("the database system is not yet accepting connections", "57P03"),
        ("session is read-only", "25006"),
        ('permission denied for database "shop"', "42501"),
        ("Passwort-Authentifizierung fehlgeschlagen", ""),
    ],
)
def test_what_a_refused_connection_says(text: str, code: str):
    """psycopg gives no SQLSTATE for it."""
    assert advice.refusal_code(ADDRESS + text) == code


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        ("28P01", "", "check user and password"),
        ("3D000", "", "create the database"),
        ("53300", "", "the server has no room for more connections: lower pool_size"),
        ("53100", "", "disk is full"),
        (
            "57014",
            "canceling statement due to statement timeout",
            "statement_timeout of the role or the server",
        ),
        ("57P01", "", "shutting down or starting up: try again"),
        ("25006", "", "connect to the primary"),
        ("42P05", "", "does not track prepared statements"),
        ("26000", "", "does not track prepared statements"),
        ("42501", "", "GRANT"),
        ("42P01", "", "tables are missing"),
        ("42703", "", "supertokens doctor"),
        ("XX000", "", "look into the server's log"),
        ("", "unsupported startup parameter: options", "the pooler refuses it"),
        ("", "query_wait_timeout", "raise its default_pool_size"),
        ("", "transaction blocks not allowed in statement pooling mode", "pool_mode=transaction or session"),
        ("", "could not translate host name", "check the host name"),
        ("", "server does not support SSL, but SSL was required", "check sslmode"),
        ("", "Connection refused", "check that the server runs and connection_uri is right"),
    ],
)
def test_advice_fits_the_failure(code: str, text: str, told: str):
    """Exact codes go before their classes, and words count where there is no code."""
    assert told in advice.of_postgres(code, text)
