"""Creating requests that may be sent twice: the same key and body get the same answer.

The row is inserted in the transaction that creates the thing. A twin in flight blocks on the unique index until the
first commits or rolls back; PostgreSQL's lock time-out turns a long wait into a clear answer.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from accounts.models import IdempotentRequest
from supporthub.core.errors import Conflicted, InvalidInput

KEEP = timedelta(hours=24)
LONGEST_WAIT_MS = 10_000
MAX_KEY = 255
# One statement for one round trip: the wait is bounded before the row is inserted, and not any more once it is there.
# Without a row in the answer there was a twin, and it has committed.
_INSERT = """
INSERT INTO accounts_idempotentrequest
    (principal, method, path, key, body_hash, status, location, answer, created_at)
SELECT %(principal)s, %(method)s, %(path)s, %(key)s, %(body_hash)s, 0, '', NULL, now()
FROM (SELECT set_config('lock_timeout', %(wait)s, true)) AS patience
ON CONFLICT (principal, method, path, key) DO NOTHING
RETURNING id, set_config('lock_timeout', '0', true)
"""
_ANSWER = "UPDATE accounts_idempotentrequest SET status = %s, location = %s, answer = %s WHERE id = %s"
_dumps = partial(json.dumps, cls=DjangoJSONEncoder)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client gets; `replayed` when it is the stored answer of an earlier request."""

    status: int
    body: Any
    location: str = ""
    replayed: bool = False


def body_hash(data: Any) -> str:
    """Return the SHA-256 of canonical JSON: key order and spacing do not count."""
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def once(*, principal: str, method: str, path: str, key: str, data: Any, create: Callable[[], Answer]) -> Answer:
    """Run `create` in a transaction at most once for this principal, method, path and key.

    Raises Conflicted: `idempotency_mismatch` when the key came with another body, `idempotency_in_progress` when a
    twin has not finished within ten seconds. Without a key every call creates.
    """
    if not key:
        with transaction.atomic():
            return create()
    if len(key) > MAX_KEY or not key.isprintable():
        raise InvalidInput(
            _("Not accepted: %(name)s.") % {"name": "Idempotency-Key"},
            errors={"Idempotency-Key": [_("At most 255 printable characters.")]},
        )
    digest = body_hash(data)
    scope = {"principal": principal, "method": method, "path": path, "key": key}
    try:
        return _first_or_stored(scope, digest, create)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != "55P03":  # lock_not_available
            raise
        detail = _("A request with this Idempotency-Key is still under way; ask again in a moment.")
        raise Conflicted(detail, code="idempotency_in_progress") from error


def forget_old() -> int:
    """Delete what is older than a day; returns how many."""
    return IdempotentRequest.objects.filter(created_at__lt=timezone.now() - KEEP).delete()[0]


def _first_or_stored(scope: dict[str, str], digest: str, create: Callable[[], Answer]) -> Answer:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, {**scope, "body_hash": digest, "wait": str(LONGEST_WAIT_MS)})
            made = cursor.fetchone()
        if made is None:
            return _replay(IdempotentRequest.objects.get(**scope), digest)
        answer = create()
        with connection.cursor() as cursor:
            values: list[Any] = [answer.status, answer.location, Jsonb(answer.body, dumps=_dumps), made[0]]
            cursor.execute(_ANSWER, values)
    return answer


def _replay(stored: IdempotentRequest, digest: str) -> Answer:
    if stored.body_hash != digest:
        raise Conflicted(_("This Idempotency-Key was used with another content."), code="idempotency_mismatch")
    return Answer(stored.status, stored.answer, stored.location, replayed=True)
