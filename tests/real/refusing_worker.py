"""A process that accepts access tokens until their sessions are revoked elsewhere.

    python -m tests.real.refusing_worker URI [LISTEN_URI]

For each token on a line of its input it says that it has accepted it, then the code of its refusal.
"""

from __future__ import annotations

import sys
import time

from supertokens_py import EngineConfig, InputAppInfo, SupertokensConfig, init
from supertokens_py.recipe import session
from supertokens_py.recipe.session.exceptions import SuperTokensSessionError
from supertokens_py.recipe.session.syncio import get_session_without_request_response


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    uri, *direct = sys.argv[1:]
    engine = EngineConfig(listen_uri=direct[0] if direct else None, clean_up_interval=0)
    init(
        InputAppInfo("Test", "https://api.example.com", website_domain="https://example.com"),
        supertokens_config=SupertokensConfig(uri, engine=engine),
        recipe_list=[session.init(instant_revocation=True)],
    )
    for token in sys.stdin:
        get_session_without_request_response(token.strip())
        say("accepted")
        try:
            while True:
                get_session_without_request_response(token.strip())
                time.sleep(0.001)
        except SuperTokensSessionError as error:
            say(str(error.code))


if __name__ == "__main__":
    main()
