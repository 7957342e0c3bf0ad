"""Users with an e-mail address and a password, kept by a core, which computes the hashes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.cdi.records import member, optional_member
from supertokens_py.cdi.users import RETRY_AFTER, consumed_from_wire, email_password_method, user_from_wire
from supertokens_py.engine import validation
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import (
    EMAIL_PASSWORD,
    Authenticated,
    ConsumedToken,
    EmailChangeNotAllowed,
    EmailTaken,
    ImportedHash,
    PasswordProof,
    ProofExpired,
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
from supertokens_py.secret import SecretText, masked
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import User, normalised_email

from .core import Core, ok, tenant_path, unexpected
from .limits import LocalAttempts, LocalMessageLimits
from .sessions import RemoteSessions
from .users import RemoteUsers

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

_RESET = "password reset"
_TOKENS = "/recipe/user/password/reset/token"
_MOST_WAITING = 100


class RemoteEmailPassword:
    """`EmailPassword` over a core."""

    def __init__(
        self,
        core: Core,
        users: RemoteUsers,
        sessions: RemoteSessions,
        settings: ResolvedEngineConfig,
        *,
        attempts: LocalAttempts,
        messages: LocalMessageLimits,
    ) -> None:
        self._core = core
        self._users = users
        self._sessions = sessions
        self._settings = settings
        self._attempts = attempts
        self._messages = messages

    @property
    def most_waiting(self) -> int:
        """How many calls for which a core computes a hash may run or wait before others are refused."""
        return _MOST_WAITING

    def sign_up(self, tenant_id: str, email: str, password: str) -> User | EmailTaken:
        validation.validate_password(password)
        body: JSONObject = {"email": validation.stored_email(email), "password": masked(password)}
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

        Raises:
            TooManyAttemptsError: this process has seen too many wrong ones for this address, as an official
                core counts none; or `supertokens serve`, which does, says so.
        """
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        if left_ms := self._attempts.begin(EMAIL_PASSWORD, tenant, address):
            raise _refused(tenant, left_ms)
        try:
            answer = self._sign_in(tenant, address, password)
            found = None if answer.get("status") == _WRONG else user_from_wire(ok(answer).get("user"))
        except BaseException:
            self._attempts.take_back(EMAIL_PASSWORD, tenant, address)
            raise
        if found is not None:
            self._attempts.succeeded(EMAIL_PASSWORD, tenant, address)
            return Authenticated(found, PasswordProof(found.id, tenant_id=tenant))
        if left_ms := optional_member(answer, RETRY_AFTER, int):
            self._attempts.take_back(EMAIL_PASSWORD, tenant, address)
            raise _refused(tenant, left_ms)
        emit(SignInFailed(user_id=None, tenant_id=tenant, recipe_id=EMAIL_PASSWORD))
        return None

    def _sign_in(self, tenant: str, address: str, password: str) -> JSONObject:
        if not validation.is_storable(address) or validation.password_bytes(password) is None:
            return {"status": _WRONG}
        try:
            body: JSONObject = {"email": address, "password": masked(password)}
            return self._post(tenant, "/recipe/signin", body)
        except UnknownTenantError:
            return {"status": _WRONG}

    def is_current(self, proof: PasswordProof) -> bool:
        """Return whether the user is still there and in the tenant.

        A core does not say whether the password was changed.
        """
        return self._users.find_in(proof.tenant_id, proof.user_id) is not None

    def may_send_reset(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Count an e-mail with a link to reset a password; False where the address has had enough of them."""
        tenant, address = validation.normalise_tenant_id(tenant_id), normalised_email(email)
        most = self._settings.password_reset_emails_per_day
        return self._messages.begin(_RESET, tenant, address, per_day=most, client=client) == 0

    def reset_not_sent(self, tenant_id: str, email: str) -> None:
        """Let another e-mail follow at once: the one that was counted could not be sent."""
        self._messages.failed(_RESET, validation.normalise_tenant_id(tenant_id), normalised_email(email))

    def create_reset_token(self, tenant_id: str, user_id: str, email: str | None) -> str | None:
        """Return a token that sets a new password once; None where there is no such user in the tenant.

        A core makes one for any address. Whoever reads the mail of an address that is not the user's, also a
        former one, gets none here.
        """
        tenant = validation.normalise_tenant_id(tenant_id)
        address = None if email is None else validation.stored_email(email)
        user = self._users.find(user_id)
        own = None if user is None else email_password_method(user, address, tenant)
        if own is None and user is not None:
            own = email_password_method(user, address)  # the core says whether there is such a tenant
        if own is None or own.email is None or address not in (None, own.email):
            tenant_path(tenant)  # an impossible one is an error for nobody, too
            return None
        body: JSONObject = {"userId": str(own.recipe_user_id), "email": own.email}
        answer = self._post(tenant, _TOKENS, body)
        if answer.get("status") == "UNKNOWN_USER_ID_ERROR" or tenant not in own.tenant_ids:
            return None
        token = SecretText(member(ok(answer), "token", str))
        emit(PasswordResetRequested(user_id=str(own.recipe_user_id), tenant_id=tenant))
        return token

    def consume_reset_token(self, tenant_id: str, token: str) -> ConsumedToken | None:
        """Use up a token; None where it was no valid one, or its user is not in the tenant.

        An official core asks nothing of the tenant: there, a token of another tenant's user is used up, too.
        """
        if not validation.is_storable(token):
            return None
        try:
            answer = self._post(tenant_id, f"{_TOKENS}/consume", {"token": masked(token)})
        except UnknownTenantError:
            return None
        if answer.get("status") == "RESET_PASSWORD_INVALID_TOKEN_ERROR":
            return None
        used = consumed_from_wire(ok(answer))
        user, tenant = self._users.find(used.user_id), validation.normalise_tenant_id(tenant_id)
        own = None if user is None else email_password_method(user, used.email, tenant)
        # A core that changes an address keeps the tokens that it sent to the former one.
        return used if own is not None and own.has_same_email_as(used.email) else None

    def update(
        self,
        user_id: str,
        *,
        email: str | None,
        password: str | None,
        revoke_sessions: bool,
        proof: PasswordProof | None = None,
        link: ConsumedToken | None = None,
    ) -> UnknownUser | EmailTaken | EmailChangeNotAllowed | ProofExpired | None:
        """Change what is given, then end sessions where that is wanted: a core takes two calls for it.

        It does not say whether the password was changed, so of `proof` only its user counts. Nor does it say
        which links that verify addresses it keeps: `link` ends none.
        """
        body = _change(email, password)
        if not validation.is_possible_user_id(user_id):
            return UnknownUser()
        if proof is not None and not self._is_of(proof, user_id):
            return ProofExpired()
        body["recipeUserId"] = user_id
        refused = _refusal(self._core.put("/recipe/user", body, rid=EMAIL_PASSWORD))
        if refused is not None:
            return refused
        if email is not None:
            emit(EmailChanged(user_id=user_id))
        if password is not None:
            if revoke_sessions:  # first: whatever fails after it, whoever had the old password is out
                self._sessions.revoke_user(user_id, tenant_id=None)
            emit(PasswordChanged(user_id=user_id, sessions_revoked=revoke_sessions))
            self._end_wait(user_id)
        return None

    def _is_of(self, proof: PasswordProof, user_id: str) -> bool:
        """Return whether a password was proven by the user who is meant, whatever linked id says so."""
        if proof.user_id == user_id:
            return True
        user = self._users.find(user_id)
        methods = () if user is None else user.login_methods
        return user is not None and proof.user_id in (user.id, *(str(one.recipe_user_id) for one in methods))

    def _end_wait(self, user_id: str) -> None:
        """Forget wrong passwords that were counted for a user: there is a new one."""
        user = self._users.find(user_id) if len(self._attempts.counts) else None
        for method in user.login_methods if user is not None else ():
            for tenant in method.tenant_ids if method.email is not None else ():
                self._attempts.succeeded(EMAIL_PASSWORD, tenant, str(method.email))

    def _post(self, tenant_id: str, path: str, body: JSONObject) -> JSONObject:
        full = f"{tenant_path(tenant_id)}{path}"
        return self._core.post(full, body, rid=EMAIL_PASSWORD, tenant=tenant_id)


def _refusal(answer: JSONObject) -> UnknownUser | EmailTaken | EmailChangeNotAllowed | None:
    match answer.get("status"):
        case "UNKNOWN_USER_ID_ERROR":
            return UnknownUser()
        case "EMAIL_ALREADY_EXISTS_ERROR":
            return EmailTaken()
        case "EMAIL_CHANGE_NOT_ALLOWED_ERROR":
            return EmailChangeNotAllowed(member(answer, "reason", str))
        case "OK":
            return None
        case _:
            raise unexpected(answer)


class RemoteHashImport:
    """`HashImport` over a core, which reads bcrypt, Argon2 and, where it is set up, scrypt of Firebase."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def put(self, tenant_id: str, email: str, password_hash: str) -> ImportedHash:
        body: JSONObject = {"email": validation.stored_email(email), "passwordHash": masked(password_hash)}
        path = f"{tenant_path(tenant_id)}/recipe/user/passwordhash/import"
        answer = ok(self._core.post(path, body, rid=EMAIL_PASSWORD, tenant=tenant_id))
        user = user_from_wire(answer.get("user"))
        return ImportedHash(user, member(answer, "didUserAlreadyExist", bool))


_WRONG = "WRONG_CREDENTIALS_ERROR"


def _refused(tenant: str, left_ms: int) -> TooManyAttemptsError:
    emit(SignInRefused(tenant_id=tenant, recipe_id=EMAIL_PASSWORD, retry_after_ms=left_ms))
    return TooManyAttemptsError(left_ms)


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
        body["password"] = masked(password)
    return body
