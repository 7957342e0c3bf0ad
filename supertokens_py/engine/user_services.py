"""What recipes need of an engine that keeps users; part of `engine.interface`, whose rules hold here, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias

from supertokens_py.types.users import AccountInfo, User

from .code_records import (
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
from .tenant_members import TenantMembers
from .user_records import (
    Authenticated,
    ConsumedToken,
    EmailChangeNotAllowed,
    EmailTaken,
    ImportedHash,
    PasswordProof,
    ProofExpired,
    SignedInUp,
    UnknownUser,
    UserPage,
    UserQuery,
    VerifiedEmail,
)


class Users(TenantMembers, Protocol):
    """What is kept of users whatever their sessions (engine: Users, Activity).

    Without a sign-in recipe, all but `remove`, `primary_id` and `count_active` raise ConfigError.
    """

    def remove(self, user_id: str) -> None:
        """Delete a user's sessions, roles, metadata, last activity and log-in data, in every tenant.

        Raises BadInputError where log-in data of the user is kept that this engine cannot delete.
        """
        ...

    def find(self, user_id: str) -> User | None:
        """Return a user by the id of any login method, as the application or as a core knows it."""
        ...

    def page(self, tenant_id: str, query: UserQuery) -> UserPage:
        """Return users of a tenant in the order in which they joined."""
        ...

    def count(self, *, tenant_id: str | None, recipe_ids: Sequence[str] | None = None) -> int:
        """Return how many users a tenant has, or all tenants have (None)."""
        ...

    def by_account_info(self, tenant_id: str, info: AccountInfo, *, any_of: bool = False) -> list[User]:
        """Return the users of a tenant who have all that `info` names, or any of it."""
        ...

    def primary_id(self, user_id: str) -> str:
        """Return the id that sessions have as `user_id`, from any id of their user."""
        ...

    def count_active(self, since_ms: int) -> int | None:
        """Return how many users created, refreshed or ended sessions since; None where this is not kept."""
        ...


#: What is counted of a client.
ClientKind: TypeAlias = Literal["sign_in", "sign_up", "reset", "code", "exists", "authorise"]


class Clients(Protocol):
    """How often a client (an IPv4 address or an IPv6 network) does something (engine: Clients)."""

    def begin(self, kind: ClientKind, client: str) -> int:
        """Count one, and return 0; or count nothing, and return how many milliseconds to wait."""
        ...

    def take_back(self, kind: ClientKind, client: str) -> None:
        """Take back one that was counted, and no other."""
        ...


class EmailPassword(Protocol):
    """Users with an e-mail address and a password (engine: E-mail and password).

    Addresses are compared trimmed and in lower case. Methods that take a password compute a hash: call them
    through `call_engine_hashing`, or `call_engine_hashing_bounded` where anybody may ask for it.
    """

    @property
    def most_waiting(self) -> int:
        """How many calls of such methods may run or wait in a process before others are refused."""
        ...

    def sign_up(self, tenant_id: str, email: str, password: str) -> User | EmailTaken:
        """Create a user. Raises BadInputError where address or password cannot be stored."""
        ...

    def verify(self, tenant_id: str, email: str, password: str) -> User | None:
        """Return the user whose address and password these are. None takes as long for unknown addresses.

        Raises TooManyAttemptsError after too many wrong passwords for the address.
        """
        ...

    def authenticate(self, tenant_id: str, email: str, password: str) -> Authenticated | None:
        """Do as `verify`, and return with the user what `is_current` has to be asked about."""
        ...

    def is_current(self, proof: PasswordProof) -> bool:
        """Return whether the user is still there, with the same password.

        Asked after a session was committed, a False means that whoever changed the password or deleted the
        user may not have seen it. True means that they have, or will.
        """
        ...

    def may_send_reset(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Count an e-mail with a link to reset a password; False where the address has had enough of them.

        `client` is whom the request comes from, where that is known, as for `Clients`.
        """
        ...

    def reset_not_sent(self, tenant_id: str, email: str) -> None:
        """Let another e-mail follow at once: the one that was counted could not be sent."""
        ...

    def create_reset_token(self, tenant_id: str, user_id: str, email: str | None) -> str | None:
        """Return a token that sets a new password once; None where there is no such user in the tenant."""
        ...

    def consume_reset_token(self, tenant_id: str, token: str) -> ConsumedToken | None:
        """Use up a token and every other one of its user; None if it is unknown, used or expired.

        None as well where its user is not in the tenant, whose rule the new password was checked with.
        """
        ...

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
        """Change what is given, end what was made for the old, and return None where that is done.

        Nothing is changed where `proof` is no longer current, or `link` was sent to another address.
        """
        ...


class HashImport(Protocol):
    """Hashes of passwords that were made elsewhere, one by one (engine: Importing users)."""

    def put(self, tenant_id: str, email: str, password_hash: str) -> ImportedHash:
        """Give a user a hash, who is created where nobody has the address.

        Raises BadInputError for a hash that could never be verified, such as one of Firebase.
        """
        ...


