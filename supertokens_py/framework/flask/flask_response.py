"""Flask's responses: of the SDK's answers, and of views that looked for a session."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import Headers

from supertokens_py.framework.adapter import (
    PERSONAL,
    BaseResponse,
    answer_error_blocking,
    deliver_blocking,
)
from supertokens_py.framework.response import BaseResponse as FlaskResponse  # its older name

from .flask_request import FlaskRequest

__all__ = ["FlaskResponse", "error_response", "mark_personal", "to_native"]

PERSONAL_NAMES = tuple(name for name, _ in PERSONAL.merged({}))


def mark_personal(response: Response) -> Response:
    """Add the headers of a response for which a session was looked for."""
    headers = response.headers
    present = {name.lower(): ", ".join(found) for name in PERSONAL_NAMES if (found := headers.getlist(name))}
    for name, value in PERSONAL.merged(present):
        if name.lower() not in present:
            headers.add(name, value)
        elif present[name.lower()] != value:
            headers[name] = value
    return response


def error_response(base: FlaskRequest, error: Exception) -> Response:
    """Return the response of an error that the SDK answers; others are raised again."""
    return to_native(answer_error_blocking(base, error), base)


def to_native(answer: BaseResponse, base: FlaskRequest) -> Response:
    """Return Flask's response, with the changes of its request where no middleware adds them."""
    headers = answer.header_list()
    if not base.delivers:  # the middleware does it, where there is one
        headers = deliver_blocking(base, answer.status_code, headers) or headers
    return Response(answer.body, status=answer.status_code, headers=Headers(headers))
