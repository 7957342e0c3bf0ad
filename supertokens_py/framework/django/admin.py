"""Sessions in Django's admin: those of a user, and ending them. Nothing can be edited.

Django finds it where `INSTALLED_APPS` has `django.contrib.admin` and `supertokens_py.framework.django`. Who
is staff may look with the permission `supertokens.view_session`, and end sessions with
`supertokens.delete_session` besides. Django logs what they ended, and `SessionRevoked` names them by their
primary key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from supertokens_py.events import AdminActed, emit
from supertokens_py.exceptions import BadInputError, EngineUnavailableError
from supertokens_py.formatting import counted, moment, visible
from supertokens_py.recipe.session import revoked_by
from supertokens_py.recipe.session.results import SessionInformationResult
from supertokens_py.recipe.session.syncio import (
    list_sessions,
    revoke_multiple_sessions,
    revoke_other_sessions,
)

from .models import Session

__all__ = ["SessionAdmin", "sessions_link"]

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Session]
else:
    _ModelAdmin = admin.ModelAdmin

#: So many sessions of a user are shown; whoever has more is no person.
SHOWN_SESSIONS: Final = 200
_LONGEST_ID: Final = 512
_TEMPLATES: Final = "admin/supertokens/session/"
_AWAY: Final = "The database or the core of the sessions does not answer. Try again in a moment."

Which: TypeAlias = Literal["selected", "others"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A session as the pages show it; every text can be printed."""

    handle: str
    handle_text: str
    label: str
    address: str
    created: str
    seen: str
    expires: str
    tenant: str
    is_impersonated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The live sessions of a user; `problem` says why they could not be read."""

    rows: Sequence[Row] = ()
    more: int = 0  #: live sessions that are not among the rows
    problem: str = ""
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be ended: the sessions that were selected, or all but the one that was."""

    which: Which
    kept: str  #: the handle of the session that stays; "" where the selected ones end
    ending: Sequence[Row]
    more: int = 0  #: how many end besides, which are not shown

    @property
    def count(self) -> int:
        """How many sessions end."""
        return len(self.ending) + self.more


class SessionAdmin(_ModelAdmin):
    """The pages below "SuperTokens"; register it with `Session` at an admin site of your own."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: sessions are created by signing in."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: nothing can be edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether somebody may look and end sessions."""
        return super().has_delete_permission(request, obj) and self.has_view_permission(request, obj)

    def get_urls(self) -> list[URLPattern]:
        """Return the two pages, in place of those that edit rows."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("", view(self.changelist_view), name=f"{name}_changelist"),
            path("revoke/", view(self.revoke_view), name=f"{name}_revoke"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a search, and the sessions of the user it asks for."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        user_id = request.GET.get("user", "")
        found = _sessions_of(user_id) if user_id else Found()
        context = {"found": found, "can_revoke": self.has_delete_permission(request)}
        return self._page(request, "list.html", "Sessions", user_id, {**context, **(extra_context or {})})

    def revoke_view(self, request: HttpRequest) -> HttpResponse:
        """Show which sessions would end, and end them once that is confirmed."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        user_id = request.GET.get("user", "")
        found = _sessions_of(user_id)
        choice = _choice(request, found)
        if found.problem or not choice.count:
            level, text = _why_not(found, choice)
            self.message_user(request, text, level)
            return self._to_list(user_id)
        if request.method == "POST":
            return self._revoke(request, user_id, choice)
        title = f"End {counted(choice.count, 'session')}?"
        context = {"choice": choice, "kept_text": visible(choice.kept)}
        return self._page(request, "revoke.html", title, user_id, {**context, "found": found})

    def _revoke(self, request: HttpRequest, user_id: str, choice: Choice) -> HttpResponse:
        actor_id = str(request.user.pk)
        try:
            with revoked_by(actor_id):
                ended = _end(choice)
        except EngineUnavailableError:
            self.message_user(request, _AWAY, messages.ERROR)
            return self._to_list(user_id)
        for target in _targets(choice):
            emit(AdminActed(action="revoke", actor_id=actor_id, target=target))
        _log(request, user_id, ended)
        self.message_user(request, f"{counted(len(ended), 'session')} ended.", messages.SUCCESS)
        return self._to_list(user_id)

    def _to_list(self, user_id: str) -> HttpResponseRedirect:
        address = reverse(self._address("changelist"), current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{address}?{urlencode({'user': user_id})}")

    def _address(self, page: str) -> str:
        return f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}"

    def _page(
        self, request: HttpRequest, template: str, title: str, user_id: str, context: dict[str, Any]
    ) -> HttpResponse:
        found: Found = context["found"]
        setattr(request, "current_app", self.admin_site.name)  # noqa: B010  which `url` in templates asks
        given = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "user_id": user_id,
            "user_text": visible(user_id),
            "longest_id": _LONGEST_ID,
            **context,
        }
        return TemplateResponse(request, f"{_TEMPLATES}{template}", given, status=found.status)


