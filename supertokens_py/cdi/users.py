"""Users as JSON objects, to the wire and from it.

From CDI 4.0 a user has login methods. Below, each login method is a user of its own, with `recipeId` beside
it where users are listed.
"""

from __future__ import annotations

from collections.abc import Iterable

from supertokens_py.engine.user_records import EMAIL_PASSWORD, ConsumedToken, UserPage, VerifiedEmail
from supertokens_py.types.base import JSONObject, RecipeUserId
from supertokens_py.types.users import LoginMethod, ThirdPartyInfo, User

from .records import member, optional_member, texts
from .versions import Version

#: Beside `WRONG_CREDENTIALS_ERROR`: how long to wait after too many wrong passwords. Official cores count
#: none, and their clients know no other refusal; they read on as if the password were wrong.
RETRY_AFTER = "retryAfterMs"


# To the wire


def user_to_wire(user: User, method: LoginMethod, version: Version) -> JSONObject:
    """Return a user; below CDI 4.0 the login method that is meant."""
    if not version.knows_recipe_users:
        return _method_to_wire(method)
    wire = user.to_json()
    if not version.knows_webauthn:
        del wire["webauthn"]
    return wire


def users_to_wire(users: Iterable[User], version: Version) -> list[JSONObject]:
    """Return a list of users."""
    if version.knows_recipe_users:
        return [user_to_wire(user, user.login_methods[0], version) for user in users]
    return [
        {"recipeId": method.recipe_id, "user": _method_to_wire(method)}
        for user in users
        for method in user.login_methods
    ]


def page_to_wire(page: UserPage, version: Version) -> JSONObject:
    """Return the answer to a question for some users in order."""
    answer: JSONObject = {"status": "OK", "users": users_to_wire(page.users, version)}
    if page.next_token is not None:
        answer["nextPaginationToken"] = page.next_token
    return answer


def signed_in_to_wire(user: User, method: LoginMethod, version: Version) -> JSONObject:
    """Return the answer to sign-up and sign-in."""
    answer: JSONObject = {"status": "OK", "user": user_to_wire(user, method, version)}
    if version.knows_recipe_users:
        answer["recipeUserId"] = str(method.recipe_user_id)
    return answer


def consumed_to_wire(used: ConsumedToken | VerifiedEmail) -> JSONObject:
    """Return the answer to the use of a token that resets a password or verifies an address."""
    return {"status": "OK", "userId": used.user_id, "email": used.email}


def email_password_method(
    user: User, email: str | None = None, tenant_id: str | None = None
) -> LoginMethod | None:
    """Return the login method that has an address, else the first with a password, of one tenant or any."""
    methods = [
        method
        for method in user.login_methods
        if method.recipe_id == EMAIL_PASSWORD and tenant_id in (None, *method.tenant_ids)
    ]
    own = [method for method in methods if method.has_same_email_as(email)]
    return next(iter(own or methods), None)


def _method_to_wire(method: LoginMethod) -> JSONObject:
    json = method.to_json()
    wire = {name: json[name] for name in ("email", "phoneNumber", "thirdParty") if name in json}
    return {
        "id": str(method.recipe_user_id),
        "timeJoined": method.time_joined,
        "tenantIds": list(method.tenant_ids),
        **wire,
    }


# From the wire, of CDI 5.0 or later


def user_from_wire(wire: object) -> User:
    """Read a user."""
    webauthn = optional_member(wire, "webauthn", dict) or {}
    methods = [_method_from_wire(item) for item in member(wire, "loginMethods", list)]
    member({"loginMethods": methods or None}, "loginMethods", list)  # nobody is without one
    return User(
        id=member(wire, "id", str),
        is_primary_user=member(wire, "isPrimaryUser", bool),
        login_methods=methods,
        webauthn_credential_ids=tuple(texts(webauthn, "credentialIds")) if webauthn else (),
    )


def users_from_wire(answer: JSONObject) -> list[User]:
    """Read the users of an answer that is OK."""
    return [user_from_wire(item) for item in member(answer, "users", list)]


def page_from_wire(answer: JSONObject) -> UserPage:
    """Read what `page_to_wire` writes."""
    return UserPage(users_from_wire(answer), optional_member(answer, "nextPaginationToken", str))


def consumed_from_wire(answer: JSONObject) -> ConsumedToken:
    """Read what `consumed_to_wire` writes."""
    return ConsumedToken(member(answer, "userId", str), member(answer, "email", str))


def verified_from_wire(answer: JSONObject) -> VerifiedEmail:
    """Read what `consumed_to_wire` writes."""
    return VerifiedEmail(member(answer, "userId", str), member(answer, "email", str))


def _method_from_wire(wire: object) -> LoginMethod:
    third_party = optional_member(wire, "thirdParty", dict)
    return LoginMethod(
        recipe_id=member(wire, "recipeId", str),
        recipe_user_id=RecipeUserId(member(wire, "recipeUserId", str)),
        tenant_ids=texts(wire, "tenantIds"),
        time_joined=member(wire, "timeJoined", int),
        verified=member(wire, "verified", bool),
        email=optional_member(wire, "email", str),
        phone_number=optional_member(wire, "phoneNumber", str),
        third_party=None
        if third_party is None
        else ThirdPartyInfo(member(third_party, "userId", str), member(third_party, "id", str)),
    )
