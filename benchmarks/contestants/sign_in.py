"""Sign-in with e-mail address and password: ours, what it cannot do without, fastapi-users, Django."""

from __future__ import annotations

import io
import itertools
import json
import sys
from typing import Any

from apps import sign_in
from apps.sign_in import ADDRESS, PASSWORD

OURS, BY_HAND = "ours: POST /auth/signin", "one hash + one session"
OURS_BY_OPENSSL, BY_HAND_BY_OPENSSL = f"{OURS}, without [argon2]", f"{BY_HAND}, without [argon2]"
FASTAPI_USERS, DJANGO = "fastapi-users: authenticate + JWT", "django: authenticate()"
#: The parameters of everybody's hashes; ours by default.
MEMORY_KB, ITERATIONS, LANES = 87_795, 1, 2


def _start(uri: str) -> Any:
    """Start an app without limits, in process, and return what sends it a form."""
    sign_in.start(uri)
    from supertokens_py.framework.wsgi import SuperTokensMiddleware

    def nothing(*_: Any) -> Any:
        raise AssertionError("the route was not found")

    app = SuperTokensMiddleware(nothing)

    def send(path: str, **fields: str) -> Any:
        body = json.dumps(sign_in.form(**fields)).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": f"/auth{path}",
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
        }
        return json.loads(b"".join(app(environ, lambda *_: None)))

    assert send("/signup", email=ADDRESS, password=PASSWORD)["status"] == "OK"
    return send


def enumeration_cases(uri: str, question: str) -> dict[str, Any]:
    """Wrong guesses, or requests for a reset: for an address with an account, and for others."""
    from supertokens_py.recipe.emailpassword import api

    send, numbers = _start(uri), itertools.count(256)

    def case(make_address: Any) -> Any:
        def prepare(n: int) -> Any:
            assert api.DEFERRED_WORK.wait(60)  # what earlier requests have left

            def run() -> None:
                for _ in range(n):
                    address = make_address()
                    if question == "sign-in":
                        send("/signin", email=address, password="a wrong one 1")
                    else:
                        send("/user/password/reset/token", email=address)

            return run

        return prepare

    return {"known": case(lambda: ADDRESS), "unknown": case(lambda: f"{next(numbers):03x}@example.com")}


def our_cases(uri: str) -> dict[str, Any]:
    """The whole request, and by hand one hash of argon2-cffi and one session."""
    import os

    send = _start(uri)
    from supertokens_py.engine.embedded.signin.argon2_hashes import Argon2Parameters, argon2
    from supertokens_py.recipe.session.syncio import create_new_session_without_request_response

    parameters = Argon2Parameters("argon2id", MEMORY_KB, ITERATIONS, LANES)

    def hash_once() -> None:
        argon2(PASSWORD.encode(), os.urandom(16), parameters, 32)

    def ours(n: int) -> Any:
        def run() -> None:
            for _ in range(n):
                assert send("/signin", email=ADDRESS, password=PASSWORD)["status"] == "OK"

        return run

    def by_hand(n: int) -> Any:
        def run() -> None:
            for _ in range(n):
                hash_once()
                create_new_session_without_request_response("public", "ada")

        return run

    return {OURS: ours, BY_HAND: by_hand}


def our_cases_by_openssl(uri: str) -> dict[str, Any]:
    """The same without the extra `[argon2]`: OpenSSL computes the hashes."""
    sys.modules["argon2.low_level"] = None  # type: ignore[assignment]
    cases = our_cases(uri)
    return {OURS_BY_OPENSSL: cases[OURS], BY_HAND_BY_OPENSSL: cases[BY_HAND]}


def fastapi_users_cases() -> dict[str, Any]:
    """`UserManager.authenticate` and the token that a log-in answers with."""
    from types import SimpleNamespace

    from fastapi.security import OAuth2PasswordRequestForm
    from fastapi_users import BaseUserManager
    from fastapi_users.authentication import JWTStrategy
    from fastapi_users.password import PasswordHelper
    from pwdlib import PasswordHash
    from pwdlib.hashers.argon2 import Argon2Hasher

    hasher = Argon2Hasher(time_cost=ITERATIONS, memory_cost=MEMORY_KB, parallelism=LANES)
    helper = PasswordHelper(PasswordHash((hasher,)))
    user = SimpleNamespace(id="ada", email=ADDRESS, hashed_password=helper.hash(PASSWORD), is_active=True)

    class Users:
        async def get_by_email(self, email: str) -> Any:
            return user if email == ADDRESS else None

    manager: Any = BaseUserManager(Users(), helper)  # type: ignore[arg-type]
    strategy: Any = JWTStrategy(secret="a secret of thirty-two characters", lifetime_seconds=3600)

    def case(n: int) -> Any:
        async def run() -> None:
            for _ in range(n):
                form = OAuth2PasswordRequestForm(username=ADDRESS, password=PASSWORD)
                found = await manager.authenticate(form)
                assert found is user
                await strategy.write_token(found)

        return run

    return {FASTAPI_USERS: case}


def django_cases() -> dict[str, Any]:
    """`authenticate()` of django.contrib.auth."""
    import django
    from django.conf import settings
    from django.contrib.auth.hashers import Argon2PasswordHasher

    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        PASSWORD_HASHERS=[f"{__name__}.DjangoHasher"],
        SECRET_KEY="x" * 50,
    )

    class DjangoHasher(Argon2PasswordHasher):
        memory_cost, time_cost, parallelism = MEMORY_KB, ITERATIONS, LANES

    globals()["DjangoHasher"] = DjangoHasher
    django.setup()
    from django.contrib.auth import authenticate, get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user(ADDRESS, ADDRESS, PASSWORD)

    def case(n: int) -> Any:
        def run() -> None:
            for _ in range(n):
                assert authenticate(username=ADDRESS, password=PASSWORD) is not None

        return run

    return {DJANGO: case}
