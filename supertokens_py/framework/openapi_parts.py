"""What descriptions of routes in OpenAPI documents are made of: schemas, answers, parameters, headers.

They are valid in OpenAPI 3.0 and 3.1 alike.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

Document: TypeAlias = dict[str, Any]

TEXT: Final[Document] = {"type": "string"}
FLAG: Final[Document] = {"type": "boolean"}
NUMBER: Final[Document] = {"type": "integer"}

_SCHEMA: Final = "#/components/schemas/SuperTokens"


def reference(name: str) -> Document:
    """Return a reference to one of `SCHEMAS`, named without its prefix."""
    return {"$ref": f"{_SCHEMA}{name}"}


def list_of(items: Document) -> Document:
    """Return the schema of an array."""
    return {"type": "array", "items": items}


def object_of(optional: Document | None = None, **properties: Document) -> Document:
    """Return the schema of an object that has all of `properties`, and may have those of `optional`."""
    schema: Document = {"type": "object", "properties": {**properties, **(optional or {})}}
    return {**schema, "required": [*properties]} if properties else schema


def status_of(name: str, **properties: Document) -> Document:
    """Return the schema of an answer by its `status`."""
    return object_of(status={"enum": [name]}, **properties)


def _refusal_with_reason(name: str) -> Document:
    return status_of(name, reason=TEXT)


_THIRD_PARTY: Final = object_of(id=TEXT, userId=TEXT)
_LOGIN_METHOD: Final = object_of(
    {"email": TEXT, "phoneNumber": TEXT, "thirdParty": _THIRD_PARTY},
    recipeId=TEXT,
    recipeUserId=TEXT,
    tenantIds=list_of(TEXT),
    timeJoined=NUMBER,
    verified=FLAG,
)
_USER: Final = object_of(
    id=TEXT,
    isPrimaryUser=FLAG,
    tenantIds=list_of(TEXT),
    timeJoined={**NUMBER, "description": "Unix milliseconds"},
    emails=list_of(TEXT),
    phoneNumbers=list_of(TEXT),
    thirdParty=list_of(_THIRD_PARTY),
    webauthn=object_of(credentialIds=list_of(TEXT)),
    loginMethods=list_of(_LOGIN_METHOD),
)
_INVALID_CLAIMS: Final = object_of(
    {
        "claimValidationErrors": list_of(
            {"type": "object", "properties": {"id": TEXT, "reason": {}}, "required": ["id"]}
        )
    },
    message=TEXT,
)
_GENERAL_ERROR: Final = {
    **status_of("GENERAL_ERROR", message=TEXT),
    "description": "`message` is for people; with `Retry-After` there were too many attempts",
}
_FIELD_ERROR: Final = {
    **status_of("FIELD_ERROR", formFields=list_of(object_of(id=TEXT, error=TEXT))),
    "description": "What is wrong with fields of a form, for people",
}
_FORM: Final = list_of(object_of(id=TEXT, value={}))

#: Schemas that every document gets, by their name without the prefix `SuperTokens`.
SESSION_SCHEMAS: Final[Document] = {
    "Refusal": object_of(message=TEXT),
    "InvalidClaims": _INVALID_CLAIMS,
}
#: Those that documents get with the first route of a sign-in recipe.
SIGN_IN_SCHEMAS: Final[Document] = {
    "User": _USER,
    "Form": _FORM,
    "GeneralError": _GENERAL_ERROR,
    "FieldError": _FIELD_ERROR,
}


def titled(schemas: Document) -> Document:
    """Return schemas by their whole names, which are their titles, too."""
    names = {name: f"SuperTokens{name}" for name in schemas}
    return {names[name]: {"title": names[name], **schema} for name, schema in schemas.items()}


# -- answers -------------------------------------------------------------------------------------------


def json_answer(description: str, schema: Document) -> Document:
    """Return a response whose body is JSON."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def one_of(*schemas: Document, reasons: tuple[str, ...] = ()) -> Document:
    """Return the schema of answers with status 200: a sign-in route may always answer GENERAL_ERROR.

    Args:
        schemas: the answers, told apart by `status`.
        reasons: statuses of answers that have a `reason` besides.
    """
    return {"oneOf": [*schemas, *(_refusal_with_reason(name) for name in reasons), reference("GeneralError")]}


BAD_INPUT: Final = json_answer(
    "The request is no such request; `message` is for developers", reference("Refusal")
)


# -- parameters and headers ----------------------------------------------------------------------------


def query(name: str, description: str, *, required: bool = True) -> Document:
    """Return a parameter of the query."""
    return {"name": name, "in": "query", "required": required, "schema": TEXT, "description": description}


def _header(name: str, description: str, schema: Document = TEXT) -> Document:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


#: How the tokens of a new session travel.
MODE: Final = _header(
    "st-auth-mode", "How tokens are sent: as cookies, or in headers", {"enum": ["cookie", "header"]}
)
VERSION: Final = _header(
    "fdi-version", "What the frontend speaks, such as `4.0`; users have another form before `3.0`"
)
RID: Final = _header("rid", "Any value, where anti-CSRF is by a custom header")


def _sent(description: str) -> Document:
    return {"description": description, "schema": TEXT}


#: Headers of an answer that begins or refreshes a session.
TOKEN_HEADERS: Final[Document] = {
    "Set-Cookie": _sent("`sAccessToken` and `sRefreshToken`, in cookie mode"),
    "st-access-token": _sent("The access token, in header mode"),
    "st-refresh-token": _sent("The refresh token, in header mode"),
    "front-token": _sent("What the frontend may know of the session: base64 of JSON"),
    "anti-csrf": _sent("A token to send with each request, where anti-CSRF is by token"),
}
RETRY_AFTER: Final[Document] = {"Retry-After": _sent("Seconds to wait after too many attempts")}
#: Headers of a refusal, and of the end of a session.
CLEARING_HEADERS: Final[Document] = {
    "Set-Cookie": _sent("Cookies that end at once, where the session is over"),
    "st-access-token": _sent("Empty, where the session is over"),
    "st-refresh-token": _sent("Empty, where the session is over"),
    "front-token": _sent("`remove`, where the session is over"),
    "WWW-Authenticate": _sent("`Bearer`"),
}


def refusals(expired: int, invalid: int) -> Document:
    """Return how requests that need a session are refused, by the statuses of `session.init`."""
    unauthorised = json_answer(
        "No valid session. `unauthorised`: sign in; `try refresh token`: refresh, and ask again",
        reference("Refusal"),
    )
    return {
        str(expired): {**unauthorised, "headers": CLEARING_HEADERS},
        str(invalid): json_answer("The session lacks a claim", reference("InvalidClaims")),
        "503": json_answer("The sessions are out of reach; tokens stay valid", reference("Refusal")),
    }
