"""What else is written in the transaction that creates or ends sessions, by features that are on.

Every statement that deletes sessions goes through `SessionChanges.end`, so that no feature can miss one:
outside of this module nothing else executes such a statement. What an official core deletes is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from supertokens_py.engine.session_records import Actor, Ending, SessionKey, SessionNote, emit_revoked

if TYPE_CHECKING:
    from sqlalchemy import Connection, Insert
    from sqlalchemy.sql.dml import ReturningDelete


#: A statement and its parameters.
Recording: TypeAlias = "tuple[Insert, dict[str, Any]]"


class Recorder:
    """A feature that records changes of sessions; each records what it overrides.

    The methods with a connection run inside the transaction of the change. A unit of work may be repeated, so
    none of them may have an effect outside of it.
    """

    #: Whether creations are recorded.
    wants_creations: bool = False
    #: Whether refreshes are recorded, each of which then takes a transaction of several statements.
    wants_refreshes: bool = False
    #: Whether notes are recorded, such as one of a client that has changed.
    wants_notes: bool = False

    def creation(self, session: SessionKey, *, actor: Actor | None) -> Recording | None:
        """Return a statement that does what `created` does; None where one is not enough.

        The session is written by the same statement; names of parameters are those of no other one.
        """

    def created(
        self, connection: Connection, session: SessionKey, *, actor: Actor | None, replaced: str | None
    ) -> None:
        """Record that a session was created, in the place of the session `replaced` if that is given."""

    def refreshed(self, connection: Connection, session: SessionKey) -> None:
        """Record that a refresh token was rotated."""

    def ended(self, connection: Connection, sessions: Sequence[SessionKey], ending: Ending) -> None:
        """Record that sessions ended; `sessions` is not empty."""

    def all_ended(self, connection: Connection, ending: Ending) -> None:
        """Record, once `ended` was called for each, that every session of the app ended."""

    def cut_short(self, connection: Connection, handle: str) -> None:
        """Record that a session expired at once, long before its access tokens may."""

    def noted(self, connection: Connection, note: SessionNote) -> None:
        """Record anything else that happened to a session."""

    def user_removed(self, connection: Connection, user_id: str) -> None:
        """Remove what is kept of a user whose sessions have just ended; `user_id` is one of their ids."""

    def settled(self, sessions: Sequence[SessionKey], ending: Ending) -> None:
        """Be told of ended sessions after the commit, before the call that ended them returns."""

    def all_settled(self, ending: Ending) -> None:
        """Be told, after the commit, that every session ended; `settled` is not called for them."""

    def cut_short_settled(self, handle: str) -> None:
        """Be told, after the commit, that a session expired at once."""

    def committed(self) -> None:
        """Be told that any other change was committed, before the call that made it returns."""


class SessionChanges:
    """Ends sessions, and tells the features of every change."""

    def __init__(
        self, recorders: Sequence[Recorder] = (), prepare: Callable[[], None] = lambda: None
    ) -> None:
        """`prepare` opens the database: only then is it known who records."""
        self._recorders = tuple(recorders)
        self._prepare = prepare

    def add(self, recorder: Recorder) -> None:
        """Have another feature record what changes from now on."""
        self._recorders = (*self._recorders, recorder)

    @property
    def are_recorded(self) -> bool:
        """Whether a change needs more than its own statement, so that it has to be in a transaction."""
        self._prepare()
        return bool(self._recorders)

    @property
    def creations_are_recorded(self) -> bool:
        """Whether the creation of a session needs more than its own statement."""
        return any(recorder.wants_creations for recorder in self._recorders)

    def creation(self, session: SessionKey, *, actor: Actor | None) -> Recording | None:
        """Return what records a creation in the statement that makes it; None where `created` must."""
        wanting = [recorder for recorder in self._recorders if recorder.wants_creations]
        return wanting[0].creation(session, actor=actor) if len(wanting) == 1 else None

    @property
    def refreshes_are_recorded(self) -> bool:
        """Whether a refresh has to be in a transaction, which calls `refreshed`."""
        return any(recorder.wants_refreshes for recorder in self._recorders)

    @property
    def notes_are_recorded(self) -> bool:
        """Whether `note` has any effect."""
        return any(recorder.wants_notes for recorder in self._recorders)

    def created(
        self,
        connection: Connection,
        session: SessionKey,
        *,
        actor: Actor | None = None,
        replaced: str | None = None,
    ) -> None:
        """Record a new session, in the unit that inserted its row."""
        for recorder in self._recorders:
            recorder.created(connection, session, actor=actor, replaced=replaced)

    def refreshed(self, connection: Connection, session: SessionKey) -> None:
        """Record a rotation, in its unit."""
        for recorder in self._recorders:
            if recorder.wants_refreshes:
                recorder.refreshed(connection, session)

    def note(self, connection: Connection, note: SessionNote) -> None:
        """Record anything else, in the unit in which it happened."""
        for recorder in self._recorders:
            recorder.noted(connection, note)

    def user_removed(self, connection: Connection, user_id: str) -> None:
        """Remove what is kept of a user, in the unit that ended their sessions."""
        for recorder in self._recorders:
            recorder.user_removed(connection, user_id)

    def committed(self) -> None:
        """Tell of a change after its commit; `settle` does so for sessions that ended."""
        for recorder in self._recorders:
            recorder.committed()

    def end(
        self,
        connection: Connection,
        statement: ReturningDelete[Any, Any, Any],
        values: Mapping[str, Any],
        ending: Ending,
    ) -> list[SessionKey]:
        """Delete sessions and record it; hand what it returns to `settle` after the commit.

        `statement` returns handle, tenant and user of what it deletes (`session_rows.key_columns`).
        """
        rows = connection.execute(statement, values).all()
        ended = [SessionKey(handle=row[0], tenant_id=row[1], user_id=row[2]) for row in rows]
        if ended:
            for recorder in self._recorders:
                recorder.ended(connection, ended, ending)
        return ended

    def all_ended(self, connection: Connection, ending: Ending) -> None:
        """Record that every session of the app was ended by `end`, in the same unit."""
        for recorder in self._recorders:
            recorder.all_ended(connection, ending)

    def cut_short(self, connection: Connection, handle: str) -> None:
        """Record that a session was made to expire at once, in the unit that did so."""
        for recorder in self._recorders:
            recorder.cut_short(connection, handle)

    def settle_cut_short(self, handle: str) -> None:
        """Tell of it after the commit."""
        for recorder in self._recorders:
            recorder.cut_short_settled(handle)

    def settle_all(self, ending: Ending) -> None:
        """Tell after the commit that every session has ended."""
        for recorder in self._recorders:
            recorder.all_settled(ending)

    def settle(self, ended: Sequence[SessionKey], ending: Ending, *, is_revocation: bool = True) -> None:
        """Tell of sessions that have ended, after the commit; `is_revocation` makes it an event."""
        if not ended:
            return
        for recorder in self._recorders:
            recorder.settled(ended, ending)
        if is_revocation:
            emit_revoked(ended, ending)