@admin.display(description="sessions")
def sessions_link(user: Any) -> str:
    """Return a link to the sessions of a user, for `list_display` or `readonly_fields` of a user's admin.

    The primary key of the user has to be the user id of the sessions.
    """
    address = reverse("admin:supertokens_session_changelist")
    return format_html('<a href="{}?{}">Sessions</a>', address, urlencode({"user": str(user.pk)}))


def _sessions_of(user_id: str) -> Found:
    if len(user_id) > _LONGEST_ID:
        return Found(problem=f"No id has more than {_LONGEST_ID} characters.", status=400)
    try:
        listed = list_sessions(user_id)
    except BadInputError as error:
        return Found(problem=visible(str(error)), status=400)
    except EngineUnavailableError:
        return Found(problem=_AWAY, status=503)
    rows = [_row(one) for one in listed[:SHOWN_SESSIONS]]
    return Found(rows=rows, more=len(listed) - len(rows))


def _row(one: SessionInformationResult) -> Row:
    device = one.device
    return Row(
        handle=one.session_handle,
        handle_text=visible(one.session_handle),
        label=visible((device and device.label) or "-"),
        address=visible((device and device.ip) or "-"),
        created=moment(one.time_created),
        seen=moment(device and device.last_seen),
        expires=moment(one.expiry),
        tenant=visible(one.tenant_id),
        is_impersonated=device is not None and device.impersonated,
    )


def _choice(request: HttpRequest, found: Found) -> Choice:
    """Return what the address asks to end; of this user's live sessions only."""
    handles = frozenset(request.GET.getlist("handle"))
    chosen = [row for row in found.rows if row.handle in handles]
    if request.GET.get("which") != "others":
        return Choice(which="selected", kept="", ending=chosen)
    if len(chosen) != 1:
        return Choice(which="others", kept="", ending=())
    kept = chosen[0].handle
    others = [row for row in found.rows if row.handle != kept]
    return Choice(which="others", kept=kept, ending=others, more=found.more)


def _why_not(found: Found, choice: Choice) -> tuple[int, str]:
    if found.problem:
        return messages.ERROR, found.problem
    if choice.kept:
        return messages.WARNING, "There is no other session."
    if choice.which == "others":
        return messages.WARNING, "Select the one session that stays."
    return messages.WARNING, "Select sessions that are alive."


def _end(choice: Choice) -> list[str]:
    if choice.kept:
        return revoke_other_sessions(choice.kept)
    return revoke_multiple_sessions([row.handle for row in choice.ending])


def _targets(choice: Choice) -> list[str]:
    """Return what the events of the admin name, as the events of the admin page do."""
    if choice.kept:
        return [f"sessions other than {choice.kept}"]
    return [f"session {row.handle}" for row in choice.ending]


def _log(request: HttpRequest, user_id: str, handles: Sequence[str]) -> None:
    kind = ContentType.objects.get_for_model(Session)
    LogEntry.objects.bulk_create(
        LogEntry(
            user_id=request.user.pk,
            content_type_id=kind.pk,
            object_id=handle,
            object_repr=visible(f"{Session(handle=handle)} of user {user_id}")[:200],
            action_flag=DELETION,
            change_message="Revoked.",
        )
        for handle in handles
    )


admin.site.register(Session, SessionAdmin)
