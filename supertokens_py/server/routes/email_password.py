"""E-mail and password: sign-up, sign-in, reset tokens, changes.

The rules of cores hold, which are fewer than the recipe's: any password is kept, and a new one ends no
session.
"""

from __future__ import annotations

from supertokens_py.cdi.users import (
    RETRY_AFTER,
    consumed_to_wire,
    email_password_method,
    signed_in_to_wire,
    user_to_wire,
)
from supertokens_py.engine import validation
from supertokens_py.engine.interface import EmailPassword
from supertokens_py.engine.user_records import (
    EMAIL_PASSWORD,
    EmailChangeNotAllowed,
    EmailTaken,
    ProofExpired,
    UnknownUser,
)
from supertokens_py.exceptions import TooManyAttemptsError
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import AccountInfo, LoginMethod, User

from ..endpoint_request import EndpointRequest, Refused
from ..routing import Endpoint, Scope
from ..schemas import FLAG, INTEGER, TEXT, UNKNOWN_USER, USER, Shape, by_status
from .users import NO_USERS

_TAKEN: JSONObject = {"status": "EMAIL_ALREADY_EXISTS_ERROR"}
_UNKNOWN_USER: JSONObject = {"status": "UNKNOWN_USER_ID_ERROR"}
_UNKNOWN_EMAIL: JSONObject = {"status": "UNKNOWN_EMAIL_ERROR"}
_WRONG: JSONObject = {"status": "WRONG_CREDENTIALS_ERROR"}
_INVALID_TOKEN: JSONObject = {"status": "RESET_PASSWORD_INVALID_TOKEN_ERROR"}


async def _sign_up(request: EndpointRequest) -> JSONObject:
    email, password = request.text("email"), request.secret("password")
    if not password:
        raise Refused(400, "Password cannot be an empty string")
    store = _store(request)
    made = await request.ask_in_turn(store.most_waiting, store.sign_up, request.tenant_id, email, password)
    return _TAKEN if isinstance(made, EmailTaken) else _signed_in(made, email, request)


async def _sign_in(request: EndpointRequest) -> JSONObject:
    email, password = request.text("email"), request.secret("password")
    store = _store(request)
    try:
        user = await request.ask_in_turn(store.most_waiting, store.verify, request.tenant_id, email, password)
    except TooManyAttemptsError as error:
        return {**_WRONG, RETRY_AFTER: error.retry_after_ms}
    return _WRONG if user is None else _signed_in(user, email, request)


def _signed_in(user: User, email: str, request: EndpointRequest) -> JSONObject:
    method = email_password_method(user, email) or user.login_methods[0]
    return signed_in_to_wire(user, method, request.version)


async def _create_token(request: EndpointRequest) -> JSONObject:
    user_id = request.text("userId")
    email = request.text("email") if request.version.knows_recipe_users else None
    token = await request.ask(_store(request).create_reset_token, request.tenant_id, user_id, email)
    return _UNKNOWN_USER if token is None else {"status": "OK", "token": token}


async def _consume_token(request: EndpointRequest) -> JSONObject:
    token = request.secret("token")
    used = await request.ask(_store(request).consume_reset_token, request.tenant_id, token)
    return _INVALID_TOKEN if used is None else consumed_to_wire(used)


async def _reset(request: EndpointRequest) -> JSONObject:
    method, token, password = request.text("method"), request.secret("token"), request.secret("newPassword")
    if method != "token":
        raise Refused(400, "Unsupported method for password reset")
    validation.validate_password(password)  # one that cannot be kept uses up no token
    store = _store(request)
    used = await request.ask(store.consume_reset_token, request.tenant_id, token)
    if used is None:
        return _INVALID_TOKEN
    result = await request.ask_at_length(
        store.update, used.user_id, email=None, password=password, revoke_sessions=False, link=used
    )
    return {"status": "OK", "userId": used.user_id} if result is None else _INVALID_TOKEN


async def update_user(request: EndpointRequest) -> JSONObject:
    """Change address or password of a user of this recipe."""
    user_id = request.text("recipeUserId" if request.version.knows_recipe_users else "userId")
    email = request.optional_text("email")
    password = request.secret("password") if "password" in request.body else None
    result = await request.ask_at_length(
        _store(request).update, user_id, email=email, password=password, revoke_sessions=False
    )
    match result:
        case UnknownUser():
            return _UNKNOWN_USER
        case EmailTaken():
            return _TAKEN
        case EmailChangeNotAllowed(reason):
            return {"status": "EMAIL_CHANGE_NOT_ALLOWED_ERROR", "reason": reason}
        case ProofExpired() | None:  # no proof was given
            return {"status": "OK"}


