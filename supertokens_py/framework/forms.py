"""The fields of a form that a browser has sent. Pure."""

from __future__ import annotations

from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import parse_qsl


def form_fields(body: bytes, content_type: str | None = None) -> dict[str, Any]:
    """Return an urlencoded body as a flat dict, last value of each.

    With the Content-Type multipart/form-data (https://www.rfc-editor.org/rfc/rfc7578) the same of such a
    body, files left out.
    """
    boundary = None if content_type is None else _boundary(content_type)
    if boundary is not None:
        return dict(_parts(body, boundary))
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _boundary(content_type: str) -> bytes | None:
    header = Message()
    header["content-type"] = content_type
    try:
        boundary = header.get_boundary()
    except ValueError:  # its charset (RFC 2231) cannot be decoded, or has a name that none has
        return None
    if header.get_content_type() != "multipart/form-data" or not boundary:
        return None
    return boundary.encode("latin-1", "replace")


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):  # the end
            break
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = _field_name(BytesHeaderParser().parsebytes(head))
        if name is not None:
            found.append((name, content.decode("utf-8", "replace")))
    return found


def _field_name(headers: Message) -> str | None:
    """Return the name of a part; None of a file, and where its parameters cannot be decoded."""
    try:
        name = headers.get_param("name", header="content-disposition")
        return name if isinstance(name, str) and headers.get_filename() is None else None
    except ValueError:
        return None
