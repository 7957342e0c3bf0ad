"""Which service delivers what a recipe sends: the application's, or none in development."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from supertokens_py.exceptions import ConfigError

S = TypeVar("S")


class Delivery(Protocol[S]):
    """What an application gives to `init`: a service, and changes of it."""

    service: S | None
    override: Callable[[S], S] | None


@dataclass(frozen=True, kw_only=True)
class Fallback(Generic[S]):
    """What there is where the application chose no service."""

    #: Used on a developer's machine, or where nothing is to be sent; None: an application has to choose.
    service: S | None
    #: What an override that sends by itself gets elsewhere; it says what is missing when it is used.
    unusable: S
    missing: str  #: the error of `init`


def service_of(
    config: Delivery[S] | None,
    fallback: Fallback[S],
    *,
    complete: Callable[[S], S],
    argument: str,
) -> S:
    """Return what delivers the messages of a recipe.

    Args:
        config: what the application gave to `init`.
        fallback: what there is without it.
        complete: fills in what the application's own service left to the recipe.
        argument: what `config` is called, for the error.

    Raises:
        ConfigError: there is no service, and there has to be one.
    """
    service = None if config is None else config.service
    if service is not None:
        service = complete(service)
    elif fallback.service is not None:
        service = fallback.service
    elif config is not None and config.override is not None:
        service = fallback.unusable  # an override that sends by itself never asks it
    else:
        raise ConfigError(fallback.missing)
    if config is None or config.override is None:
        return service
    changed: Any = config.override(service)
    if changed is None:
        raise ConfigError(f"the override of {argument} returned None; it must return the service")
    return changed