class EmailVerification(Protocol):
    """Which addresses were proven to be whose (engine: E-mail verification).

    Users may be the application's own: any id will do. Addresses are compared trimmed and in lower case.
    """

    def create_token(self, tenant_id: str, user_id: str, email: str) -> str | None:
        """Return a token that verifies an address once; None where it is verified already.

        Raises BadInputError for an id or an address that cannot be stored.
        """
        ...

    def verify(self, tenant_id: str, token: str) -> VerifiedEmail | None:
        """Use up a token and every other one of its user and address; None if it is unknown, used or expired.

        Tokens are valid in the tenant that they were made for.
        """
        ...

    def is_verified(self, user_id: str, email: str) -> bool:
        """Return whether a user has verified an address."""
        ...

    def revoke_tokens(self, tenant_id: str, user_id: str, email: str) -> None:
        """End the tokens of a user for an address in a tenant."""
        ...

    def unverify(self, user_id: str, email: str) -> None:
        """Forget that an address was verified, and end its tokens in every tenant."""
        ...

    def may_send(self, tenant_id: str, email: str, client: str | None = None) -> bool:
        """Return whether an address may get another e-mail now; if so, count it.

        `client` is whom the request comes from, where that is known, as for `Clients`.
        """
        ...

    def not_sent(self, tenant_id: str, email: str) -> None:
        """Let another e-mail follow at once: the one that was counted could not be sent."""
        ...


class Passwordless(Protocol):
    """Users who sign in with one-time codes or links that are sent to them (engine: Passwordless).

    E-mail addresses are compared trimmed and in lower case, phone numbers as they are: callers give them in
    the form of E.164. `code_records` has what the methods take and answer with.
    """

    def may_send(
        self,
        tenant_id: str,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        client: str | None = None,
    ) -> int:
        """Count a message to a contact, and return 0; or count nothing, and return the milliseconds to wait.

        Asked before a code is made or made again; a phone number counts for the tenant and for all of them.
        `client` is whom the request comes from, where that is known, as for `Clients`.
        """
        ...

    def not_sent(self, tenant_id: str, *, email: str | None = None, phone_number: str | None = None) -> None:
        """Let another message follow at once: the one that was counted could not be sent."""
        ...

    def create_code(self, tenant_id: str, new: NewCode) -> CreatedCode | RestartFlow | CodeAlreadyUsed:
        """Make a code. RestartFlow: the device is gone, or is not the one of `pre_auth_session_id`.

        Raises BadInputError where not exactly one of contact and device is given, or it cannot be stored.
        """
        ...

    def consume(
        self, tenant_id: str, presented: PresentedCode, *, client: str | None = None
    ) -> ConsumedCode | RestartFlow | WrongCode:
        """Use up a code, end every device of its contact in the tenant, and find or create its user.

        It verifies an e-mail address. Of parallel calls one succeeds. Raises BadInputError where ids do not
        belong together, or a code is missing; TooManyAttemptsError after too many wrong codes of a client.
        """
        ...

    def is_current(self, consumed: ConsumedCode) -> bool:
        """Return whether the user is still there, with the contact that was proven.

        Asked after a session was committed, a False means that whoever changed or deleted the user may not
        have seen it. True means that they have, or will.
        """
        ...

    def check(
        self, tenant_id: str, presented: PresentedCode, *, client: str | None = None
    ) -> CheckedCode | RestartFlow | WrongCode:
        """Do as `consume`, which counts what is wrong, but use up nothing, and create nobody."""
        ...

    def revoke_codes(
        self, tenant_id: str, *, email: str | None = None, phone_number: str | None = None
    ) -> None:
        """End every device of a contact in a tenant."""
        ...

    def revoke_code(
        self, tenant_id: str, *, code_id: str | None = None, pre_auth_session_id: str | None = None
    ) -> None:
        """End one code, or a device with all of them; the last code takes its device along."""
        ...

    def devices(
        self,
        tenant_id: str,
        *,
        email: str | None = None,
        phone_number: str | None = None,
        device_id: str | None = None,
        pre_auth_session_id: str | None = None,
    ) -> list[Device]:
        """Return the devices of a contact, or the one of an id, with their codes. Exactly one is given."""
        ...

    def update(
        self,
        recipe_user_id: str,
        *,
        email: str | Keep | None = KEEP,
        phone_number: str | Keep | None = KEEP,
    ) -> (
        UnknownUser
        | EmailTaken
        | PhoneNumberTaken
        | EmailChangeNotAllowed
        | PhoneNumberChangeNotAllowed
        | None
    ):
        """Change, clear (None) or KEEP a user's contacts, end what was made for old ones; None: it is done.

        Raises BadInputError where the user would have neither.
        """
        ...


class ThirdParty(Protocol):
    """Users who sign in with an account at a provider (engine: Third party).

    Who somebody is there is the pair of the provider's id and the user's id at the provider, never an
    address. `Users.by_account_info` finds users by either.
    """

    def sign_in_up(
        self, tenant_id: str, third_party_id: str, third_party_user_id: str, *, email: str, is_verified: bool
    ) -> SignedInUp | EmailChangeNotAllowed:
        """Return the user of an account at a provider, who is created where there is none in the tenant.

        Another address than the stored one replaces it; an address that the provider has verified is verified
        here. Raises BadInputError where an id or the address cannot be stored.
        """
        ...

    def is_current(self, signed_in: SignedInUp) -> bool:
        """Return whether the user is still there.

        Asked after a session was committed, a False means that whoever deleted the user may not have seen
        it. True means that they have, or will.
        """
        ...
