"""What each code of an error means, and what to do (docs: Errors): for developers, never for clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Explanation(NamedTuple):
    """What one code means: the classes that have it, or what happened; and what to do ("" is nothing)."""

    meaning: str
    advice: str


EXPLANATIONS: Mapping[str, Explanation] = {
    "error": Explanation(
        "`SuperTokensError`, `AnsweredError`, and the base classes of recipes that 0.24 has",
        "Not raised by itself.",
    ),
    "misuse": Explanation(
        "`GeneralError`",
        "Change the code: the message says how.",
    ),
    "config": Explanation(
        "`ConfigError`",
        "Change the argument or variable that the message names.",
    ),
    "protected_claim": Explanation(
        "`ProtectedClaimError`",
        "Choose other names for your claims.",
    ),
    "payload_too_large": Explanation(
        "`PayloadTooLargeError`",
        "Keep less in the payload: session data has room for more.",
    ),
    "payload_type": Explanation(
        "`PayloadTypeError`",
        "The payload was written otherwise than this route reads it; give new fields a default.",
    ),
    "bad_input": Explanation(
        "`BadInputError`",
        "Read the message: it names the argument or the part of the request.",
    ),
    "request_too_large": Explanation(
        "`RequestTooLargeError`, a `BadInputError`",
        "Send less: the message says how much is read.",
    ),
    "unknown_tenant": Explanation(
        "`UnknownTenantError`, a `BadInputError`",
        "Create the tenant first.",
    ),
    "client_type_not_found": Explanation(
        "`ClientTypeNotFoundError` of `recipe.thirdparty.exceptions`, a `BadInputError`",
        "Name one of the provider's `client_type`s, or configure one client.",
    ),
    "too_many_attempts": Explanation(
        "`TooManyAttemptsError`",
        "Wait for `retry_after_ms`; see Sign-up and sign-in.",
    ),
    "too_busy": Explanation(
        "`TooBusyError`, a `TooManyAttemptsError`",
        "More passwords wait to be hashed than `argon2_hashing_queue_size`: more processes, or a "
        "limit in your proxy; see Passwords.",
    ),
    "form_fields": Explanation(
        "`FieldError` of `recipe.emailpassword.exceptions`",
        "Show each field its error: `form_fields` has them.",
    ),
    "provider": Explanation(
        "`ProviderError` of `recipe.thirdparty.exceptions`",
        "Read the message: the provider refused, does not answer, or said something that does not fit.",
    ),
    "engine_unavailable": Explanation(
        "`EngineUnavailableError`",
        "Look at the database or the core; `supertokens doctor` helps.",
    ),
    "unreadable_database": Explanation(
        "`UnreadableDatabaseError`",
        "Read the message: a command cannot read the database.",
    ),
    "no_token": Explanation(
        "No access token came, or something else in its place, and the route requires a session.",
        "Cookies: `SameSite`, domain, `credentials` of the frontend's `fetch`. Header mode: `Authorization`.",
    ),
    "not_a_session_token": Explanation(
        "A function such as `get_session_without_request_response` was given a string that is no "
        "access token of a session.",
        "Pass the access token, not the refresh token or a JWT of `create_jwt`.",
    ),
    "options_request": Explanation(
        "`verify_session` guards an OPTIONS or TRACE request.",
        "Let the CORS layer answer those before the guard.",
    ),
    "not_a_navigation": Explanation(
        "A prefetch, a picture, a frame or a script asked for the refresh on the way to a page.",
        "Nothing: browsers that go to the page are refreshed. Tests and programs say `Accept: text/html`.",
    ),
    "legacy_cookie": Explanation(
        "A cookie of SDKs before tokens were JWTs.",
        "Nothing: the frontend refreshes.",
    ),
    "duplicate_access_cookies": Explanation(
        "Two access cookies, of two domains.",
        "`older_cookie_domain`: see Cookies.",
    ),
    "duplicate_cookies": Explanation(
        "At a refresh, a session cookie came twice, and no setting says which is the old one (500).",
        "Set `older_cookie_domain`: see Cookies.",
    ),
    "duplicate_cookies_cleared": Explanation(
        "The cookies of the older domain have been expired (status 200).",
        "Nothing: the frontend repeats the refresh.",
    ),
    "cookies_impossible": Explanation(
        "Browsers would drop the cookies of this website and this API.",
        "Serve the API over https, or use header mode.",
    ),
    "access_token_expired": Explanation(
        "The access token expired.",
        "Nothing: the frontend refreshes.",
    ),
    "access_token_due": Explanation(
        "A page was asked for with less than half of the access token's lifetime left "
        "(`session.init(pages=...)`; 303).",
        "Nothing: the browser is redirected to refresh.",
    ),
    "access_token_version": Explanation(
        "The access token is older than this SDK reads.",
        "Nothing: the frontend refreshes.",
    ),
    "access_token_signature": Explanation(
        "The signature is not one of the key that the token names.",
        "Nothing, unless it repeats: then the token is changed on its way, or forged.",
    ),
    "access_token_not_yet_valid": Explanation(
        "The token was issued in the future.",
        "Set the clocks of the hosts.",
    ),
    "access_token_superseded": Explanation(
        "A later refresh replaced the token (only where the database is asked).",
        "Nothing: the frontend refreshes.",
    ),
    "access_token_invalid": Explanation(
        "A call that changes a payload was given an access token whose signing key is gone, or none at all.",
        "Pass the session's current access token; long-lived connections verify the session again first.",
    ),
    "access_token_too_large": Explanation(
        "After a refresh, the access token does not fit a cookie (500); the refresh token is new.",
        "Remove claims from the payload with `merge_into_access_token_payload`.",
    ),
    "signing_key_setting": Explanation(
        "The token is signed with the other family of keys.",
        "`use_dynamic_access_token_signing_key` was changed: sessions go on after a refresh.",
    ),
    "signing_key_unknown": Explanation(
        "No key with the token's `kid`.",
        "Another database or core issued it, or its key has been dropped.",
    ),
    "issuer_unknown": Explanation(
        "The token's `iss` is another API's.",
        "`accepted_issuers`, where several API domains share a database.",
    ),
    "csrf_header_missing": Explanation(
        "The header `rid` is missing.",
        "Use the frontend SDK, and allow the header in CORS: `get_all_cors_headers()`.",
    ),
    "csrf_token_missing": Explanation(
        "The header `anti-csrf` is missing.",
        "Use the frontend SDK; CORS has to allow the header and to expose it.",
    ),
    "csrf_token_absent": Explanation(
        "The access token has no anti-CSRF token.",
        'Nothing: the session is older than `anti_csrf="VIA_TOKEN"`, and the frontend refreshes.',
    ),
    "csrf_token_wrong": Explanation(
        "The anti-CSRF token is another session's, or missing at a refresh.",
        "Usually two tabs with two sessions; else forged.",
    ),
    "foreign_form": Explanation(
        "A page of another origin posted a form to a route of the SDK.",
        "Nothing, if the page is not yours.",
    ),
    "foreign_page": Explanation(
        "A page of another origin asked for a session in cookies, or to change one at a route of the SDK; "
        "with `pages`, it posted to a route that asks for a session.",
        "`api_domain`, `website_domain` or `origin` must name that page if it is yours, or it sends `rid`; "
        "see Cookies.",
    ),
    "foreign_websocket": Explanation(
        "A WebSocket of a page of another origin.",
        "`api_domain`, `website_domain` or `origin` must name that page if it is yours.",
    ),
    "refresh_token_missing": Explanation(
        "No refresh token came.",
        "The refresh path of the frontend and of the cookie must be the same.",
    ),
    "refresh_token_missing_access_sent": Explanation(
        "No refresh token came, though an access token did.",
        "The refresh path of the frontend and of the cookie must be the same.",
    ),
    "refresh_token_invalid": Explanation(
        "The refresh token is not one of this database.",
        "Another database or master key issued it, or it is forged.",
    ),
    "refresh_token_reused": Explanation(
        "A rotated-out refresh token was used; the session has been revoked.",
        "Look at the event `session.reuse`: Security.",
    ),
    "session_revoked": Explanation(
        "The session was revoked, and this process knows that without asking the database (Instant "
        "revocation).",
        "The user signs in again.",
    ),
    "sessions_cut_off": Explanation(
        "So many sessions were revoked at once that every session has to refresh once; those that "
        "live go on.",
        "Nothing: the frontend refreshes.",
    ),
    "session_gone": Explanation(
        "The session was revoked, or it expired.",
        "The user signs in again.",
    ),
    "session_expired_idle": Explanation(
        "The session was not refreshed within its idle time; its row has not been cleaned up yet.",
        "The user signs in again, or sessions get a longer `lifetime`.",
    ),
    "session_expired_absolute": Explanation(
        "The session has reached its absolute end.",
        "The user signs in again; a re-authentication before the end begins a new one.",
    ),
    "payload_protected": Explanation(
        "The stored payload has a claim that only the SDK may write; another program wrote it.",
        "Remove it with `merge_into_access_token_payload`.",
    ),
    "claims_failed": Explanation(
        "A claim validator fails (403).",
        "The body lists which.",
    ),
    "authentication_not_fresh": Explanation(
        "A route asks for a newer, or a stronger, authentication than the session has (403).",
        "Have the user authenticate, then call `reauthenticate`; see Step-up.",
    ),
    "guest_not_allowed": Explanation(
        "A guest came to a route for users (403).",
        "Have the visitor sign in, or write `verify_session(allow_guests=True)`; see Guests.",
    ),
    "impersonation_refused": Explanation(
        "Somebody may not act as this user, or not do this while they act as one (403).",
        "The message says why; see Impersonation.",
    ),
    "session_limit": Explanation(
        "A sign-in was refused (409; at routes of sign-in recipes 200): its user has as many sessions "
        "as `SessionLimit` allows.",
        "The user ends one; see Limits.",
    ),
    "device_not_bound": Explanation(
        "A route is for sessions that are bound to a device, and this one is not; or its payload "
        "leaves no room to bind it (403).",
        "See Device-bound sessions; a browser that can has it bound some minutes after the log-in.",
    ),
    "device_proof_missing": Explanation(
        "A session that is bound to a device came without its cookie, or with an old one.",
        "At a refresh somebody may have copied the tokens: look at the event `device.proof_missing`. "
        "Otherwise the frontend refreshes.",
    ),
    "device_proof_delayed": Explanation(
        "A browser could not prove its device for now, and says so (503); tokens stay.",
        "Nothing: it tries again.",
    ),
    "device_proof_wanted": Explanation(
        "A browser is to sign a new challenge: it sent no proof, or one over an old challenge (403).",
        "Nothing: it signs and asks again.",
    ),
    "device_proof_wrong": Explanation(
        "What came as the proof of a device is none, is another key's, or came too late to bind the "
        "session (403, 400).",
        "Nothing: the session stays as it is.",
    ),
    "not_a_first_factor": Explanation(
        "A sign-in by a way that the tenant's `first_factors` do not name.",
        "Name it there, or sign in by another way first.",
    ),
    "user_unknown": Explanation(
        "The user of the session was deleted, or `get_email_for_recipe_user_id` does not know them.",
        "Revoke the sessions of users that you delete yourself.",
    ),
    "core_refused": Explanation(
        "A core refused, with a message that is none of those known here.",
        "Read the message in the log.",
    ),
    "application": Explanation(
        "Your own code raised the error.",
        "",
    ),
}
