"""Users who sign in with one-time codes and links, kept by a core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from supertokens_py.cdi.codes import (
    CODE_USED,
    EXPIRED,
    INCORRECT,
    RESTART,
    created_from_wire,
    devices_from_wire,
    passwordless_method,
    used_from_wire,
    wrong_from_wire,
)
from supertokens_py.cdi.records import member, optional_member
from supertokens_py.cdi.users import RETRY_AFTER, user_from_wire
from supertokens_py.engine import validation
from supertokens_py.engine.code_records import (
    KEEP,
    CheckedCode,
    CodeAlreadyUsed,
    ConsumedCode,
    CreatedCode,
    Device,
    Keep,
    NewCode,
    PhoneNumberChangeNotAllowed,
    PhoneNumberTaken,
    PresentedCode,
    RestartFlow,
    WrongCode,
)
from supertokens_py.engine.limits import MESSAGES_OF_ITS_OWN
from supertokens_py.engine.records import UnknownTenantError
from supertokens_py.engine.user_records import PASSWORDLESS, EmailChangeNotAllowed, EmailTaken, UnknownUser
from supertokens_py.events import (
    ContactRefused,
    EmailChanged,
    EmailVerified,
    PhoneNumberChanged,
    SignInFailed,
    SignInRefused,
    TextMessageRefused,
    UserSignedUp,
    emit,
)
from supertokens_py.exceptions import BadInputError, TooManyAttemptsError
from supertokens_py.types.base import JSONObject
from supertokens_py.types.users import LoginMethod

from .code_bodies import contact_body, new_code_body, presented_body
from .core import Core, ok, tenant_path, unexpected
from .limits import LocalClientLimits, LocalMessageLimits
from .users import RemoteUsers

if TYPE_CHECKING:
    from supertokens_py.engine.config import ResolvedEngineConfig

_PATH = "/recipe/signinup/code"
_SENDS = "passwordless"


class RemotePasswordless:
    """`Passwordless` over a core, which keeps lifetimes and numbers of attempts in its own configuration."""

    def __init__(
        self,
        core: Core,
        users: RemoteUsers,
        settings: ResolvedEngineConfig,
        *,
        messages: LocalMessageLimits,
        client_limits: LocalClientLimits,
    ) -> None:
        self._core = core
        self._users = users
        self._settings = settings
        self._messages = messages
        self._client_limits = client_limits

    def may_send(
        self,
        tenant_id: str,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        client: str | None = None,
    ) -> int:
        """Count a message to a contact in this process, and return 0; or return the milliseconds to wait."""
        tenant, (value,) = (
            validation.normalise_tenant_id(tenant_id),
            contact_body(email, phone_number).values(),
        )
        per_day, share = self._settings.passwordless_messages_per_day, MESSAGES_OF_ITS_OWN
        wait = self._messages.begin_shared(_SENDS, value, per_day=per_day, share=share, client=client)
        if wait:
            kind = "phone" if email is None else "email"
            emit(ContactRefused(kind=kind, tenant_id=tenant, retry_after_ms=wait))
        if wait or email is not None:
            return wait
        if wait := self._client_limits.begin_text_message(tenant):
            self._messages.failed(_SENDS, "", value)
            emit(TextMessageRefused(tenant_id=tenant, retry_after_ms=wait))
        return wait

    def not_sent(self, tenant_id: str, *, email: str | None = None, phone_number: str | None = None) -> None:
        (value,) = contact_body(email, phone_number).values()
        self._messages.failed(_SENDS, "", value)
        if phone_number is not None:
            self._client_limits.take_back_text_message(validation.normalise_tenant_id(tenant_id))

    def create_code(self, tenant_id: str, new: NewCode) -> CreatedCode | RestartFlow | CodeAlreadyUsed:
        body = new_code_body(new)
        if new.device_id is not None and new.pre_auth_session_id is not None:
            # A core does not compare the two.
            found = self.devices(tenant_id, device_id=new.device_id)
            if not any(_is_same(new.pre_auth_session_id, one.pre_auth_session_id) for one in found):
                return RestartFlow()
        answer = self._post(tenant_id, _PATH, body)
        if answer.get("status") == RESTART["status"]:
            return RestartFlow()
        if answer.get("status") == CODE_USED["status"]:
            return CodeAlreadyUsed()
        return created_from_wire(ok(answer))

    def consume(
        self, tenant_id: str, presented: PresentedCode, *, client: str | None = None
    ) -> ConsumedCode | RestartFlow | WrongCode:
        """Use up a code. A core counts wrong ones per device; one of ours, or this process, per contact.

        Raises:
            BadInputError: the two ids do not belong together, or a code is missing.
            TooManyAttemptsError: too many wrong codes were given for the contact.
        """
        answer = self._present(tenant_id, f"{_PATH}/consume", presented, client)
        if not isinstance(answer, dict):
            return answer
        user, created = user_from_wire(answer.get("user")), member(answer, "createdNewUser", bool)
        known_as, device = member(answer, "recipeUserId", str), used_from_wire(answer)
        tenant = validation.normalise_tenant_id(tenant_id)
        if created:
            emit(UserSignedUp(user_id=user.id, tenant_id=tenant, recipe_id=PASSWORDLESS))
            if device.email is not None:
                emit(EmailVerified(user_id=known_as, tenant_id=tenant))
        return ConsumedCode(user, known_as, created, device, tenant)

    def check(
        self, tenant_id: str, presented: PresentedCode, *, client: str | None = None
    ) -> CheckedCode | RestartFlow | WrongCode:
        """Do as `consume`, but use up nothing."""
        answer = self._present(tenant_id, f"{_PATH}/check", presented, client)
        return CheckedCode(used_from_wire(answer)) if isinstance(answer, dict) else answer

    def _present(
        self, tenant_id: str, path: str, presented: PresentedCode, client: str | None
    ) -> JSONObject | RestartFlow | WrongCode:
        tenant, body = validation.normalise_tenant_id(tenant_id), presented_body(presented)
        who = self._admitted(tenant, presented.device_id, client)
        try:
            answer = self._post(tenant, path, body, client)
        except UnknownTenantError:
            return RestartFlow()
        if answer.get("status") == RESTART["status"]:
            return RestartFlow()
        if answer.get("status") not in (INCORRECT, EXPIRED):
            if who is not None:
                self._client_limits.forget_wrong_codes(who, client)
            return ok(answer)
        wrong, wait = wrong_from_wire(answer), optional_member(answer, RETRY_AFTER, int)
        if wait is not None:
            raise _too_many(tenant, wait, wrong.failed_attempts, wrong.max_attempts)
        emit(SignInFailed(user_id=None, tenant_id=tenant, recipe_id=PASSWORDLESS))
        return wrong

    def _admitted(self, tenant_id: str, device_id: str | None, client: str | None) -> str | None:
        """Count a code as wrong, which a right one takes back; return what it was counted for.

        Raises:
            TooManyAttemptsError: too many wrong codes were given for the contact.
        """
        if device_id is None or self._core.takes_clients():
            return None  # a core of ours counts by itself
        settings, per_hour = self._settings, self._settings.passwordless_wrong_codes_per_hour
        found = self.devices(tenant_id, device_id=device_id) if per_hour else []
        if not found or all(
            code.created_ms + code.lifetime_ms < settings.now_ms() for code in found[0].codes
        ):
            return None  # where no code is valid none can be guessed
        device, who = found[0], f"{found[0].email or ''}\0{found[0].phone_number or ''}"
        if wait := self._client_limits.begin_wrong_code(who, client, per_hour=per_hour):
            most = settings.passwordless_max_code_input_attempts
            raise _too_many(tenant_id, wait, device.failed_attempts, most)
        return who

    def is_current(self, consumed: ConsumedCode) -> bool:
        """Return whether the user is still there and in the tenant, with the contact that was proven."""
        user, proven = self._users.find_in(consumed.tenant_id, consumed.recipe_user_id), consumed.device
        method = None if user is None else passwordless_method(user, user_id=consumed.recipe_user_id)
        if method is None or proven is None:
            return method is not None
        return proven.email in (None, method.email) and proven.phone_number in (None, method.phone_number)

    def revoke_codes(
        self, tenant_id: str, *, email: str | None = None, phone_number: str | None = None
    ) -> None:
        body = contact_body(email, phone_number)
        try:
            ok(self._post(tenant_id, f"{_PATH}s/remove", body))
        except UnknownTenantError:
            return

    def revoke_code(
        self, tenant_id: str, *, code_id: str | None = None, pre_auth_session_id: str | None = None
    ) -> None:
        if (code_id is None) == (pre_auth_session_id is None):
            raise BadInputError("Please provide either 'codeId' or 'preAuthSessionId'")
        name, value = (
            ("codeId", code_id) if code_id is not None else ("preAuthSessionId", pre_auth_session_id)
        )
        if not validation.is_storable(str(value)):
            return
        try:
            ok(self._post(tenant_id, f"{_PATH}/remove", {name: value}))
        except UnknownTenantError:
            return

    def devices(
        self,
        tenant_id: str,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        device_id: str | None = None,
        pre_auth_session_id: str | None = None,
    ) -> list[Device]:
        given = {"deviceId": device_id, "preAuthSessionId": pre_auth_session_id}
        named = {name: value for name, value in given.items() if value is not None}
        if email is not None or phone_number is not None:
            named |= contact_body(email, phone_number)
        if len(named) != 1:
            raise BadInputError(
                "Please provide exactly one of email, phoneNumber, deviceId or preAuthSessionId"
            )
        if not all(map(validation.is_storable, named.values())):
            return []
        try:
            path = f"{tenant_path(tenant_id)}{_PATH}s"
            answer = self._core.get(path, named, rid=PASSWORDLESS, tenant=tenant_id)
        except UnknownTenantError:
            return []
        return devices_from_wire(ok(answer))

    def update(
        self, recipe_user_id: str, *, email: str | Keep | None = KEEP, phone_number: str | Keep | None = KEEP
    ) -> (
        UnknownUser
        | EmailTaken
        | PhoneNumberTaken
        | EmailChangeNotAllowed
        | PhoneNumberChangeNotAllowed
        | None
    ):
        changes: JSONObject = {}
        if not isinstance(email, Keep):
            changes["email"] = None if email is None else validation.stored_email(email)
        if not isinstance(phone_number, Keep):
            stored = None if phone_number is None else validation.stored_phone_number(phone_number)
            changes["phoneNumber"] = stored
        if not validation.is_possible_user_id(recipe_user_id):
            return UnknownUser()
        before = self._users.find(recipe_user_id)  # a core does not say what was changed
        method = None if before is None else passwordless_method(before, user_id=recipe_user_id)
        body = {"recipeUserId": recipe_user_id, **changes}
        answer = self._core.put("/recipe/user", body, rid=PASSWORDLESS)
        if answer.get("status") != "OK":
            return _refusal(answer)
        for name, event in (("email", EmailChanged), ("phoneNumber", PhoneNumberChanged)):
            if name in changes and changes[name] != _known(method, name):
                emit(event(user_id=recipe_user_id))
        return None

    def _post(self, tenant_id: str, path: str, body: JSONObject, client: str | None = None) -> JSONObject:
        full = f"{tenant_path(tenant_id)}{path}"
        return self._core.post(full, body, rid=PASSWORDLESS, tenant=tenant_id, client=client)


def _too_many(tenant_id: str, wait_ms: int, failed: int, most: int) -> TooManyAttemptsError:
    emit(SignInRefused(tenant_id=tenant_id, recipe_id=PASSWORDLESS, retry_after_ms=wait_ms))
    return TooManyAttemptsError(wait_ms, attempts=(failed, most))


def _known(method: LoginMethod | None, name: str) -> str | None:
    return None if method is None else method.email if name == "email" else method.phone_number


def _refusal(
    answer: JSONObject,
) -> UnknownUser | EmailTaken | PhoneNumberTaken | EmailChangeNotAllowed | PhoneNumberChangeNotAllowed:
    match answer.get("status"):
        case "UNKNOWN_USER_ID_ERROR":
            return UnknownUser()
        case "EMAIL_ALREADY_EXISTS_ERROR":
            return EmailTaken()
        case "PHONE_NUMBER_ALREADY_EXISTS_ERROR":
            return PhoneNumberTaken()
        case "EMAIL_CHANGE_NOT_ALLOWED_ERROR":
            return EmailChangeNotAllowed(member(answer, "reason", str))
        case "PHONE_NUMBER_CHANGE_NOT_ALLOWED_ERROR":
            return PhoneNumberChangeNotAllowed(member(answer, "reason", str))
        case _:
            raise unexpected(answer)


def _is_same(first: str, second: str) -> bool:
    return first.strip().rstrip("=") == second.strip().rstrip("=")
