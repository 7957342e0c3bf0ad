"""How much of a body the SDK's own routes read: anybody may send one, before there is any session."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from io import SEEK_END, BytesIO
from typing import Any, Protocol

from supertokens_py.exceptions import RequestTooLargeError
from supertokens_py.types.numbers import whole_number


class Bounded(Protocol):
    """What is asked of a request here."""

    max_body: int | None

    def get_header(self, key: str) -> str | None:
        """Return a header's value."""

    async def body(self) -> bytes:
        """Return the whole body."""
        ...


def limit_body(request: Bounded, limit: int) -> None:
    """Have at most `limit` bytes of a request's body read from now on.

    Raises:
        RequestTooLargeError: its Content-Length says that there are more.
    """
    request.max_body = limit
    _require(whole_number(request.get_header("content-length") or "") or 0, limit)


@contextmanager
def limited_body(request: Bounded, limit: int) -> Generator[None]:
    """Do the same inside the `with` block; behind it the rules of the application count.

    Raises:
        RequestTooLargeError: as `limit_body`.
    """
    limit_body(request, limit)
    try:
        yield
    finally:
        request.max_body = None


async def read_body(request: Bounded) -> bytes:
    """Return the body of a request, however its adapter reads it.

    Raises:
        RequestTooLargeError: there is more than `limit_body` allows.
    """
    # No variable is the bytes themselves: there may be a password in them, and error trackers read every one.
    received = BytesIO(await request.body())
    _require(received.seek(0, SEEK_END), request.max_body)
    return received.getvalue()


async def asgi_chunks(receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> AsyncGenerator[bytes]:
    """Return the body that an ASGI server sends in messages, as it comes in."""
    more = True
    while more:
        message = await receive()
        chunk, more = BytesIO(message.get("body", b"")), message.get("more_body", False)
        del message  # as in `read_body`
        yield chunk.getvalue()


async def gather(chunks: AsyncIterable[bytes], limit: int | None) -> bytes:
    """Return what comes in chunks, for adapters that read so; what is beyond `limit` is not waited for.

    Raises:
        RequestTooLargeError: there is more.
    """
    received = BytesIO()
    async for chunk in chunks:
        received.write(chunk)
        del chunk  # as in `read_body`
        _require(received.tell(), limit)
    return received.getvalue()


def _require(size: int, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise RequestTooLargeError(f"the request body is larger than {limit} bytes")
