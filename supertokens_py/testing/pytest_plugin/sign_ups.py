"""`sign_up_as`: a real user of a sign-in recipe, made and signed in through the API as a frontend does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from supertokens_py.app import Supertokens
from supertokens_py.exceptions import ConfigError
from supertokens_py.recipe.thirdparty.provider import UserInfo, UserInfoEmail
from supertokens_py.recipe.userroles import PermissionClaim, UserRoleClaim
from supertokens_py.types.users import User

from .clients import jar_of
from .conversations import Answered, Call, Conversation, hold, require_ok
from .jars import Jar, Mode
from .logins import Login, Tokens, check_store, give_roles, off_the_loop, put_tokens
from .outbox import Outbox
from .provider_accounts import ProviderAccounts
from .received import take_tokens, verification

#: Where the provider would have sent the browser; nobody compares it here.
_BACK: Final = "https://example.com/auth/callback"

By: TypeAlias = Literal["emailpassword", "passwordless"]


@dataclass(slots=True)
class SignUp(Login):
    """A client that is signed in as a user of a sign-in recipe."""

    user: User


@dataclass(frozen=True, slots=True)
class _Wanted:
    email: str
    phone_number: str | None
    password: str
    fields: Mapping[str, Any]
    provider: str | None
    verified: bool
    roles: Sequence[str]
    tenant: str
    mode: Mode

    def call(self, path: str, **body: Any) -> Call:
        return Call(path, body, {"st-auth-mode": self.mode}, self.tenant)


def sign_up_as(
    outbox: Outbox,
    accounts: ProviderAccounts,
    client: Any,
    email: str = "ada@example.com",
    *,
    password: str = "correct horse 1",  # noqa: S107
    phone_number: str | None = None,
    provider: str | None = None,
    by: By | None = None,
    fields: Mapping[str, Any] | None = None,
    verified: bool = False,
    roles: Sequence[str] = (),
    tenant: str = "public",
    mode: Mode = "cookie",
) -> Any:
    """Sign up through the API, as a frontend does, and put the tokens of the answer into a test client.

    Overrides, claims and events of the recipes run. Who is known to `passwordless` or `thirdparty` signs in.

    Args:
        outbox: comes with the fixture, as does `accounts`: who comes back from providers.
        client: as for `login_as`, but no request of a RequestFactory.
        email: whose user it is.
        password: with `emailpassword`.
        phone_number: instead of the address, with `passwordless`.
        provider: the id of a provider, such as "google", from which the user comes; it is not asked.
        by: which recipe; else the arguments say it, or it is the first of the two that is in use.
        fields: further fields of the sign-up form.
        verified: whether the address is verified by the link of a mail, or by the provider.
        roles: roles that the user is given, and the session has; those that do not exist are created.
        tenant: the tenant that the user signs up at.
        mode: how the tokens travel.

    Returns: a `SignUp`, which is a `Login` with `user`; with an async client, something to await for it.

    Raises:
        AssertionError: the API refused; the message has the answer.
        ConfigError: no such recipe is in use, or the user would be in the application's own store.
    """
    check_store("sign_up_as", "it did so after the fixture supertokens was set up; call init before")
    wanted = _Wanted(email, phone_number, password, fields or {}, provider, verified, roles, tenant, mode)
    jar = jar_of(client)
    return hold(_conversation(wanted, by, jar, outbox, accounts), jar)


def _conversation(
    wanted: _Wanted, by: By | None, jar: Jar, outbox: Outbox, accounts: ProviderAccounts
) -> Conversation[SignUp]:
    recipe = _recipe_of(wanted, by)
    if recipe == "thirdparty":
        return _by_provider(wanted, jar, accounts)
    return (_by_code if recipe == "passwordless" else _by_password)(wanted, jar, outbox)


def _recipe_of(wanted: _Wanted, by: By | None) -> str:
    known: tuple[str, ...] = ("emailpassword", "passwordless") if by is None else (by,)
    if wanted.provider is not None:
        known = ("thirdparty",)
    elif wanted.phone_number is not None:
        known = ("passwordless",)
    app = Supertokens.get_instance()
    found = [one for one in known if app.has_recipe(one)]
    if not found:
        raise ConfigError(f"sign_up_as needs {' or '.join(known)} in recipe_list")
    return found[0]


# -- one recipe each -----------------------------------------------------------------------------------


def _by_password(wanted: _Wanted, jar: Jar, outbox: Outbox) -> Conversation[SignUp]:
    given = {"email": wanted.email, "password": wanted.password, **wanted.fields}
    form = [{"id": name, "value": value} for name, value in given.items()]
    response = yield wanted.call("/signup", formFields=form)
    signed = _signed_up(response, wanted, jar)
    if wanted.verified:
        yield from verification(signed, outbox)
    return signed


def _by_code(wanted: _Wanted, jar: Jar, outbox: Outbox) -> Conversation[SignUp]:
    contact = {"email": wanted.email}
    if wanted.phone_number is not None:
        contact = {"phoneNumber": wanted.phone_number}
    response = yield wanted.call("/signinup/code", **contact)
    begun, message = require_ok(response, "the request for a code"), outbox[-1]
    proof = {"linkCode": message.token}
    if message.code is not None:
        proof = {"deviceId": begun["deviceId"], "userInputCode": message.code}
    device = {"preAuthSessionId": begun["preAuthSessionId"]}
    response = yield wanted.call("/signinup/code/consume", **device, **proof)
    return _signed_up(response, wanted, jar)


def _by_provider(wanted: _Wanted, jar: Jar, accounts: ProviderAccounts) -> Conversation[SignUp]:
    code = accounts.code_of(UserInfo(wanted.email, UserInfoEmail(wanted.email, wanted.verified)))
    back = {"redirectURIOnProviderDashboard": _BACK, "redirectURIQueryParams": {"code": code}}
    response = yield wanted.call("/signinup", thirdPartyId=wanted.provider, redirectURIInfo=back)
    return _signed_up(response, wanted, jar)


# -- what all have in common ---------------------------------------------------------------------------


def _signed_up(response: Answered, wanted: _Wanted, jar: Jar) -> SignUp:
    body = require_ok(response, "the sign-up")
    tokens = Tokens("", "", None)
    session: Any = None
    signed = SignUp(session, tokens, wanted.mode, jar, User.from_json(body["user"]))
    take_tokens(response, signed)
    if wanted.roles:
        with jar.context():
            off_the_loop(lambda: _take_on(wanted.roles, signed))
    return signed


def _take_on(roles: Sequence[str], signed: SignUp) -> None:
    give_roles(roles, signed.session.get_tenant_id(), signed.user.id)
    for claim in (UserRoleClaim, PermissionClaim):
        signed.session.sync_fetch_and_set_claim(claim)
    access = signed.session.get_access_token()
    signed.tokens = replace(signed.tokens, access=access)
    put_tokens(signed.tokens, signed.jar, signed.mode)
