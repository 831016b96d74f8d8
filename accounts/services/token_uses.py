"""What a token buys: one submission (or several, by a setting), and the same answer for the same content.

Call inside the transaction that opens the ticket, after everything else was checked: what is refused before must not
use a token up, and what fails after it gives the token back.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.callers import TrayCaller
from accounts.models.entra import REFUSED, TokenUse

WINDOW = timedelta(hours=1)
KEEP_AFTER_END = timedelta(days=1)
LONGEST_WAIT_MS = 10_000
FIRST_USE = 1
# One statement for one round trip: the wait is bounded before the lock is asked for, and not any more once it is held.
_LOCK = """
SELECT pg_advisory_xact_lock(%(person)s), set_config('lock_timeout', '0', true)
FROM (SELECT set_config('lock_timeout', %(wait)s, true)) AS patience
"""


class Outcome(StrEnum):
    FIRST = "first"  # bought: open the ticket under `instance_id`
    SAME = "same"  # the same content came before: `instance_id` is that one's
    EXCHANGED = "exchanged"  # nothing left to buy: `instance_id` stands for the refusal, and only for it


@dataclass(frozen=True, slots=True)
class Use:
    instance_id: uuid.UUID
    outcome: Outcome


def submission_hash(*, title: str, description: str, picture: str = "") -> str:
    """Return the digest of a submission's content. `picture` is its SHA-256 in hex; its name does not count."""
    return hashlib.sha256(json.dumps([title, description, picture]).encode()).hexdigest()


def use_token(*, caller: TrayCaller, content_hash: str) -> Use:
    """Exchange the caller's token for a submission of this content.

    The first use of a token always buys. A further content buys only when TRAY_SUBMISSIONS_PER_TOKEN is more than 1,
    and then while the person made fewer than so many submissions within the last hour, with whichever tokens. What is
    refused gets a lasting `instance_id` too, so that a client can ask about it: the same content, the same refusal.

    Needs an open transaction and holds a lock on the person until its end, so simultaneous calls decide one after the
    other; OperationalError (lock_not_available) when that takes longer than ten seconds.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("use_token must share the submission's transaction")
    _lock(caller)
    of_token = TokenUse.objects.filter(scope_key=caller.scope_key)
    seen = {use.content_hash: use for use in of_token.filter(Q(content_hash=content_hash) | Q(ordinal=FIRST_USE))}
    if known := seen.get(content_hash):
        return Use(known.instance_id, Outcome.EXCHANGED if known.ordinal == REFUSED else Outcome.SAME)
    now, ordinal = timezone.now(), FIRST_USE
    if seen:
        ordinal = of_token.exclude(ordinal=REFUSED).count() + 1 if _has_some_left(caller, now) else REFUSED
    made = TokenUse.objects.create(
        scope_key=caller.scope_key, ordinal=ordinal, content_hash=content_hash, tenant_id=caller.tenant_id,
        object_id=caller.object_id, upn=caller.upn, created_at=now, expires_at=caller.expires_at,
    )  # fmt: skip
    return Use(made.instance_id, Outcome.EXCHANGED if ordinal == REFUSED else Outcome.FIRST)


def find_use(instance_id: uuid.UUID) -> TokenUse | None:
    """Return what stands behind an `instance_id`: a submission, or (ordinal 0) a refusal. For status polling."""
    return TokenUse.objects.filter(instance_id=instance_id).first()


def forget_used_tokens() -> int:
    """Delete uses of tokens that ended more than a day ago, which nobody can present again; returns how many."""
    return TokenUse.objects.filter(expires_at__lt=timezone.now() - KEEP_AFTER_END).delete()[0]


def _has_some_left(caller: TrayCaller, now: datetime) -> bool:
    allowed = settings.TRAY_SUBMISSIONS_PER_TOKEN
    if allowed == 1:
        return False
    person = {"object_id": caller.object_id} if caller.object_id else {"object_id": None, "upn": caller.upn}
    lately = TokenUse.objects.filter(tenant_id=caller.tenant_id, created_at__gt=now - WINDOW, **person)
    return lately.exclude(ordinal=REFUSED).count() < allowed


def _lock(caller: TrayCaller) -> None:
    """One transaction a person at a time. The wait is bounded, and only the wait for this lock."""
    person = f"token-use:{caller.tenant_id}:{caller.object_id or caller.upn}"
    key = int.from_bytes(hashlib.sha256(person.encode()).digest()[:8], "big", signed=True)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, {"wait": str(LONGEST_WAIT_MS), "person": key})
