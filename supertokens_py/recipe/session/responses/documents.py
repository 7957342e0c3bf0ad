"""The small pages that browsers show in the place of what scripts are answered. Pure."""

from __future__ import annotations

from supertokens_py.formatting import waiting
from supertokens_py.framework.request import BaseRequest
from supertokens_py.framework.response import BaseResponse

from ..policy.origins import is_navigation
from ..session_tokens.request_tokens import RequestTokens

_FORM = "The form was not accepted: the server cannot take it now. Go back, and send it again in {wait}."
_PAGE = "The page cannot be shown now. Load it again in {wait}."


def document(title: str, text: str) -> str:
    """Return a page of two lines; `text` is HTML."""
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    return f"{head}<h1>{title}</h1><p>{text}</p>"


def as_page_of_wait(answer: BaseResponse, request: BaseRequest) -> BaseResponse:
    """Return an answer that says to try again later, as a page where a browser navigates.

    Status and headers stay. Where the answer says nothing of the kind, or a script asks, all of it does.
    """
    wait_s, method = answer.get_header("Retry-After"), request.method()
    if wait_s is None or answer.status_code < 400 or method not in ("GET", "POST"):
        return answer
    if not is_navigation(request) or RequestTokens(request).bearer:
        return answer
    text = (_FORM if method == "POST" else _PAGE).format(wait=waiting(int(wait_s)))
    answer.response_sent = False
    answer.set_html_content(document("Please try again", text))
    answer.forbid_caching()
    return answer
