"""Flask's responses: of the SDK's answers, and of views that looked for a session."""

from __future__ import annotations

from flask import Response
from werkzeug.datastructures import Headers

from supertokens_py.framework.adapter import BaseResponse, answer_error_blocking, deliver_blocking
from supertokens_py.framework.response import BaseResponse as FlaskResponse  # its older name

from .flask_request import FlaskRequest, mark_personal

__all__ = ["FlaskResponse", "error_response", "mark_personal", "to_native"]


def error_response(base: FlaskRequest, error: Exception) -> Response:
    """Return the response of an error that the SDK answers; others are raised again."""
    return to_native(answer_error_blocking(base, error), base)


def to_native(answer: BaseResponse, base: FlaskRequest) -> Response:
    """Return Flask's response, with the changes of its request where no middleware adds them."""
    headers = answer.header_list()
    if not base.delivers:  # the middleware does it, where there is one
        headers = deliver_blocking(base, answer.status_code, headers) or headers
    return Response(answer.body, status=answer.status_code, headers=Headers(headers))
