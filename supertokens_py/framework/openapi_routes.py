"""The SDK's own routes, as OpenAPI documents describe them. Which of them are in use is asked elsewhere.

Left out are the older names of a route, and the same routes of tenants, `{base}/{tenantId}/…`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .openapi_parts import (
    BAD_INPUT,
    CLEARING_HEADERS,
    FLAG,
    MODE,
    NUMBER,
    RETRY_AFTER,
    RID,
    TEXT,
    TOKEN_HEADERS,
    VERSION,
    Document,
    json_answer,
    list_of,
    object_of,
    one_of,
    query,
    reference,
    refusals,
    status_of,
)

#: The refresh token, in the two ways in which it is sent.
REFRESH: Final = "SuperTokensRefresh"
REFRESH_COOKIE: Final = "SuperTokensRefreshCookie"

_FORM_BODY: Final = {"formFields": reference("Form")}
_LINKING: Final = {"shouldTryLinkingWithSessionUser": {**FLAG, "description": "Accounts are not linked"}}
_EMAIL_FORM: Final = object_of(**_FORM_BODY)
_SIGN_IN_FORM: Final = object_of(_LINKING, **_FORM_BODY)
_EXISTS: Final = one_of(status_of("OK", exists=FLAG))
_ATTEMPTS: Final = {"failedCodeInputAttemptCount": NUMBER, "maximumCodeInputAttempts": NUMBER}
_SIGNED_IN: Final = status_of("OK", user=reference("User"))
_SIGNED_IN_OR_UP: Final = status_of("OK", user=reference("User"), createdNewRecipeUser=FLAG)
_FIELD_ERROR: Final = reference("FieldError")


@dataclass(frozen=True)
class Described:
    """A route below the base path, and the operation that describes it."""

    method: str
    path: str
    operation: Document
    is_of_sign_in: bool = False


@dataclass(frozen=True)
class Sessions:
    """How requests authenticate and are refused.

    Args:
        security: how an operation takes an access token.
        expired: the status of requests without a valid session.
        invalid: the status of requests whose session lacks a claim.
    """

    security: list[Document]
    expired: int
    invalid: int

    def refusals(self, *, claims: bool) -> Document:
        """Return the refusals of an operation; `claims`: it may ask for claims, too."""
        found = refusals(self.expired, self.invalid)
        return {status: one for status, one in found.items() if claims or status != str(self.invalid)}


def described(sessions: Sessions) -> Iterator[Described]:
    """Return every route that a recipe may have."""
    yield from _of_sessions(sessions)
    for tag, routes in (
        ("EmailPassword", _of_email_password(sessions)),
        ("EmailVerification", _of_email_verification(sessions)),
        ("Passwordless", _of_passwordless(sessions)),
        ("ThirdParty", _of_third_party(sessions)),
        ("Multitenancy", _of_tenants()),
    ):
        for one in routes:
            yield Described(one.method, one.path, {"tags": [tag], **one.operation}, True)


# -- sessions ------------------------------------------------------------------------------------------


def _of_sessions(sessions: Sessions) -> Iterator[Described]:
    revoke = object_of({"handles": list_of(TEXT), "which": {"enum": ["others", "all"]}})
    refresh: list[Document] = [{REFRESH: []}, {REFRESH_COOKIE: []}]

    def operation(
        summary: str, answer: Document, *, claims: bool = False, body: Document | None = None
    ) -> Document:
        answers = {"200": json_answer("Done", answer), **sessions.refusals(claims=claims)}
        return _operation(summary, answers, body=body, security=sessions.security, tags=["Session"])

    refreshed = operation("Exchange the refresh token for new tokens", {"type": "object"})
    refreshed["responses"]["200"]["headers"] = TOKEN_HEADERS
    yield Described("post", "/session/refresh", {**refreshed, "security": refresh, "parameters": [MODE, RID]})
    ended = operation("End the session", status_of("OK"))
    ended["responses"]["200"]["headers"] = CLEARING_HEADERS
    yield Described("post", "/signout", ended)
    listed = status_of("OK", sessions=list_of({"type": "object"}))
    yield Described("get", "/sessions", operation("List the sessions of the user", listed, claims=True))
    revoked = status_of("OK", revoked=list_of(TEXT))
    ended = operation("End sessions of the user", revoked, claims=True, body=revoke)
    ended["responses"]["200"]["headers"] = CLEARING_HEADERS
    yield Described("post", "/sessions/revoke", ended)
    answer = status_of("OK", restored=FLAG)
    ended = operation("End acting as the user", answer, body=object_of({"returnToken": TEXT}))
    ended["requestBody"]["required"] = False  # browsers send the token in a cookie
    ended["responses"]["200"]["headers"] = {**CLEARING_HEADERS, **TOKEN_HEADERS}
    ended["responses"]["400"] = BAD_INPUT
    yield Described("post", "/impersonation/end", ended)


# -- signing in ----------------------------------------------------------------------------------------


def _of_email_password(sessions: Sessions) -> Iterator[Described]:
    signed = _signing_in(
        sessions,
        "Sign up with e-mail address and password",
        _SIGN_IN_FORM,
        one_of(_SIGNED_IN, _FIELD_ERROR, reasons=("SIGN_UP_NOT_ALLOWED",)),
    )
    yield Described("post", "/signup", signed)
    signed = _signing_in(
        sessions,
        "Sign in with e-mail address and password",
        _SIGN_IN_FORM,
        one_of(
            _SIGNED_IN, _FIELD_ERROR, status_of("WRONG_CREDENTIALS_ERROR"), reasons=("SIGN_IN_NOT_ALLOWED",)
        ),
    )
    yield Described("post", "/signin", signed)
    yield _exists("/emailpassword/email/exists", "email", "an address is taken")
    asked = one_of(status_of("OK"), _FIELD_ERROR, reasons=("PASSWORD_RESET_NOT_ALLOWED",))
    link = _open("Have a link to reset the password sent, if there is such a user", asked, body=_EMAIL_FORM)
    yield Described("post", "/user/password/reset/token", link)
    reset = one_of(status_of("OK"), _FIELD_ERROR, status_of("RESET_PASSWORD_INVALID_TOKEN_ERROR"))
    body = object_of({"method": {"enum": ["token"]}}, token=TEXT, **_FORM_BODY)
    yield Described("post", "/user/password/reset", _open("Set a password by such a link", reset, body=body))


def _of_email_verification(sessions: Sessions) -> Iterator[Described]:
    def guarded(summary: str, answer: Document) -> Document:
        answers = {"200": _answered(answer, TOKEN_HEADERS), **sessions.refusals(claims=False)}
        return _operation(summary, answers, security=sessions.security)

    asked = one_of(status_of("OK"), status_of("EMAIL_ALREADY_VERIFIED_ERROR"))
    yield Described(
        "post", "/user/email/verify/token", guarded("Have a link to verify the address sent", asked)
    )
    used = one_of(status_of("OK"), status_of("EMAIL_VERIFICATION_INVALID_TOKEN_ERROR"))
    body = object_of({"method": {"enum": ["token"]}}, token=TEXT)
    answers = {"200": _answered(used, TOKEN_HEADERS), "400": BAD_INPUT, **sessions.refusals(claims=False)}
    anybody: list[Document] = [*sessions.security, {}]
    verify = _operation("Verify an address by such a link", answers, body=body, security=anybody)
    yield Described("post", "/user/email/verify", verify)
    yield Described(
        "get",
        "/user/email/verify",
        guarded("Say whether the address is verified", one_of(status_of("OK", isVerified=FLAG))),
    )


def _of_passwordless(sessions: Sessions) -> Iterator[Described]:
    contact = {"oneOf": [object_of(_LINKING, email=TEXT), object_of(_LINKING, phoneNumber=TEXT)]}
    flow = {"enum": ["USER_INPUT_CODE", "MAGIC_LINK", "USER_INPUT_CODE_AND_MAGIC_LINK"]}
    sent = status_of("OK", deviceId=TEXT, preAuthSessionId=TEXT, flowType=flow)
    not_allowed, restart = ("SIGN_IN_UP_NOT_ALLOWED",), status_of("RESTART_FLOW_ERROR")
    refused = _refused(sessions)
    create = _open(
        "Have a code or link sent", one_of(sent, reasons=not_allowed), body=contact, refused=refused
    )
    yield Described("post", "/signinup/code", create)
    device = object_of(_LINKING, deviceId=TEXT, preAuthSessionId=TEXT)
    resend = _open("Have another one sent", one_of(status_of("OK"), restart), body=device, refused=refused)
    yield Described("post", "/signinup/code/resend", resend)
    by_code = object_of(_LINKING, preAuthSessionId=TEXT, deviceId=TEXT, userInputCode=TEXT)
    by_link = object_of(_LINKING, preAuthSessionId=TEXT, linkCode=TEXT)
    signed = one_of(
        _SIGNED_IN_OR_UP,
        restart,
        status_of("INCORRECT_USER_INPUT_CODE_ERROR", **_ATTEMPTS),
        status_of("EXPIRED_USER_INPUT_CODE_ERROR", **_ATTEMPTS),
        reasons=not_allowed,
    )
    consume = _signing_in(sessions, "Sign in with a code or a link", {"oneOf": [by_code, by_link]}, signed)
    yield Described("post", "/signinup/code/consume", consume)
    yield _exists("/passwordless/email/exists", "email", "an address is taken")
    yield _exists("/passwordless/phonenumber/exists", "phoneNumber", "a phone number is taken")


def _of_third_party(sessions: Sessions) -> Iterator[Described]:
    place = one_of(
        status_of(
            "OK", urlWithQueryParams=TEXT, pkceCodeVerifier={"description": "A text, or null: none is needed"}
        )
    )
    parameters = [
        query("thirdPartyId", "The id of the provider"),
        query("redirectURIOnProviderDashboard", "Where the provider sends the browser back to"),
        query("clientType", "Which client of the provider, where it has several", required=False),
    ]
    asked = _open("Say where to send the browser to sign in", place, parameters=parameters)
    yield Described("get", "/authorisationurl", asked)
    redirect = object_of(
        {"pkceCodeVerifier": TEXT},
        redirectURIOnProviderDashboard=TEXT,
        redirectURIQueryParams={"type": "object"},
    )
    optional = {"clientType": TEXT, **_LINKING}
    body: Document = {
        "oneOf": [
            object_of(optional, thirdPartyId=TEXT, redirectURIInfo=redirect),
            object_of(optional, thirdPartyId=TEXT, oAuthTokens={"type": "object"}),
        ]
    }
    signed = one_of(
        _SIGNED_IN_OR_UP, status_of("NO_EMAIL_GIVEN_BY_PROVIDER"), reasons=("SIGN_IN_UP_NOT_ALLOWED",)
    )
    sign_in = _signing_in(sessions, "Sign in with what a provider sent", body, signed)
    yield Described("post", "/signinup", sign_in)
    location = {"Location": {"description": "The page, with the form as its query", "schema": TEXT}}
    form = {"application/x-www-form-urlencoded": {"schema": object_of(state=TEXT)}}
    answers = {"303": {"description": "On to the website", "headers": location}, "400": BAD_INPUT}
    back = _operation("Where Apple posts its form", answers)
    yield Described("post", "/callback/apple", {**back, "requestBody": {"content": form, "required": True}})


def _of_tenants() -> Iterator[Described]:
    switch = object_of(enabled=FLAG)
    provider = object_of(id=TEXT, name={"description": "A text, or null"})
    offered = status_of(
        "OK",
        emailPassword=switch,
        passwordless=switch,
        thirdParty=object_of(enabled=FLAG, providers=list_of(provider)),
        webauthn=switch,
        firstFactors=list_of(TEXT),
    )
    client = query("clientType", "Which client of the providers, where they have several", required=False)
    asked = _open("Say by which ways people may sign in", one_of(offered), parameters=[client])
    yield Described("get", "/loginmethods", asked)


def _exists(path: str, parameter: str, what: str) -> Described:
    asked = [query(parameter, "What is asked about")]
    return Described("get", path, _open(f"Say whether {what}", _EXISTS, parameters=asked))


# -- operations ----------------------------------------------------------------------------------------


def _refused(sessions: Sessions) -> Document:
    """Return the answers of a tenant that has other ways to sign in."""
    return {str(sessions.expired): json_answer("The tenant has other ways to sign in", reference("Refusal"))}


def _signing_in(sessions: Sessions, summary: str, body: Document, answer: Document) -> Document:
    operation = _open(summary, answer, body=body, refused=_refused(sessions))
    operation["responses"]["200"]["headers"] = {**TOKEN_HEADERS, **RETRY_AFTER}
    return {**operation, "parameters": [MODE, VERSION]}


def _open(
    summary: str,
    answer: Document,
    *,
    body: Document | None = None,
    parameters: list[Document] | None = None,
    refused: Document | None = None,
) -> Document:
    """Return an operation that anybody may ask for."""
    unreachable = json_answer("The users are out of reach", reference("Refusal"))
    answers = {"200": _answered(answer), "400": BAD_INPUT, **(refused or {}), "503": unreachable}
    operation = _operation(summary, answers, body=body)
    return operation if parameters is None else {**operation, "parameters": parameters}


def _answered(answer: Document, headers: Document | None = None) -> Document:
    sent = {**(headers or {}), **RETRY_AFTER}
    return {**json_answer("What became of it: see `status`", answer), "headers": sent}


def _operation(
    summary: str,
    responses: Document,
    *,
    body: Document | None = None,
    security: list[Document] | None = None,
    tags: list[str] | None = None,
) -> Document:
    operation: Document = {"summary": summary, "security": security or [], "responses": responses}
    if tags is not None:
        operation["tags"] = tags
    if body is not None:
        operation["requestBody"] = {"content": {"application/json": {"schema": body}}, "required": True}
    return operation
