"""Tokens of the native API, and who is asking."""

from typing import Any

from django.contrib.auth.models import update_last_login
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.serializers import TokenObtainPairSerializer
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from accounts.choices import Action
from accounts.models import User
from accounts.permissions import principal_for
from supporthub.core.api.throttling import OpenScopedThrottle
from supporthub.core.live.tickets import issue_ticket


def acting(request: Request) -> User:
    """Return the signed-in user; only for views that require one."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class CredentialsSerializer(TokenObtainPairSerializer):
    """E-mail and password for a pair of tokens; the lockout counts these attempts too."""

    username_field = "email"

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        attrs["email"] = attrs["email"].strip().lower()
        # simplejwt hands its request to authenticate(), which is where the lockout listens.
        tokens = super().validate({**attrs, "username": attrs["email"]})
        if isinstance(self.user, User):
            update_last_login(User, self.user)
        return {key: str(value) for key, value in tokens.items()}


@extend_schema(summary="Sign in: e-mail and password for a pair of tokens")
class TokenView(TokenObtainPairView):
    """POST /api/v1/auth/token/"""

    serializer_class = CredentialsSerializer
    throttle_classes = [OpenScopedThrottle]
    throttle_scope = "sign_in"

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response = super().post(request, *args, **kwargs)
        if getattr(request._request, "axes_locked_out", False):  # noqa: SLF001 (DRF wraps the request that axes marks)
            raise AuthenticationFailed("Too many wrong passwords; try again later.", code="locked_out")
        return response


@extend_schema(summary="Renew the access token")
class RefreshView(TokenRefreshView):
    """POST /api/v1/auth/token/refresh/"""

    throttle_classes = [OpenScopedThrottle]
    throttle_scope = "sign_in"


class GrantSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    organisation = serializers.IntegerField(allow_null=True)
    board = serializers.IntegerField(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    grants = GrantSerializer(many=True)
    may = serializers.ListField(child=serializers.CharField(), help_text="Actions allowed somewhere.")


class MeView(APIView):
    """GET /api/v1/me/"""

    @extend_schema(responses=MeSerializer, summary="Who is asking, and what they may do")
    def get(self, request: Request) -> Response:
        who, user = principal_for(request), acting(request)
        body = {
            "email": user.email,
            "name": user.name,
            "language": user.language,
            "time_zone": user.time_zone,
            "grants": sorted(who.grants, key=lambda grant: (grant.role, grant.organisation or 0, grant.board or 0)),
            "may": sorted(action for action in Action if who.may_anywhere(action)),
        }
        return Response(MeSerializer(body).data)


class LiveTicketView(APIView):
    """POST /api/v1/live/ticket/"""

    @extend_schema(
        request=None,
        responses={201: {"type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket"]}},
        summary="A one-time ticket for a live socket: open /ws/live/?ticket=… within 30 seconds",
    )
    def post(self, request: Request) -> Response:
        return Response({"ticket": issue_ticket(acting(request).pk)}, status=201)
