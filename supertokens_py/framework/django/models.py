"""What Django's admin and its permissions need to know of sessions. There is no table, and no migration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models

if TYPE_CHECKING:
    _Manager = models.Manager["Session"]
else:
    _Manager = models.Manager


class _NoRows(_Manager):
    """Finds nothing, and asks no database: `dumpdata` and others go through every model there is."""

    def get_queryset(self) -> Any:
        return super().get_queryset().none()


class Session(models.Model):
    """A session, for the permissions `supertokens.view_session` and `supertokens.delete_session`.

    Sessions are not kept by Django: `supertokens_py.recipe.session.syncio.list_sessions` finds them.
    """

    handle: models.CharField[str, str] = models.CharField(primary_key=True, max_length=255)

    objects: ClassVar[_NoRows] = _NoRows()  # pyright: ignore[reportIncompatibleVariableOverride]

    class Meta:
        """Permissions, and no table."""

        app_label = "supertokens"
        base_manager_name = "objects"
        default_permissions: tuple[str, ...] = ("view", "delete")
        managed = False
        verbose_name = "session"

    def __str__(self) -> str:
        return f"session {self.handle}"
