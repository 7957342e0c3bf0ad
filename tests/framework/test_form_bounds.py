"""Forms that anybody may send before there is a session: bounded, and read in time linear in their length."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest

from supertokens_py.exceptions import BadInputError, RequestTooLargeError
from supertokens_py.framework.forms import (
    MAX_CONTENT_TYPE,
    MAX_FIELDS,
    MAX_FORM_BYTES,
    MAX_PART_HEAD,
    form_fields,
)
from supertokens_py.recipe import thirdparty
from supertokens_py.recipe.session import PageSettings
from tests.recipe.thirdparty.site.conftest import Account, shop

from .site import EVERY_ADAPTER, Site
from .test_pages import NAVIGATES

KIND = "multipart/form-data; boundary=b"
LEAD = b'form-data; x="'
#: What a parser that tries again at each place takes longest for; each starts inside of a quoted parameter.
FILLS = (b";", b"\\", b";a=b", b" ", b"\t=", b'";a="', b"a:\r\n", b";filename*0=a", b"\\\\;")


def part(disposition: bytes, content: bytes = b"v") -> bytes:
    return b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + content + b"\r\n"


END = b"--b--"


def read_in_time(body: bytes, content_type: str | None, seconds: float = 0.25) -> dict[str, Any]:
    """Return the fields, which must take no more CPU: some 30 ms are usual, and quadratic is minutes."""
    start = process_time()
    fields = form_fields(body, content_type)
    assert process_time() - start < seconds
    return fields


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("end", [b"", b'"'])
def test_the_longest_headers_of_parts_are_read_in_time(fill: bytes, end: bytes) -> None:
    """As many as one form may have, each as long as it may be."""
    longest = LEAD + fill * ((MAX_PART_HEAD - 60) // len(fill)) + end
    number = MAX_FORM_BYTES // (len(longest) + 60)
    assert number > 25
    read_in_time(part(longest) * number + END, KIND)


@pytest.mark.parametrize("fill", FILLS)
def test_a_longer_header_of_a_part_is_refused_unread(fill: bytes) -> None:
    long = part(LEAD + fill * 60_000)
    start = process_time()
    with pytest.raises(
        RequestTooLargeError, match=r"^the header of a part of a form has at most 2048 bytes$"
    ):
        form_fields(long, KIND)
    assert process_time() - start < 0.25


def test_a_header_of_just_the_most_bytes_is_read() -> None:
    """Counted from after the boundary to the empty line."""
    known = len(b"\r\nContent-Disposition: form-data; name=")
    name = b"n" * (MAX_PART_HEAD - known)
    assert form_fields(part(b"form-data; name=" + name) + END, KIND) == {name.decode(): "v"}
    with pytest.raises(RequestTooLargeError):
        form_fields(part(b"form-data; name=n" + name), KIND)


def test_the_content_type_is_bounded() -> None:
    """A boundary has 70 characters at most."""
    body = part(b"form-data; name=a") + END
    lead = 'multipart/form-data; boundary=b; x="'
    assert form_fields(body, f'{lead}{";" * (MAX_CONTENT_TYPE - len(lead) - 1)}"') == {"a": "v"}
    for fill in (";", "\\", ";a=b"):
        with pytest.raises(BadInputError, match=r"^the Content-Type of a form has at most 256 characters$"):
            form_fields(body, lead + fill * 60_000)


@pytest.mark.parametrize("kind", [KIND, None])
def test_the_number_of_fields_is_bounded(kind: str | None) -> None:
    """Empty ones and files count as well."""
    field = b"a=1&" if kind is None else b"--b\r\n\r\n\r\n"
    end = b"" if kind is None else END
    read_in_time(field * (MAX_FIELDS - 1) + end, kind)
    with pytest.raises(RequestTooLargeError, match=r"^a form has at most 1000 fields$"):
        form_fields(field * (MAX_FIELDS + 1) + end, kind)


def test_the_bytes_of_the_fields_are_bounded() -> None:
    """Those of an urlencoded form are all of it; of a multipart form the headers count as well."""
    head = len(b"\r\nContent-Disposition: form-data; name=a")
    longest = b"x" * (MAX_FORM_BYTES - head)
    assert read_in_time(part(b"form-data; name=a", longest) + END, KIND) == {"a": longest.decode()}
    assert read_in_time(b"a=" + b"%" * (MAX_FORM_BYTES - 2), None) == {"a": "%" * (MAX_FORM_BYTES - 2)}
    for body, kind in (
        (part(b"form-data; name=a", longest + b"x") + END, KIND),
        (b"a=" + b"x" * (MAX_FORM_BYTES - 1), None),
    ):
        with pytest.raises(RequestTooLargeError, match=r"^the fields of a form have at most 65536 bytes$"):
            form_fields(body, kind)


def test_a_file_may_be_as_long_as_the_framework_takes_it() -> None:
    """An override asks for a field of the application's own form: the SDK reads no file."""
    file = part(b'form-data; name="f"; filename="f.bin"', b"x" * 1_000_000)
    assert form_fields(part(b'form-data; name="a"') + file + END, KIND) == {"a": "v"}


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (b'form-data; name="a"', {"a": "v"}),
        (b"form-data; name=a", {"a": "v"}),
        (b"Form-Data ; NAME = a ;", {"a": "v"}),
        (b'form-data;\r\n name="a"', {"a": "v"}),
        (b'form-data; name="a;b=c"', {"a;b=c": "v"}),
        (rb'form-data; name="a\"b\\"', {'a"b\\': "v"}),
        ('form-data; name="größe"'.encode(), {"größe": "v"}),
        (b'form-data; name="a"; name="b"', {"a": "v"}),
        (b'form-data; name=""', {"": "v"}),
        (b'form-data; name="a"; filename=""', {}),
        (b'form-data; filename="C:\\x\\"; name="a"', {}),
        (b'form-data; name="a"; filename="C:\\x\\"', {}),
        (b"form-data; name=a; filename*=utf-8''x", {}),
        (b'form-data; name="a', {}),
        (b'form-data; name=a"b', {}),
        (b"form-data", {}),
        (b"attachment; name=a", {}),
    ],
)
def test_the_name_of_a_part(disposition: bytes, expected: dict[str, str]) -> None:
    """Files are left out, and what cannot be read."""
    assert form_fields(part(disposition) + END, KIND) == expected


