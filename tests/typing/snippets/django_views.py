"""Django: a decorated view keeps its type."""

from typing import assert_type

from django.http import HttpRequest, HttpResponse

from supertokens_py.recipe.session.framework.django import asyncio, syncio


@asyncio.verify_session()
async def later(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(str(number))


@syncio.verify_session(session_required=False)
def now(request: HttpRequest, number: int) -> HttpResponse:
    return HttpResponse(str(number))


async def check(request: HttpRequest) -> None:
    assert_type(await later(request, 1), HttpResponse)
    assert_type(now(request, 1), HttpResponse)
    now(request, "one")  # error: reportArgumentType; mypy: arg-type
