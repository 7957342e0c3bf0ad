"""Users with an e-mail address and a password, kept by a core, which computes the hashes."""

from __future__ import annotations

from supertokens_py.cdi.records import member, optional_member
from supertokens_py.cdi.users import RETRY_AFTER, consumed_from_wire, email_password_method, user_from_wire
from supertokens_py.engine import validation
from supertokens_py.engine.records import (
    EMAIL_PASSWORD,
    Authenticated,
    ConsumedToken,
    EmailChangeNotAllowed,
    EmailTaken,
    ImportedHash,
    PasswordProof,
    UnknownTenantError,
    UnknownUser,
)
from supertokens_py.events import (
    EmailChanged,
    PasswordChanged,
    PasswordResetRequested,
    SignInFailed,
    SignInRefused,
    UserSignedUp,
    emit,
)
from supertokens_py.exceptions import BadInputError, TooManyAttemptsError
from supertokens_py.secret import hidden
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import User, normalised_email

from .core import Core, ok, tenant_path, unexpected
from .sessions import RemoteSessions
from .users import RemoteUsers

_TOKENS = "/recipe/user/password/reset/token"


class RemoteEmailPassword:
    """`EmailPassword` over a core."""

    def __init__(self, core: Core, users: RemoteUsers, sessions: RemoteSessions) -> None:
        self._core = core
        self._users = users
        self._sessions = sessions

    def sign_up(self, tenant_id: str, email: str, password: str) -> User | EmailTaken:
        validation.validate_password(password)
        body: JSONObject = {"email": validation.stored_email(email), "password": hidden(password)}
        answer = self._post(tenant_id, "/recipe/signup", body)
        if answer.get("status") == "EMAIL_ALREADY_EXISTS_ERROR":
            return EmailTaken()
        user = user_from_wire(ok(answer).get("user"))
        tenant = validation.normalise_tenant_id(tenant_id)
        emit(UserSignedUp(user_id=user.id, tenant_id=tenant, recipe_id=EMAIL_PASSWORD))
        return user

    def verify(self, tenant_id: str, email: str, password: str) -> User | None:
        found = self.authenticate(tenant_id, email, password)
        return None if found is None else found.user

    def authenticate(self, tenant_id: str, email: str, password: str) -> Authenticated | None:
        """Return the user whose address and password these are.

        An official core counts no wrong passwords; `supertokens serve` does.

        Raises:
            TooManyAttemptsError: it says so.
        """
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        known = validation.is_storable(address) and validation.password_bytes(password) is not None
        try:
            body: JSONObject = {"email": address, "password": hidden(password)}
            answer = self._post(tenant, "/recipe/signin", body) if known else {"status": _WRONG}
        except UnknownTenantError:
            answer = {"status": _WRONG}
        if answer.get("status") != _WRONG:
            user = user_from_wire(ok(answer).get("user"))
            return Authenticated(user, PasswordProof(user.id))
        left_ms = optional_member(answer, RETRY_AFTER, int)
        if left_ms is not None:
            emit(SignInRefused(tenant_id=tenant, recipe_id=EMAIL_PASSWORD, retry_after_ms=left_ms))
            raise TooManyAttemptsError(left_ms)
        emit(SignInFailed(user_id=None, tenant_id=tenant, recipe_id=EMAIL_PASSWORD))
        return None

    def is_current(self, proof: PasswordProof) -> bool:
        """Return whether the user is still there: a core does not say whether the password was changed."""
        return self._users.find(proof.user_id) is not None

    def may_send_reset(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Return True: a core counts no e-mails, and an application has nowhere else to."""
        return True

    def reset_not_sent(self, tenant_id: str, email: str) -> None:
        """Do nothing: nothing was counted."""

    def create_reset_token(self, tenant_id: str, user_id: str, email: str | None) -> str | None:
        """Return a token that sets a new password once; None where there is no such user in the tenant.

        A core makes one for any address. Whoever reads the mail of an address that is not the user's, also a
        former one, gets none here.
        """
        tenant = validation.normalise_tenant_id(tenant_id)
        address = None if email is None else validation.stored_email(email)
        user = self._users.find(user_id)
        own = None if user is None else email_password_method(user, address, tenant)
        if own is None or own.email is None or address not in (None, own.email):
            tenant_path(tenant)  # an impossible one is an error for nobody, too
            return None
        body: JSONObject = {"userId": str(own.recipe_user_id), "email": own.email}
        answer = self._post(tenant, _TOKENS, body)
        if answer.get("status") == "UNKNOWN_USER_ID_ERROR":
            return None
        token = member(ok(answer), "token", str)
        emit(PasswordResetRequested(user_id=str(own.recipe_user_id), tenant_id=tenant))
        return token

    def consume_reset_token(self, tenant_id: str, token: str) -> ConsumedToken | None:
        """Use up a token; None where it was no valid one, or its user is not in the tenant.

        An official core asks nothing of the tenant: there, a token of another tenant's user is used up, too.
        """
        if not validation.is_storable(token):
            return None
        try:
            answer = self._post(tenant_id, f"{_TOKENS}/consume", {"token": hidden(token)})
        except UnknownTenantError:
            return None
        if answer.get("status") == "RESET_PASSWORD_INVALID_TOKEN_ERROR":
            return None
        used = consumed_from_wire(ok(answer))
        user, tenant = self._users.find(used.user_id), validation.normalise_tenant_id(tenant_id)
        own = None if user is None else email_password_method(user, used.email, tenant)
        return None if own is None else used

    def update(
        self, user_id: str, *, email: str | None, password: str | None, revoke_sessions: bool
    ) -> UnknownUser | EmailTaken | EmailChangeNotAllowed | None:
        """Change what is given, then end sessions where that is wanted: a core takes two calls for it."""
        body = _change(email, password)
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        body["recipeUserId"] = user_id
        answer = self._core.put("/recipe/user", body, rid=EMAIL_PASSWORD)
        match answer.get("status"):
            case "UNKNOWN_USER_ID_ERROR":
                return UnknownUser()
            case "EMAIL_ALREADY_EXISTS_ERROR":
                return EmailTaken()
            case "EMAIL_CHANGE_NOT_ALLOWED_ERROR":
                return EmailChangeNotAllowed(member(answer, "reason", str))
            case "OK":
                pass
            case _:
                raise unexpected(answer)
        if email is not None:
            emit(EmailChanged(user_id=user_id))
        if password is not None:
            if revoke_sessions:
                self._sessions.revoke_user(user_id, tenant_id=None)
            emit(PasswordChanged(user_id=user_id, sessions_revoked=revoke_sessions))
        return None

    def _post(self, tenant_id: str, path: str, body: JSONObject) -> JSONObject:
        full = f"{tenant_path(tenant_id)}{path}"
        return self._core.post(full, body, rid=EMAIL_PASSWORD, tenant=tenant_id)


class RemoteHashImport:
    """`HashImport` over a core, which reads bcrypt, Argon2 and, where it is set up, scrypt of Firebase."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def put(self, tenant_id: str, email: str, password_hash: str) -> ImportedHash:
        body: JSONObject = {"email": validation.stored_email(email), "passwordHash": hidden(password_hash)}
        path = f"{tenant_path(tenant_id)}/recipe/user/passwordhash/import"
        answer = ok(self._core.post(path, body, rid=EMAIL_PASSWORD, tenant=tenant_id))
        user = user_from_wire(answer.get("user"))
        return ImportedHash(user, member(answer, "didUserAlreadyExist", bool))


_WRONG = "WRONG_CREDENTIALS_ERROR"


def _change(email: str | None, password: str | None) -> JSONObject:
    """Return the new values.

    Raises:
        BadInputError: there is none, or it cannot be stored.
    """
    if email is None and password is None:
        raise BadInputError("You need to provide either email or password.")
    body: JSONObject = {}
    if email is not None:
        body["email"] = validation.stored_email(email)
    if password is not None:
        validation.validate_password(password)
        body["password"] = hidden(password)
    return body