async def _import(request: EndpointRequest) -> JSONObject:
    email, stored = request.text("email"), request.secret("passwordHash")
    algorithm = request.optional_text("hashingAlgorithm")
    _store(request)
    if algorithm is not None and not stored.startswith(_beginning_of(algorithm)):
        raise Refused(400, "Password hash is in invalid format")
    done = await request.ask(request.engine.hash_import.put, request.tenant_id, email, stored)
    method = email_password_method(done.user, email) or done.user.login_methods[0]
    user = user_to_wire(done.user, method, request.version)
    return {"status": "OK", "user": user, "didUserAlreadyExist": done.existed}


def _beginning_of(algorithm: str) -> str:
    """Return how the hashes of an algorithm begin."""
    match algorithm.upper():
        case "ARGON2":
            return "$argon2"
        case "BCRYPT":
            return "$2"
        case "FIREBASE_SCRYPT":
            return "$f_scrypt$"
        case _:
            raise Refused(400, "Unsupported password hashing algorithm")


async def find_user(request: EndpointRequest) -> JSONObject:
    """Answer who has an id or an address, among the users of this recipe."""
    user_id, email = request.optional_param("userId"), request.optional_param("email")
    if (user_id is None) == (email is None):
        raise Refused(400, "Please provide exactly one of userId or email")
    if user_id is not None:
        request.only_for_app()
        user = await request.ask(request.engine.users.find, user_id) if request.engine.keeps_users else None
        method = None if user is None else _method_with_id(user, user_id)
    else:
        user = await _with_email(request, str(email))
        method = None if user is None else email_password_method(user, email)
    if user is None or method is None:
        return _UNKNOWN_EMAIL if user_id is None else _UNKNOWN_USER
    return {"status": "OK", "user": user_to_wire(user, method, request.version)}


def _method_with_id(user: User, user_id: str) -> LoginMethod | None:
    methods = [method for method in user.login_methods if method.recipe_id == EMAIL_PASSWORD]
    own = [method for method in methods if method.recipe_user_id == user_id]
    return next(iter(own or methods), None)


async def _with_email(request: EndpointRequest, email: str) -> User | None:
    if not request.engine.keeps_users:
        return None
    asked = AccountInfo(email=email)
    found = await request.ask(request.engine.users.by_account_info, request.tenant_id, asked)
    return next((user for user in found if email_password_method(user, email)), None)


def _store(request: EndpointRequest) -> EmailPassword:
    if not request.engine.keeps_users:
        raise Refused(403, NO_USERS)
    return request.engine.email_password


_WHO: Shape = {"email": TEXT, "password": TEXT}
_SIGNED_IN: Shape = {"user": USER, "recipeUserId?": TEXT}
_EXISTS: dict[str, Shape] = {"EMAIL_ALREADY_EXISTS_ERROR": {}}
_INVALID: dict[str, Shape] = {"RESET_PASSWORD_INVALID_TOKEN_ERROR": {}}
_TOKENS = "/recipe/user/password/reset/token"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/recipe/signup",
        Scope.TENANT,
        _sign_up,
        body=_WHO,
        answer=by_status({"OK": _SIGNED_IN, **_EXISTS}),
    ),
    Endpoint(
        "POST",
        "/recipe/signin",
        Scope.TENANT,
        _sign_in,
        body=_WHO,
        answer=by_status({"OK": _SIGNED_IN, "WRONG_CREDENTIALS_ERROR": {f"{RETRY_AFTER}?": INTEGER}}),
    ),
    Endpoint(
        "POST",
        _TOKENS,
        Scope.TENANT,
        _create_token,
        body={"userId": TEXT, "email": TEXT},
        answer=by_status({"OK": {"token": TEXT}, **UNKNOWN_USER}),
    ),
    Endpoint(
        "POST",
        f"{_TOKENS}/consume",
        Scope.TENANT,
        _consume_token,
        body={"token": TEXT},
        answer=by_status({"OK": {"userId": TEXT, "email": TEXT}, **_INVALID}),
    ),
    Endpoint(
        "POST",
        "/recipe/user/password/reset",
        Scope.TENANT,
        _reset,
        body={"method": TEXT, "token": TEXT, "newPassword": TEXT},
        answer=by_status({"OK": {"userId": TEXT}, **_INVALID}),
    ),
    Endpoint(
        "POST",
        "/recipe/user/passwordhash/import",
        Scope.TENANT,
        _import,
        body={"email": TEXT, "passwordHash": TEXT, "hashingAlgorithm?": TEXT},
        answer=by_status({"OK": {"user": USER, "didUserAlreadyExist": FLAG}}),
    ),
)
