"""Which `iss` an access token may have: the app's own, and those that `session.init` names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import cached_property


class Issuers:
    """The `iss` of an app's own sessions, and those of the access tokens that it accepts.

    Args:
        own: returns the app's own; asked late and once, since the OpenID recipe is configured after this.
        others: what `session.init(accepted_issuers=...)` names besides; None accepts all.
    """

    def __init__(self, own: Callable[[], str], others: frozenset[str] | None) -> None:
        self._own = own
        self._others = others

    @cached_property
    def own(self) -> str:
        """The `iss` of new sessions."""
        return self._own()

    @cached_property
    def accepted(self) -> frozenset[str] | None:
        """The `iss` of access tokens that are accepted; None for all."""
        return None if self._others is None else self._others | {self.own}

    def accepts(self, issuer: object) -> bool:
        """Return whether a token with this `iss` is accepted; one without (None) is."""
        return is_issuer_accepted(issuer, self.accepted)


def is_issuer_accepted(issuer: object, issuers: Container[str] | None) -> bool:
    """Return whether a payload with this `iss` (None: without) is accepted; None as `issuers` accepts all."""
    return issuers is None or issuer is None or (isinstance(issuer, str) and issuer in issuers)
