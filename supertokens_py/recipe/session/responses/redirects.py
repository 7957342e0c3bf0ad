"""The responses by which browsers go on to another page of this server. Pure."""

from __future__ import annotations

from html import escape

from supertokens_py.framework.response import BaseResponse


def redirect(response: BaseResponse, where: str) -> BaseResponse:
    """Send a browser to another page of this server, by a GET."""
    return _without_content(response, 303, "Location", where)


def to_page(response: BaseResponse, where: str) -> BaseResponse:
    """Have HTMX load another page of this server as a whole: it would put a redirect's into this one."""
    return _without_content(response, 200, "HX-Redirect", where)


def reload_from_this_site(response: BaseResponse, where: str) -> BaseResponse:
    """Have the browser ask for the same page once more, this time from this site, and so with its cookies."""
    response.set_status_code(200)
    response.forbid_caching()
    target = escape(where, quote=True)
    response.set_html_content(
        f'<!doctype html><title>One moment</title><meta http-equiv="refresh" content="0;url={target}">'
        f'<p><a href="{target}">Go on</a></p>'
    )
    return response


def _without_content(response: BaseResponse, status: int, header: str, where: str) -> BaseResponse:
    response.set_status_code(status)
    response.set_header(header, where)
    response.forbid_caching()
    response.set_html_content("")
    return response
