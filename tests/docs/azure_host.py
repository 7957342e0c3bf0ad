"""What invokes a function of Azure's, in place of its host: one HTTP request in, one response out."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx2


class AzureHost(httpx2.BaseTransport):
    """Sends a client's requests to the one function that such an application has."""

    def __init__(self, application: Any) -> None:
        (function,) = application.get_functions()
        self._application = application
        self._function: Any = function.get_user_function()
        self._runner = asyncio.Runner()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        from azure.functions import HttpRequest

        given = HttpRequest(
            request.method,
            str(request.url),
            headers=dict(request.headers),
            params=dict(request.url.params),
            body=request.read(),
        )
        answer = self._function(
            given, SimpleNamespace(function_name="", function_directory="", invocation_id="")
        )
        if asyncio.iscoroutine(answer):
            answer = self._runner.run(_finished(answer))
        return httpx2.Response(
            answer.status_code, headers=[*answer.headers.items()], content=answer.get_body()
        )

    def close(self) -> None:
        if getattr(self._application, "startup_task_done", False):
            self._runner.run(self._application.middleware.notify_shutdown())
            self._application.startup_task_done = False  # or its finalizer starts a loop of its own
        self._runner.close()


async def _finished(answer: Any) -> Any:
    return await answer
