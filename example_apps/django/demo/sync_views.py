"""The same views, blocking: what a project under WSGI usually has."""

from django.http import JsonResponse
from django.views.decorators.http import require_GET, require_POST

from demo.forms import BadInputError, checked_user
from supertokens_py.recipe.session.framework.django.syncio import verify_session
from supertokens_py.recipe.session.syncio import create_new_session, revoke_all_sessions_for_user


@require_POST
def login(request):
    try:
        user = checked_user(request)
    except BadInputError as error:
        return JsonResponse({"message": str(error)}, status=400)
    create_new_session(request, "public", user, {"visits": 0})
    return JsonResponse({"user": user})


@require_GET
@verify_session()
def me(request):
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
def count_visit(request):
    visits = request.supertokens.get_access_token_payload().get("visits", 0) + 1
    request.supertokens.sync_merge_into_access_token_payload({"visits": visits})
    return JsonResponse({"visits": visits})


@require_GET
@verify_session(check_database=True)
def verified(request):
    return JsonResponse({"user": request.supertokens.get_user_id(), "checked": "database"})


@require_POST
@verify_session()
def sign_out_everywhere(request):
    request.supertokens.sync_revoke_session()  # this one, so that the response clears its tokens
    others = revoke_all_sessions_for_user(request.supertokens.get_user_id())
    return JsonResponse({"ended": 1 + len(others)})