@pytest.mark.parametrize(
    "content_type",
    ['multipart/form-data; boundary="b"', "Multipart/Form-Data;charset=utf-8;BOUNDARY=b", f"{KIND} ; x"],
)
def test_the_boundary_is_found(content_type: str) -> None:
    assert form_fields(b"preamble\r\n" + part(b"form-data; name=a") + END, content_type) == {"a": "v"}


@EVERY_ADAPTER
def test_routes_refuse_forms_that_would_keep_them_busy(bare_site: Site) -> None:
    """Nobody has to be signed in: Apple's callback, and the sign-out of pages."""
    recipes = [thirdparty.init(thirdparty.SignInAndUpFeature([shop(Account())]))]
    site = bare_site.init(recipes=recipes, pages=PageSettings(login_path="/login"))
    own_parser = site.driver == "tornado"  # which reads them first, and refuses some by itself
    semicolons = part(LEAD + b";" * 60_000)
    start = process_time()
    for path, more in (("/auth/callback/apple", []), ("/auth/signout", NAVIGATES)):
        for body, kind, status in (
            (semicolons, KIND, 413),
            (b"--b\r\n" * 20_000, KIND, 413),
            (b"a=1&" * 20_000, "application/x-www-form-urlencoded", 413),
            (b"", 'multipart/form-data; x="' + ";" * 5_000, 400),
        ):
            reply = site.post(path, [*more, ("content-type", kind)], body=body)
            if own_parser:
                assert reply.status < 500
                continue
            assert (reply.status, list(reply.json)) == (status, ["message"]), (path, body[:60], kind[:60])
    assert process_time() - start < 5
