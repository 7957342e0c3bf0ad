"""Users who sign in with one-time codes and links (engine: Passwordless)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from supertokens_py.engine import validation
from supertokens_py.engine.code_records import (
    KEEP,
    CheckedCode,
    ConsumedCode,
    Keep,
    PhoneNumberChangeNotAllowed,
    PhoneNumberTaken,
    PresentedCode,
    RestartFlow,
    WrongCode,
)
from supertokens_py.engine.limits import MESSAGES_OF_ITS_OWN, of_text_messages
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
from supertokens_py.exceptions import TooManyAttemptsError

from .code_attempts import (
    CodeAttempts,
    Failure,
    Outcome,
    Refused,
    Rules,
    Success,
    read_attempt,
)
from .codes import CodeStore, read_contact
from .passwordless_users import Changed, ContactChange, PasswordlessUserRows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from supertokens_py.engine.config import ResolvedEngineConfig

    from ..accounts.accounts import Accounts
    from ..accounts.user_ids import UserIds
    from ..storage.database import Database
    from ..tenants import TenantStore
    from .client_limits import ClientLimits
    from .message_limits import MessageLimits

_MAX_ATTEMPTS = "passwordless_max_code_input_attempts"
_SENDS, _TEXT_MESSAGES = "passwordless", "text messages"


class PasswordlessStore(CodeStore):
    """Codes and their users in the database; every method is one unit of work."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        messages: MessageLimits,
        client_limits: ClientLimits,
        tenants: TenantStore,
        user_ids: UserIds,
        settings: ResolvedEngineConfig,
    ) -> None:
        super().__init__(database, tenants, settings)
        self._accounts = accounts
        self._messages = messages
        self._client_limits = client_limits
        self._users = PasswordlessUserRows(database, accounts, self._codes, user_ids)
        self._attempts = CodeAttempts(self._codes, self._users, accounts, client_limits, settings)

    # -- messages ------------------------------------------------------------------------------------------

    def may_send(
        self,
        tenant_id: str,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        client: str | None = None,
    ) -> int:
        """Count a message to a contact, and return 0; or count nothing, and return the ms to wait."""
        tenant, contact = validation.normalise_tenant_id(tenant_id), read_contact(email, phone_number)
        per_day = self._settings.passwordless_messages_per_day
        wait = self._messages.begin_shared(
            _SENDS, contact.value, per_day=per_day, share=MESSAGES_OF_ITS_OWN, client=client
        )
        if wait:
            kind = "phone" if email is None else "email"
            emit(ContactRefused(kind=kind, tenant_id=tenant, retry_after_ms=wait))
        if wait or email is not None:
            return wait
        if wait := self._text_message(tenant):
            self._messages.failed(_SENDS, "", contact.value)
            emit(TextMessageRefused(tenant_id=tenant, retry_after_ms=wait))
        return wait

    def not_sent(self, tenant_id: str, *, email: str | None = None, phone_number: str | None = None) -> None:
        """Let another message follow at once: the one that was counted could not be sent."""
        self._messages.failed(_SENDS, "", read_contact(email, phone_number).value)
        budgets = of_text_messages(self._settings, validation.normalise_tenant_id(tenant_id))
        if phone_number is not None and budgets:
            self._database.write(lambda c: self._give_back(c, budgets))

    def _text_message(self, tenant_id: str) -> int:
        budgets = of_text_messages(self._settings, tenant_id)

        def unit(connection: Connection) -> int:
            counted: dict[str, int] = {}
            for who, most in budgets.items():
                if wait := self._client_limits.begin_within(connection, _TEXT_MESSAGES, who, per_hour=most):
                    self._give_back(connection, counted)
                    return wait
                counted[who] = most
            return 0

        return self._database.write(unit) if budgets else 0

    def _give_back(self, connection: Connection, budgets: dict[str, int]) -> None:
        for who, most in budgets.items():
            self._client_limits.take_back_within(connection, _TEXT_MESSAGES, who, per_hour=most)

    # -- signing in ----------------------------------------------------------------------------------------

    def consume(
        self, tenant_id: str, presented: PresentedCode, *, client: str | None = None
    ) -> ConsumedCode | RestartFlow | WrongCode:
        """Use up a code, end every device of its contact in the tenant, and find or create its user.

        Raises:
            BadInputError: the two ids do not belong together, or a code is missing.
            TooManyAttemptsError: too many wrong codes were given for the contact.
        """
        outcome = self._outcome(tenant_id, presented, client, consumes=True)
        if not isinstance(outcome, Success):
            return _without_success(outcome)
        used, tenant = outcome.consumed, validation.normalise_tenant_id(tenant_id)
        if used.created:
            emit(UserSignedUp(user_id=used.user.id, tenant_id=tenant, recipe_id=PASSWORDLESS))
        if outcome.verified:
            emit(EmailVerified(user_id=used.recipe_user_id, tenant_id=tenant))
        return used

    def check(
        self, tenant_id: str, presented: PresentedCode, *, client: str | None = None
    ) -> CheckedCode | RestartFlow | WrongCode:
        """Do as `consume`, which counts what is wrong, but use up nothing, and create nobody."""
        outcome = self._outcome(tenant_id, presented, client, consumes=False)
        return outcome if isinstance(outcome, CheckedCode) else _without_success(outcome)

    def _outcome(
        self, tenant_id: str, presented: PresentedCode, client: str | None, *, consumes: bool
    ) -> Outcome:
        attempt, tenant = read_attempt(presented), self._tenants.find(tenant_id)
        if tenant is None:
            return RestartFlow()
        settings = self._settings
        most = tenant.core_config.get(_MAX_ATTEMPTS) or settings.passwordless_max_code_input_attempts
        wrong_per_hour = settings.passwordless_wrong_codes_per_hour
        rules = Rules(tenant.tenant_id, self._lifetime(tenant), int(most), wrong_per_hour, client)
        outcome = self._database.write(lambda c: self._attempts.decide(c, rules, attempt, consumes=consumes))
        if isinstance(outcome, Refused):
            wait = outcome.wait_ms
            emit(SignInRefused(tenant_id=rules.tenant_id, recipe_id=PASSWORDLESS, retry_after_ms=wait))
            raise TooManyAttemptsError(wait, attempts=outcome.attempts)
        if isinstance(outcome, Failure):
            emit(SignInFailed(user_id=None, tenant_id=rules.tenant_id, recipe_id=PASSWORDLESS))
        return outcome

    def is_current(self, consumed: ConsumedCode) -> bool:
        """Return whether the user is still there and in the tenant, with the contact that was proven.

        It waits for a change that is under way, so that of a change and a session that was committed before
        this is asked, one always sees the other.
        """

        def unit(connection: Connection) -> bool:
            internal = self._accounts.internal_id(connection, consumed.recipe_user_id)
            row, proven = self._users.contacts(connection, internal), consumed.device
            if row is None or not self._accounts.rows.is_in(connection, consumed.tenant_id, internal):
                return False
            if proven is None:
                return True
            return proven.email in (None, row.email) and proven.phone_number in (None, row.phone_number)

        return self._database.write(unit)

    # -- users ---------------------------------------------------------------------------------------------

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
        """Change, clear (None) or KEEP a user's contacts; codes of old and new ones end.

        Raises:
            BadInputError: the user would have neither, or one cannot be stored.
        """
        change = ContactChange(
            email if email is None or isinstance(email, Keep) else validation.stored_email(email),
            phone_number
            if phone_number is None or isinstance(phone_number, Keep)
            else validation.stored_phone_number(phone_number),
        )
        if not validation.is_possible_user_id(recipe_user_id):
            return UnknownUser()

        def unit(connection: Connection) -> Any:
            rows = self._accounts.rows
            internal, user = self._accounts.locked(connection, recipe_user_id, rows.keep)
            return UnknownUser() if user is None else self._users.change(connection, internal, change)

        result = self._database.write(unit)
        if not isinstance(result, Changed):
            return result
        if "email" in result.columns:
            emit(EmailChanged(user_id=recipe_user_id))
        if "phone_number" in result.columns:
            emit(PhoneNumberChanged(user_id=recipe_user_id))
        return None


def _without_success(outcome: Outcome) -> RestartFlow | WrongCode:
    return outcome.result if isinstance(outcome, Failure) else RestartFlow()
