"""The API; every view asks for a session, as the settings say, but for the log-in."""

import hmac
import os

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from supertokens_py.framework.django.rest import SessionAuthentication
from supertokens_py.recipe.session.syncio import create_new_session, revoke_all_sessions_for_user

PASSWORD = os.environ.get("EXAMPLE_PASSWORD", "demo")  # everybody's; a real application keeps a hash per user


class Credentials(serializers.Serializer):
    user = serializers.CharField(max_length=64)
    password = serializers.CharField()

    def validate_password(self, password):
        if not hmac.compare_digest(password.encode(), PASSWORD.encode()):
            raise serializers.ValidationError("wrong password")  # 400: a 401 would make frontends refresh
        return password


class Login(APIView):
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(request=Credentials, responses=dict)
    def post(self, request):
        given = Credentials(data=request.data)
        given.is_valid(raise_exception=True)
        user = given.validated_data["user"]
        create_new_session(request, "public", user, {"visits": 0})
        return Response({"user": user})


class Me(APIView):
    @extend_schema(responses=dict)
    def get(self, request):
        session = request.auth
        payload = session.get_access_token_payload()
        return Response({"user": str(request.user), "handle": session.get_handle(), "payload": payload})


class Visits(APIView):
    @extend_schema(request=None, responses=dict)
    def post(self, request):
        visits = request.auth.get_access_token_payload().get("visits", 0) + 1
        request.auth.sync_merge_into_access_token_payload({"visits": visits})
        return Response({"visits": visits})


class Verified(APIView):
    """Notices a revoked session at once; the others trust an access token until it expires."""

    authentication_classes = (SessionAuthentication.configured(check_database=True),)

    @extend_schema(responses=dict)
    def get(self, request):
        return Response({"user": str(request.user), "checked": "database"})


class SignOutEverywhere(APIView):
    @extend_schema(request=None, responses=dict)
    def post(self, request):
        request.auth.sync_revoke_session()  # this one, so that the response clears its tokens
        others = revoke_all_sessions_for_user(request.auth.get_user_id())
        return Response({"ended": 1 + len(others)})
