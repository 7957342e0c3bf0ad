"""What forged tokens leave behind in a process, and how large the memory of verified tokens grows."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from apps import sdk
from support import tokens


def resident_mb() -> float:
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def forgeries(good: str, kind: str) -> Iterator[str]:
    """Yield distinct tokens, none of them ours."""
    _, body, signature = good.split(".")
    for number in itertools.count():
        if kind == "signature":
            yield tokens.damaged(good)
        elif kind == "payload":
            yield tokens.altered(good, sub=f"intruder-{number}")
        elif kind == "key id":
            fields = tokens.header_of(good) | {"kid": f"d-{number}"}
            yield f"{tokens.base64url(json.dumps(fields).encode())}.{body}.{signature}"
        else:
            yield f"{tokens.base64url(str(number).encode())}.{body}.{number}"


def forged(package: str, core: str, count: int) -> dict[str, float]:
    """Show the SDK `count` forged tokens; return memory before and after, and how often it loaded keys."""
    sdk.start(package, "flask", uri=core if package == sdk.THEIRS else "sqlite://")
    twin = sdk.module(package, "recipe.session.syncio")
    error = sdk.module(package, "recipe.session.exceptions").SuperTokensSessionError
    session = twin.create_new_session_without_request_response("public", sdk.user(package), {})
    good = session.get_all_session_tokens_dangerously()["accessToken"]
    loads = _count_key_loads(package)

    def show(texts: Iterable[str]) -> None:
        for text in texts:
            with contextlib.suppress(error):
                twin.get_session_without_request_response(text)
                raise AssertionError("accepted a forged token")

    kinds = [forgeries(good, kind) for kind in ("signature", "payload", "key id", "garbage")]
    show(itertools.chain.from_iterable(itertools.islice(kind, 500) for kind in kinds))  # warm up
    before, loaded, begin = resident_mb(), loads(), time.monotonic()
    for kind in kinds:
        show(itertools.islice(kind, count // len(kinds)))
    seconds = time.monotonic() - begin
    return {
        "before": before,
        "grown": resident_mb() - before,
        "key loads": loads() - loaded,
        "seconds": seconds,
    }


def _count_key_loads(package: str) -> Callable[[], int]:
    """Count, from outside, the statements that read signing keys, or the requests for a JWKS."""
    counted = 0
    if package == sdk.OURS:
        import sqlalchemy

        def statement(connection: Any, cursor: Any, sql: str, *_: Any) -> None:
            nonlocal counted
            counted += (
                sql.lstrip().upper().startswith("SELECT") and "session_access_token_signing_keys" in sql
            )

        sqlalchemy.event.listen(sqlalchemy.Engine, "before_cursor_execute", statement)
    else:

        def connection(event: str, arguments: Any) -> None:
            nonlocal counted
            counted += event == "socket.connect"

        sys.addaudithook(connection)

    return lambda: counted


def bound(size: int) -> dict[str, float]:
    """Fill the memory of verified tokens once, twice and three times over; return the growth."""
    from supertokens_py.engine.records import KeySet
    from supertokens_py.tokens.signatures import RsaVerificationKey

    try:
        from supertokens_py.recipe.session.verification.verifier import VerifiedTokens
    except ImportError:  # an earlier commit, to compare with
        from supertokens_py.recipe.session.verifier import VerifiedTokens

    key, now_ms = tokens.new_key(), int(time.time() * 1000)
    keys = KeySet({"d-1": RsaVerificationKey("d-1", key.public_key())}, now_ms)
    memory = VerifiedTokens(size)

    def show(count: int) -> float:
        for _ in range(count):
            token = memory.read(tokens.mint(key, tokens.payload(), kid="d-1"))
            assert token
            memory.check(token, keys, now_ms=now_ms, dynamic_key=True)
        return resident_mb()

    show(64)
    start = resident_mb()
    return {f"{times} x": show(size) - start for times in (1, 2, 3)}


if __name__ == "__main__":
    which, *arguments = sys.argv[1:]
    found = bound(int(arguments[0])) if which == "bound" else forged(which, arguments[0], int(arguments[1]))
    print(json.dumps(found))
