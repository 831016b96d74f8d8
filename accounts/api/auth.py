"""Tokens of the native API, and who is asking."""

from typing import Any, ClassVar

from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.serializers import TokenRefreshSerializer
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.views import TokenObtainPairView, TokenRefreshView

from accounts.api.access import ClientActions
from accounts.api.authentication import SIGN_IN_CLAIM, credential_of, same_password, sign_in_of
from accounts.choices import Action, SignInKind, SignInWay
from accounts.models import User
from accounts.parsing import device_name
from accounts.permissions import principal_for
from accounts.services.codes import WrongCode, has_codes, must_have_codes, use_code
from accounts.services.passwords import check_password, count_failure, log_break_glass
from accounts.services.sign_ins import note_sign_in
from supporthub.core.api.schema import refusal
from supporthub.core.api.serializers import StrictSerializer
from supporthub.core.api.throttling import OpenScopedThrottle
from supporthub.core.live.tickets import issue_ticket
from supporthub.core.middleware import client_address


def acting(request: Request) -> User:
    """Return the signed-in user; only for views that require one."""
    if not isinstance(request.user, User):
        raise NotAuthenticated
    return request.user


class CredentialsSerializer(StrictSerializer):
    """E-mail, password and, where the account has them on, a one-time code. The lockout counts these attempts too."""

    email = serializers.CharField(write_only=True, max_length=254)
    password = serializers.CharField(write_only=True, max_length=4096, trim_whitespace=False)
    otp = serializers.CharField(
        write_only=True, required=False, default="", allow_blank=True, max_length=40,
        help_text="The code that the authenticator app shows, or a recovery code; for accounts with one-time codes.",
    )  # fmt: skip
    access = serializers.CharField(read_only=True)
    refresh = serializers.CharField(read_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Return the tokens of a new sign-in. Raises AuthenticationFailed with a code that says what is missing."""
        request = self.context["request"]._request  # noqa: SLF001  (the lockout marks Django's request)
        user = check_password(request, email=attrs["email"], password=attrs["password"])
        if user is None:
            raise AuthenticationFailed("No active account found with the given credentials", code="no_active_account")
        way = _second_step(request, user, attrs["otp"])
        refresh = RefreshToken.for_user(user)
        sign_in = note_sign_in(
            user=user, kind=SignInKind.TOKEN, way=way, device=device_name(request.headers.get("User-Agent", "")),
            address=client_address(request), expires_at=timezone.now() + refresh.lifetime,
        )  # fmt: skip
        refresh[SIGN_IN_CLAIM] = str(sign_in.pk)
        # The signal resets the lockout's count, notes the last sign-in, and tells the audit trail.
        user_logged_in.send(sender=User, request=request, user=user)
        log_break_glass(request, user)
        return {"refresh": str(refresh), "access": str(refresh.access_token)}


def _second_step(request: HttpRequest, user: User, typed: str) -> SignInWay:
    """Return how the person came in; AuthenticationFailed: otp_required, otp_wrong, otp_not_set_up; CodesLocked."""
    if not has_codes(user):
        if must_have_codes(user):
            detail = "This account must have one-time codes. Sign in to the web UI once to set them up."
            raise AuthenticationFailed(detail, code="otp_not_set_up")
        return SignInWay.PASSWORD
    if not typed:
        raise AuthenticationFailed("This account needs a one-time code: send it as otp.", code="otp_required")
    try:
        return use_code(user=user, typed=typed)
    except WrongCode as refusal:
        count_failure(request, user.email)
        raise AuthenticationFailed(refusal.detail, code=refusal.code) from refusal


@extend_schema(
    summary="Sign in: e-mail and password (and a one-time code) for a pair of tokens",
    responses={200: CredentialsSerializer, 401: refusal("Wrong, not active, or a one-time code is missing or wrong.")},
)
class TokenView(TokenObtainPairView):
    """POST /api/v1/auth/token/"""

    serializer_class = CredentialsSerializer
    throttle_classes = [OpenScopedThrottle]
    throttle_scope = "sign_in"


class RenewalSerializer(StrictSerializer, TokenRefreshSerializer):
    """A refresh token of a sign-in that goes on, for a new access token."""

    refresh = serializers.CharField(write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, str]:
        """Raises InvalidToken (401) when the sign-in has ended, the account is off or its password has changed."""
        token = RefreshToken(attrs["refresh"])
        sign_in = sign_in_of(token)
        if sign_in is None or not sign_in.user.is_active or not same_password(token, sign_in.user):
            raise InvalidToken("This sign-in has ended.")
        return {"access": str(token.access_token)}


@extend_schema(
    summary="Renew the access token",
    responses={200: RenewalSerializer, 401: refusal("This is no refresh token, or its sign-in has ended.")},
)
class RefreshView(TokenRefreshView):
    """POST /api/v1/auth/token/refresh/"""

    serializer_class = RenewalSerializer
    throttle_classes = [OpenScopedThrottle]
    throttle_scope = "sign_in"


class GrantSerializer(serializers.Serializer[Any]):
    role = serializers.CharField()
    organisation = serializers.IntegerField(allow_null=True)
    board = serializers.IntegerField(allow_null=True)


class MeSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="`user` or `client`.")
    email = serializers.EmailField()
    name = serializers.CharField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    grants = GrantSerializer(many=True)
    may = serializers.ListField(child=serializers.CharField(), help_text="Actions allowed somewhere.")


class MeView(APIView):
    """GET /api/v1/me/"""

    client_actions: ClassVar[ClientActions] = {"GET": ()}

    @extend_schema(responses=MeSerializer, summary="Who is asking, and what they may do")
    def get(self, request: Request) -> Response:
        who, user = principal_for(request), acting(request)
        body = {
            "kind": "client" if who.client_id else "user",
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

    client_actions: ClassVar[ClientActions] = {"POST": (Action.VIEW_TICKET,)}

    @extend_schema(
        request=None,
        responses={201: {"type": "object", "properties": {"ticket": {"type": "string"}}, "required": ["ticket"]}},
        summary="A one-time ticket for a live socket: open /ws/live/?ticket=… within 30 seconds",
    )
    def post(self, request: Request) -> Response:
        return Response({"ticket": issue_ticket(credential_of(request))}, status=201)
