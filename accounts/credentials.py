"""What opened a live socket, and who that is now: read again while the socket is open. Only reads.

A credential is a word: `session:<key>` (a browser), `sign_in:<id>` (API tokens), `key:<id>` (an API client).
"""

import uuid
from importlib import import_module

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import ApiKey, SignIn, User
from accounts.permissions import Principal, principal_of, principal_of_client


def principal_of_credential(credential: str) -> Principal | None:
    """Return today's principal; None when the session, sign-in, key or account has ended, or the word is unknown."""
    kind, _, value = credential.partition(":")
    if kind == "session":
        return _of_session(value)
    if kind == "sign_in":
        return _of_sign_in(value)
    return _of_key(value) if kind == "key" and value.isdigit() else None


def _of_session(session_key: str) -> Principal | None:
    """Django's own `get_user` may flush the session or give it a new key, which no socket can tell a browser."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    user = User.objects.filter(pk=session[SESSION_KEY], is_active=True).first()
    if user is None:
        return None
    proofs = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    held = session.get(HASH_SESSION_KEY, "")
    # An unknown key is loaded as an empty session, and has failed above already.
    return principal_of(user) if any(constant_time_compare(held, proof) for proof in proofs) else None


def _of_sign_in(sign_in_id: str) -> Principal | None:
    try:
        wanted = uuid.UUID(sign_in_id)
    except ValueError:
        return None
    sign_in = (
        SignIn.objects.select_related("user")
        .filter(pk=wanted, ended_at=None, expires_at__gt=timezone.now(), user__is_active=True)
        .first()
    )
    return principal_of(sign_in.user) if sign_in else None


def _of_key(key_id: str) -> Principal | None:
    key = ApiKey.objects.select_related("client__user", "client__organisation").filter(pk=key_id).first()
    now = timezone.now()
    if key is None or not key.is_usable(now) or not key.client.is_usable(now):
        return None
    return principal_of_client(key.client)
