"""The async views, and the page."""

import mimetypes
from pathlib import Path

from django.http import Http404, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET, require_POST

from demo.forms import BadInputError, checked_user
from supertokens_py.recipe.session.asyncio import create_new_session, revoke_all_sessions_for_user
from supertokens_py.recipe.session.framework.django.asyncio import verify_session

PAGE = Path(__file__).parents[2] / "page"
FILES = {file.name: file for file in PAGE.iterdir()}


@require_POST
async def login(request):
    try:
        user = checked_user(request)
    except BadInputError as error:
        return JsonResponse({"message": str(error)}, status=400)
    await create_new_session(request, "public", user, {"visits": 0})
    return JsonResponse({"user": user})


@require_GET
@verify_session()
async def me(request):
    session = request.supertokens
    return JsonResponse(
        {
            "user": session.get_user_id(),
            "handle": session.get_handle(),
            "payload": session.get_access_token_payload(),
        }
    )


@require_POST
@verify_session()
async def count_visit(request):
    visits = request.supertokens.get_access_token_payload().get("visits", 0) + 1
    await request.supertokens.merge_into_access_token_payload({"visits": visits})
    return JsonResponse({"visits": visits})


@require_GET
@verify_session(check_database=True)
async def verified(request):
    """Notices a revoked session at once; the others trust an access token until it expires."""
    return JsonResponse({"user": request.supertokens.get_user_id(), "checked": "database"})


@require_POST
@verify_session()
async def sign_out_everywhere(request):
    await request.supertokens.revoke_session()  # this one, so that the response clears its tokens
    others = await revoke_all_sessions_for_user(request.supertokens.get_user_id())
    return JsonResponse({"ended": 1 + len(others)})


@require_GET
def page(request, name="index.html"):
    if name not in FILES:
        raise Http404(name)
    return HttpResponse(FILES[name].read_bytes(), content_type=mimetypes.guess_type(name)[0])
