"""Who calls the API: a client by its key, a person by a token. (Browsers of the hub's own pages: by their session.)"""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication
from rest_framework_simplejwt.exceptions import InvalidToken
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import Token
from rest_framework_simplejwt.utils import get_md5_hash_password

from accounts.models import ApiKey, SignIn, User
from accounts.parsing import KEY_MARK
from accounts.permissions import grant_columns, keep_grants, principal_of_client
from accounts.services.client_keys import KeyRefused, client_of_key
from accounts.services.sign_ins import note_seen, seen_lately
from supporthub.core.compiled import Select

PASSWORD_CLAIM = api_settings.REVOKE_TOKEN_CLAIM
SIGN_IN_CLAIM = "sid"


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer shk_…`: the client's user acts, with the client's scopes as grants."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        """Return (user, key); None when there is no key of this kind. Raises AuthenticationFailed."""
        words = get_authorization_header(request).split()
        mark = KEY_MARK.encode()
        if len(words) != 2 or words[0].lower() != b"bearer" or not words[1].startswith(mark):  # noqa: PLR2004
            return None
        try:
            key = client_of_key(words[1].decode("latin-1"))
        except KeyRefused as refusal:
            raise AuthenticationFailed(refusal.detail, code=refusal.code) from refusal
        # Read with the key already, so that asking the policy costs no further query.
        _django_request(request).hub_principal = principal_of_client(key.client)  # type: ignore[attr-defined]
        return key.client.user, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class TokenAuthentication(JWTAuthentication):
    """An access token of a sign-in that has not ended, of a person who is active and has the same password still."""

    def get_user(self, validated_token: Token) -> Any:
        """One query: the sign-in with its user. Raises InvalidToken or AuthenticationFailed (401)."""
        sign_in = sign_in_of(validated_token)
        if sign_in is None:
            raise InvalidToken("This sign-in has ended.")
        user = sign_in.user
        if not user.is_active:
            raise AuthenticationFailed("This account is switched off.", code="user_inactive")
        if not same_password(validated_token, user):
            raise AuthenticationFailed("The password has been changed.", code="password_changed")
        if not seen_lately(sign_in.last_seen_at):
            note_seen(sign_in.pk)
        return user


@Select
def _open_sign_ins(number: UUID, user: int) -> QuerySet[SignIn]:
    open_ones = SignIn.objects.select_related("user").filter(pk=number, user_id=user, ended_at=None)
    return open_ones.annotate(**grant_columns("user"))


def sign_in_of(token: Token) -> SignIn | None:
    """Return the sign-in that a token belongs to, with its user; None when it has ended, or the token names none."""
    try:
        number, user = UUID(token.get(SIGN_IN_CLAIM, "")), int(token.get("user_id", ""))
    except (TypeError, ValueError, AttributeError):
        return None
    found = _open_sign_ins.first(number=number, user=user)
    if found is not None:
        keep_grants(found.user, found)
    return found


def same_password(token: Token, user: User) -> bool:
    """Return whether the token was made with the password that the user has now."""
    return bool(token.get(PASSWORD_CLAIM) == get_md5_hash_password(user.password))


def credential_of(request: Request) -> str:
    """Name what opened this request, so that a live socket can end with it; see accounts.credentials."""
    auth: Any = request.auth
    if isinstance(auth, ApiKey):
        return f"key:{auth.pk}"
    if isinstance(auth, Token):
        return f"sign_in:{auth.get(SIGN_IN_CLAIM, '')}"
    session = getattr(_django_request(request), "session", None)
    return f"session:{session.session_key}" if session is not None and session.session_key else ""


def _django_request(request: Request) -> HttpRequest:
    django_request: HttpRequest = getattr(request, "_request", request)
    return django_request
