"""Which API client a key belongs to."""

import hmac
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiClient, ApiKey
from accounts.parsing import MalformedKey, parse_key
from supporthub.core.errors import HubError

SEEN_EVERY: Final = timedelta(minutes=1)
_NOBODY: Final = "0" * 64


class KeyRefused(HubError):
    """401: this key opens nothing. The codes that say more are given only to who has the whole key."""

    status = 401


def client_of_key(raw: str) -> ApiKey:
    """Return the key's row with its client; KeyRefused otherwise. Writes when it was last used, at most once a minute.

    An unknown key and one with a wrong secret get the same answer in the same time.
    """
    try:
        key = parse_key(raw)
    except MalformedKey as error:
        detail = "This is not a whole API key: a character is missing or mistyped."
        raise KeyRefused(detail, code="key_malformed") from error
    row = ApiKey.objects.select_related("client__user", "client__organisation").filter(prefix=key.prefix).first()
    if not hmac.compare_digest(row.digest if row else _NOBODY, key.digest) or row is None:
        raise KeyRefused("This API key is not valid here.", code="key_not_valid")
    _refuse_ended(row)
    _note_use(row)
    return row


def _refuse_ended(row: ApiKey) -> None:
    now = timezone.now()
    if row.revoked_at is not None:
        raise KeyRefused("This API key was revoked.", code="key_revoked")
    if not row.is_usable(now):
        raise KeyRefused("This API key has ended.", code="key_expired")
    if not row.client.is_usable(now):
        raise KeyRefused("This API client was switched off, or has ended.", code="client_off")


def _note_use(row: ApiKey) -> None:
    now = timezone.now()
    if row.last_used_at is not None and row.last_used_at > now - SEEN_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - SEEN_EVERY)
    if ApiKey.objects.filter(stale, pk=row.pk).update(last_used_at=now):
        ApiClient.objects.filter(stale, pk=row.client_id).update(last_used_at=now)
