"""The applications that are measured, one per framework, each in every variant."""

_SDKS = tuple(
    f"{owner}{kind}"
    for owner in ("ours", "supertokens-python")
    for kind in (": middleware", "", ": 2 validators")
)
VARIANTS = {
    "fastapi": ("bare", "trivial dependency", *_SDKS, "fastapi-users", "PyJWT by hand"),
    "flask": ("bare", *_SDKS, "flask-jwt-extended", "PyJWT by hand"),
    "django": ("bare", *_SDKS, "signed-cookie session", "login_required"),
}
