"""Whether browsers could bind sessions to devices with some settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from supertokens_py.urls import host_of, is_local, scheme_of

from .findings import Finding

_TOPIC = "device binding"


def check_device_binding(
    api: str,
    website: str,
    *,
    secure: bool,
    cookie_domain: str | None,
    transfer: str,
    initiators: Sequence[str],
    cors_origins: Sequence[str] | None,
) -> Iterator[Finding]:
    """Return what is noteworthy; `init` refuses the errors as well.

    Args:
        api: the origin of the API.
        website: that of the website, whose host is an initiator by itself.
        initiators: those of `DeviceBinding`.
        cors_origins: origins that may call the API; None: not known.
    """
    errors = list(_errors(api, secure=secure, cookie_domain=cookie_domain, transfer=transfer))
    yield from errors
    known = {host_of(api), host_of(website), *(host.lower() for host in initiators)}
    callers = {one: host_of(one.rstrip("/").lower()) for one in cors_origins or () if one != "*"}
    strange = {origin: host for origin, host in callers.items() if host not in known}
    for origin, host in strange.items():
        yield Finding(
            "warning",
            _TOPIC,
            f"pages of {origin} may call the API, and cannot have an expired bound cookie renewed",
            f"DeviceBinding(initiators=[{host!r}])",
        )
    if not errors and not strange:
        others = sorted(known - {host_of(api)})
        named = f", and pages of {', '.join(others)} make it prove that" if others else ""
        yield Finding("ok", _TOPIC, f"a browser can bind sessions of {api} to its device{named}")


def _errors(api: str, *, secure: bool, cookie_domain: str | None, transfer: str) -> Iterator[Finding]:
    if scheme_of(api) != "https" or not secure:
        advice = "serve the API over https, and leave cookie_secure at its default"
        if is_local(host_of(api)):
            advice = "also in development: https with a certificate that the browser trusts"
        yield Finding("error", _TOPIC, f"no browser binds sessions of {api} to its device", advice)
    if cookie_domain is not None:
        yield Finding(
            "error",
            _TOPIC,
            f"the cookies belong to all hosts of {cookie_domain}, and a device proves itself to one",
            "leave cookie_domain out",
        )
    if transfer == "header":
        yield Finding(
            "error", _TOPIC, "sessions in headers cannot be bound", "leave get_token_transfer_method out"
        )
