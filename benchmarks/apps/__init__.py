"""The applications that are measured, one per framework, each in every variant."""

_SDKS = tuple(
    f"{owner}{kind}"
    for owner in ("ours", "supertokens-python")
    for kind in (": middleware", "", ": 2 validators")
)
OTHERS = ("starlette", "litestar", "quart", "aiohttp", "sanic", "tornado", "drf", "ninja")
VARIANTS = {
    "fastapi": ("bare", "trivial dependency", *_SDKS, "fastapi-users", "PyJWT by hand"),
    "flask": ("bare", *_SDKS, "flask-jwt-extended", "PyJWT by hand"),
    "django": ("bare", *_SDKS, "signed-cookie session", "login_required"),
    # What those for whom there are no peers here add to a bare route.
    **dict.fromkeys(OTHERS, ("bare", "ours")),
}
