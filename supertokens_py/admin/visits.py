"""One request to the admin page, and what a page does with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, ParamSpec, Protocol, TypeAlias, TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from supertokens_py.engine.call import call_engine
from supertokens_py.events import AdminActed, emit
from supertokens_py.exceptions import ConfigError
from supertokens_py.formatting import counted, json_text, moment, visible
from supertokens_py.framework.forms import form_fields

from .backends import Backend
from .forms import FORM_FIELD, MAX_BODY, PURPOSE, form_token, is_form_token, was_sent_here
from .permissions import AdminAction, Refused, Viewer, check_allowed
from .refusals import Refusals

P = ParamSpec("P")
T = TypeVar("T")


class Access(Protocol):
    """Decides who comes in."""

    async def viewer(self, request: Request) -> Viewer | Response:
        """Return who asks, or a response that is none of this page's; raise `Refused`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What every request of one admin page has in common.

    Args:
        sign_in: the address of the log-in page, where one was given.
    """

    backend: Backend
    access: Access
    writes: bool
    sign_in: str | None
    refusals: Refusals
    style: str  #: the address of the style sheet


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who was let in."""

    request: Request
    desk: Desk
    viewer: Viewer
    token: str  #: of the forms
    fields: Mapping[str, str] = field(default_factory=dict[str, str])  #: of the form that was sent

    @property
    def backend(self) -> Backend:
        """What is read and changed."""
        return self.desk.backend

    def asked(self, name: str) -> str:
        """Return a parameter of the address; "" if there is none."""
        return self.request.query_params.get(name, "")

    async def ask(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a blocking function of the engine."""
        return await call_engine(None, work, *args, **kwargs)

    def require(self, action: AdminAction) -> None:
        """Raise `Refused` unless the viewer may do something."""
        check_allowed(self.viewer, action, writes=self.desk.writes)

    def acted(self, action: AdminAction, target: str) -> None:
        """Emit what the viewer did."""
        emit(AdminActed(action=action, actor_id=self.viewer.actor_id, target=target))

    def page(self, template: str, title: str, *, status: int = 200, **values: Any) -> Response:
        """Return a page."""
        html = _TEMPLATES.get_template(template).render(
            title=title,
            desk=self.desk,
            viewer=self.viewer,
            here=self.request.url.path.rpartition("/")[2],
            form_field=FORM_FIELD,
            form_token=self.token,
            now_ms=self.backend.now_ms(),
            **values,
        )
        return HTMLResponse(html, status_code=status)


Show: TypeAlias = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the application.

    Args:
        path: below the application's own; all are in one folder, so that links need not know where it is.
        action: what a viewer has to be allowed to do.
        show: answers GET.
        submit: answers the form of the page; None where there is none.
    """

    path: str
    action: AdminAction
    show: Show
    submit: Show | None = None


def go(path: str, **query: str | int | None) -> RedirectResponse:
    """Redirect to a page after a form was sent."""
    return RedirectResponse(link(path, **query), status_code=303)


def link(path: str, **query: str | int | None) -> str:
    """Return the address of a page, relative to every other page."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, errors='backslashreplace')}" if given else path


async def answer(page: Page, desk: Desk, request: Request) -> Response:
    """Answer a request for a page, whoever asks.

    Raises:
        Refused: it is not answered.
    """
    viewer = await desk.access.viewer(request)
    if isinstance(viewer, Response):
        return viewer
    check_allowed(viewer, "read", writes=desk.writes)
    check_allowed(viewer, page.action, writes=desk.writes)
    try:
        return await _answer(page, desk, request, viewer)
    except ConfigError as error:  # only said to whoever was let in
        raise Refused(501, "Not possible here", str(error)) from error


async def _answer(page: Page, desk: Desk, request: Request, viewer: Viewer) -> Response:
    secrets: Sequence[bytes] = ()
    if desk.writes:
        secrets = await call_engine(None, desk.backend.engine.keys.shared_secrets, PURPOSE)
    token = form_token(secrets[0], viewer.form_key) if secrets else ""
    if request.method != "POST":
        return await page.show(Visit(request, desk, viewer, token))
    fields = await _sent_form(request)
    if not is_form_token(secrets, viewer.form_key, fields.get(FORM_FIELD, "")):
        raise Refused(403, "This form is out of date", "Your session changed since. Go back and reload it.")
    submit = page.submit or page.show
    return await submit(Visit(request, desk, viewer, token, fields))


async def _sent_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that was sent from here.

    Raises:
        Refused: it came from elsewhere, or is no form of this page.
    """
    if not was_sent_here(request.headers):
        raise Refused(403, "Not from here", "Another site, or a very old browser, sent this form.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise Refused(413, "Too much", "No form of this page is so long.")
    return form_fields(bytes(body))


def refused_page(desk: Desk, refused: Refused) -> Response:
    """Return the page that says why a request was refused."""
    html = _TEMPLATES.get_template("refused.html").render(title=refused.title, desk=desk, refused=refused)
    response = HTMLResponse(html, status_code=refused.status)
    response.raw_headers += list(refused.headers)
    return response


def ago(ms: int, now_ms: int) -> str:
    """Return how far a time is from now, in words, such as "3 min ago" or "in 2 d"."""
    seconds = abs(now_ms - ms) // 1000
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if seconds >= length:
            far = f"{seconds // length} {unit}"
            return f"{far} ago" if ms <= now_ms else f"in {far}"
    return "now"


def _indented(value: object) -> str:
    return json_text(value, indent=2)


def _templates() -> Environment:
    environment = Environment(
        loader=PackageLoader("supertokens_py.admin"), autoescape=True, undefined=StrictUndefined
    )
    filters: Any = environment.filters
    filters.update(visible=visible, moment=moment, ago=ago, json=_indented)
    names: Any = environment.globals
    names.update(link=link, counted=counted)
    return environment


_TEMPLATES: Final = _templates()
