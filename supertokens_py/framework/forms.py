"""The fields of a form that a browser has sent. Pure.

Anybody may send one to a route of the SDK, before there is any session. So everything is bounded before it is
read, and read in time that grows with its length only: the standard library's parser of headers is quadratic.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from supertokens_py.exceptions import BadInputError, RequestTooLargeError

#: Bytes of all fields and headers of parts, files left out: Apple's callback and sign-out send some kB.
MAX_FORM_BYTES: Final = 65_536
#: Fields, or parts with files. Django and Starlette allow as many.
MAX_FIELDS: Final = 1000
#: Bytes of the lines before the content of a part; the longest name of a file takes some 800 of them.
MAX_PART_HEAD: Final = 2048
#: Characters of a form's Content-Type; a boundary has at most 70 (RFC 2046, 5.1.1).
MAX_CONTENT_TYPE: Final = 256

_MULTIPART: Final = "multipart/form-data"
_END_OF_HEAD: Final = b"\r\n\r\n"
#: One parameter, as in RFC 9110, 5.6.6. No two neighbours begin alike, so that nothing is tried twice.
_PARAMETER: Final = re.compile(
    rb"[ \t]*+;[; \t]*+([!#$%&'*+.^_`|~0-9A-Za-z-]++)[ \t]*+=[ \t]*+"
    rb'(?:"((?:[^"\\]|\\.)*+)"|([^;"]*+))[ \t]*+(?=;|\Z)'
)
_ESCAPED: Final = re.compile(rb"\\(.)")


def form_fields(body: bytes, content_type: str | None = None) -> dict[str, Any]:
    """Return an urlencoded body as a flat dict, last value of each.

    With the Content-Type multipart/form-data (https://www.rfc-editor.org/rfc/rfc7578) the same of such a
    body, files left out; without a boundary in it there are no fields.

    Raises:
        RequestTooLargeError: there is more of it than `MAX_FORM_BYTES`, `MAX_FIELDS`, `MAX_PART_HEAD` allow.
        BadInputError: its Content-Type has more than `MAX_CONTENT_TYPE` characters.
    """
    if content_type is not None and content_type[: len(_MULTIPART)].lower() == _MULTIPART:
        return _fields_of_parts(body, content_type)
    _require_size(len(body))
    if body.count(b"&") >= MAX_FIELDS:
        raise _too_many_fields()
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _fields_of_parts(body: bytes, content_type: str) -> dict[str, Any]:
    if len(content_type) > MAX_CONTENT_TYPE:
        raise BadInputError(f"the Content-Type of a form has at most {MAX_CONTENT_TYPE} characters")
    parameters, _ = _parameters(content_type[len(_MULTIPART) :].encode("latin-1", "replace"))
    boundary = parameters.get("boundary")
    return dict(_parts(body, boundary)) if boundary else {}


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    size = 0
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary, MAX_FIELDS + 2)
    for number, part in enumerate(parts[1:]):
        if part.startswith(b"--"):  # the end
            break
        if number == MAX_FIELDS:
            raise _too_many_fields()
        end = part.find(_END_OF_HEAD, 0, MAX_PART_HEAD + len(_END_OF_HEAD))
        if end < 0 and len(part) > MAX_PART_HEAD:
            raise RequestTooLargeError(f"the header of a part of a form has at most {MAX_PART_HEAD} bytes")
        size += max(end, 0)
        _require_size(size)
        name = None if end < 0 else _field_name(part[:end])
        if name is not None:
            content = part[end + len(_END_OF_HEAD) :]
            size += len(content)
            _require_size(size)
            found.append((name, content.decode("utf-8", "replace")))
    return found


def _field_name(head: bytes) -> str | None:
    """Return the name of a part; None of a file, and where its header has none that can be read."""
    unfolded = head.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    for line in unfolded.split(b"\r\n"):
        key, _, value = line.partition(b":")
        if key.strip().lower() != b"content-disposition":
            continue
        kind, mark, rest = value.partition(b";")
        if kind.strip().lower() != b"form-data":
            return None
        found, is_whole = _parameters(mark + rest)
        is_file = not is_whole or any(parameter.startswith("filename") for parameter in found)
        return None if is_file or "name" not in found else found["name"].decode("utf-8", "replace")
    return None


def _parameters(text: bytes) -> tuple[dict[str, bytes], bool]:
    """Return the parameters of a header, the first value of each, and whether all of it could be read."""
    found: dict[str, bytes] = {}
    at = 0
    while (match := _PARAMETER.match(text, at)) is not None:
        at = match.end()
        quoted, plain = match[2], match[3]
        value = plain.strip() if quoted is None else _ESCAPED.sub(rb"\1", quoted)
        found.setdefault(match[1].decode("ascii").lower(), value)
    return found, not text[at:].strip(b"; \t")


def _require_size(size: int) -> None:
    if size > MAX_FORM_BYTES:
        raise RequestTooLargeError(f"the fields of a form have at most {MAX_FORM_BYTES} bytes")


def _too_many_fields() -> RequestTooLargeError:
    return RequestTooLargeError(f"a form has at most {MAX_FIELDS} fields")
