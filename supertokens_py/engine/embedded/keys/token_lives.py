"""How long access tokens of this database live, whichever process issued them.

Each process has an `access_token_validity` of its own: commands have the default, and so may another service.
The one that cleans up must not delete what the tokens of another still need. So whoever issues tokens that
live for long notes that in `key_value`: one row per such life, with the time when it was noted last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from supertokens_py.constants import DEFAULT_APP_ID, DEFAULT_TENANT_ID
from supertokens_py.engine.config import ResolvedEngineConfig
from supertokens_py.types.numbers import whole_number

from ..storage.dialects import upsert
from ..storage.tables import KEY_VALUE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ..storage.database import Database

#: How long what belongs to tokens is kept after it seems to be needed no more; shorter lives need no note.
KEPT_MS: Final = 48 * 3_600_000
#: How often a process notes the life of its tokens; well within what notes are believed beyond it.
_NOTED_EVERY_MS = KEPT_MS // 2
#: Rows of lives; the name ends with the life (ms).
_LIFE = "supertokens_py_token_life_"
_OF_APP = {"app_id": DEFAULT_APP_ID, "tenant_id": DEFAULT_TENANT_ID}


class TokenLives:
    """Notes the life of this process's tokens, and reads those of all.

    It is a class because it owns when it has noted that last.
    """

    def __init__(self, database: Database, settings: ResolvedEngineConfig) -> None:
        self._database = database
        self._own_ms = settings.access_token_validity_ms
        self._noted_at_ms: int | None = None
        values = database.tables[KEY_VALUE]
        self._select = select(values.c.name, values.c.created_at_time).where(
            *(values.c[name] == value for name, value in _OF_APP.items()),
            values.c.name.startswith(_LIFE, autoescape=True),
        )
        row = {**_OF_APP, "name": f"{_LIFE}{self._own_ms}", "value": ""}
        self._note = upsert(values, "created_at_time", is_sqlite=database.location.is_sqlite).values(**row)

    def note(self, now_ms: int) -> None:
        """Note how long tokens of this process live, before it issues any, and once a day from then on."""
        if self._own_ms <= KEPT_MS or not self._database.may_create:
            return
        noted_at_ms = self._noted_at_ms
        if noted_at_ms is not None and abs(now_ms - noted_at_ms) < _NOTED_EVERY_MS:
            return
        row = {"created_at_time": now_ms}
        self._database.single(lambda c: c.execute(self._note, row), repeatable=True)
        self._noted_at_ms = now_ms

    def longest_ms(self, connection: Connection, now_ms: int) -> int:
        """Return the longest life of an access token that may be valid; at least that of this process's."""
        longest_ms = self._own_ms
        for name, noted_at_ms in connection.execute(self._select):
            life_ms = whole_number(name.removeprefix(_LIFE)) or 0
            if (
                noted_at_ms or 0
            ) + life_ms + KEPT_MS >= now_ms:  # else the last token that had it has expired
                longest_ms = max(longest_ms, life_ms)
        return longest_ms
