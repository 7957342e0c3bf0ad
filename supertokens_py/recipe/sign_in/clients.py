"""How often one client may sign up, fail to sign in, or ask for e-mails, whichever addresses it names."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from supertokens_py.engine.call import call_engine
from supertokens_py.engine.user_services import ClientKind
from supertokens_py.events import ClientRefused, emit
from supertokens_py.exceptions import BadInputError, TooBusyError, TooManyAttemptsError
from supertokens_py.framework.request import BaseRequest
from supertokens_py.recipe.session.exceptions import SignInLimitError
from supertokens_py.recipe_module import App


async def admit(app: App, kind: ClientKind, request: BaseRequest, user_context: dict[str, Any]) -> None:
    """Count what a client asks for, where the application says whom requests come from.

    Raises:
        TooManyAttemptsError: it has had its share of the hour.
    """
    client = app.clients.network_of(request)
    if client is None:
        return
    wait_ms = await call_engine(user_context, app.engine.clients.begin, kind, client)
    if wait_ms:
        emit(ClientRefused(kind=kind, retry_after_ms=wait_ms))
        raise TooManyAttemptsError(wait_ms)


@asynccontextmanager
async def admitted(
    app: App, kind: ClientKind, request: BaseRequest, user_context: dict[str, Any]
) -> AsyncGenerator[None]:
    """Do as `admit`, and take it back where the post within fails for what is no failure of the client.

    That is a machine which is too busy, and a limit of sessions, which comes after right credentials.

    Raises:
        TooManyAttemptsError: it has had its share of the hour.
    """
    await admit(app, kind, request, user_context)
    try:
        yield
    except (TooBusyError, SignInLimitError) as error:
        if kind == "sign_in" or isinstance(error, TooBusyError):  # a sign-up was one, without a session, too
            await take_back(app, kind, request, user_context)
        raise


async def asked_about(app: App, request: BaseRequest, user_context: dict[str, Any]) -> str:
    """Return the address that a client asks about, whether it is taken.

    Raises:
        BadInputError: it names none.
        TooManyAttemptsError: it has asked too often.
    """
    email = request.get_query_param("email")
    if email is None:
        raise BadInputError("Please provide the email as a GET param")
    await admit(app, "exists", request, user_context)
    return email


def client_of(app: App, user_context: dict[str, Any]) -> str | None:
    """Return whom the request of a user context comes from, where that is known."""
    request = app.get_request_from_user_context(user_context)
    return app.clients.network_of(request) if isinstance(request, BaseRequest) else None


async def take_back(app: App, kind: ClientKind, request: BaseRequest, user_context: dict[str, Any]) -> None:
    """Take back what `admit` counted: it was no failure. Other failures of the client stay counted."""
    client = app.clients.network_of(request)
    if client is not None:
        await call_engine(user_context, app.engine.clients.take_back, kind, client)
