"""Instant revocation: one verification with and without it, and a process that waits for a refusal.

    python -m contestants.revocations URI [LISTEN_URI]

For each token on a line of its input the process says that it has accepted it, then when it first refused it,
in seconds of the clock that all processes of a machine share.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from support import tokens


def start(uri: str, listen_uri: str | None = None) -> Any:
    """Call `init` with the feature on, and return the application."""
    from supertokens_py import EngineConfig, InputAppInfo, Supertokens, SupertokensConfig, init
    from supertokens_py.recipe import session

    engine = EngineConfig(listen_uri=listen_uri, clean_up_interval=0)
    init(
        InputAppInfo("benchmark", "http://localhost:8000", website_domain="http://localhost:3000"),
        supertokens_config=SupertokensConfig(uri, engine=engine),
        recipe_list=[session.init(instant_revocation=True)],
    )
    return Supertokens.get_instance()


def verify_cases() -> dict[str, Any]:
    """Verify known tokens by either verifier, in one process: two processes differ by more than that."""
    from supertokens_py.recipe.session import SessionRecipe
    from supertokens_py.recipe.session.syncio import create_new_session_without_request_response

    try:
        from supertokens_py.recipe.session.verification.verifier import Verifier
    except ImportError:  # an earlier commit, to compare with
        from supertokens_py.recipe.session.verifier import Verifier

    app = start("sqlite://")
    watched = app.recipe(SessionRecipe).verifier
    plain = object.__new__(Verifier)
    vars(plain).update(vars(watched))
    made = [create_new_session_without_request_response("public", f"user-{n}") for n in range(256)]
    texts = [one.get_access_token() for one in made]
    read = {text: watched.read(text) for text in texts}

    def by(session_of: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[[str], None]:
        def verify(text: str) -> None:
            try:
                session_of(read[text], None, None, False, False).send(None)
            except StopIteration:
                return
            raise AssertionError("verifying a known token waits for nothing")

        return verify

    for text in texts:
        by(watched.session_of)(text)
        by(plain.session_of)(text)
    return {
        "ours: a known token": tokens.repeated(by(plain.session_of), texts),
        "ours: a known token, instant_revocation": tokens.repeated(by(watched.session_of), texts),
    }


def main() -> None:
    from supertokens_py.recipe.session.exceptions import UnauthorisedError
    from supertokens_py.recipe.session.syncio import get_session_without_request_response

    start(*sys.argv[1:])
    for line in sys.stdin:
        token = line.strip()
        get_session_without_request_response(token)
        print("accepted", flush=True)
        try:
            while True:
                get_session_without_request_response(token)
                time.sleep(0.0002)
        except UnauthorisedError:
            print(time.monotonic(), flush=True)


if __name__ == "__main__":
    main()
