"""Writing the audit trail. One statement, inside the transaction of what it tells of: both stand or neither.

The sealed part holds ids and codes only. Text of or about a person goes into `personal`: its salted digest is sealed,
the text itself lies in a side row that can be erased without breaking the chain.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.audit_actions import is_known, register_actions
from accounts.chain import canonical, digest_of
from accounts.choices import ActorKind
from accounts.models import AuditText, User
from accounts.verification import ELSEWHERE, ERASED

MOST_TEXT = 4000  # characters of a personal text
SALT_BYTES = 16
_ERASED_AT_ONCE = 500  # entries that one record of an erasure names
_PLAIN = re.compile(r"[\w.:,/+-]{0,200}", re.ASCII)
_LARGEST = 2**53  # beyond it not every JSON reader keeps whole numbers
# No ORM and one round trip, also with personal text: every accepted ticket pays for this.
_ENTRY = """
INSERT INTO accounts_auditentry
    (at, actor_kind, actor_id, action, target_type, target_id, organisation_id, request_id, data, digests)
VALUES (clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s::jsonb)
RETURNING id
"""
_ENTRY_AND_TEXT = f"""
WITH entry AS ({_ENTRY})
INSERT INTO accounts_audittext (entry_id, salt, texts) SELECT id, %s, %s::jsonb FROM entry RETURNING entry_id
"""  # noqa: S608  (two constants)

register_actions(
    {
        ERASED: _("personal text erased"),
        "audit.exported": _("audit trail exported"),
        "hold.placed": _("hold placed"),
        "hold.lifted": _("hold lifted"),
        "lockout.released": _("lockout released"),
        "role.granted": _("role given"),
        "role.revoked": _("role taken away"),
        "user.locked_out": _("locked out after failed sign-ins"),
        "user.password_set": _("password set by somebody else"),
        "user.preferences_changed": _("own preferences changed"),
        "user.sign_in_failed": _("sign-in failed"),
        "user.signed_in": _("signed in"),
        "user.signed_out": _("signed out"),
    }
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a kind and an id, never a name or an address."""

    kind: str
    id: str = ""


SYSTEM = Actor(ActorKind.SYSTEM)


def actor_of(user: Any) -> Actor:
    """Return a user, or the API client that a user's row stands for, as an actor; nobody is the hub itself."""
    if not isinstance(user, User):
        return SYSTEM
    if user.is_client:
        return Actor(ActorKind.CLIENT, str(user.api_client.pk))
    return Actor(ActorKind.USER, str(user.pk))


def record(
    *, actor: Actor, action: str, target_type: str, target_id: object, organisation_id: int | None,
    data: Mapping[str, Any] | None = None, personal: Mapping[str, str] | None = None,
    proofs: Mapping[str, str] | None = None,
) -> int:  # fmt: skip
    """Add an entry to the trail and return its id: one statement. Arguments and errors as `statement_of`; refuses with
    RuntimeError to run outside a transaction."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"{action} was recorded outside a transaction")
    statement, values = statement_of(
        actor=actor, action=action, target_type=target_type, target_id=target_id, organisation_id=organisation_id,
        data=data, personal=personal, proofs=proofs,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])


def statement_of(
    *, actor: Actor, action: str, target_type: str, target_id: object, organisation_id: int | None,
    data: Mapping[str, Any] | None = None, personal: Mapping[str, str] | None = None,
    proofs: Mapping[str, str] | None = None,
) -> tuple[str, list[Any]]:  # fmt: skip
    """Return the statement that adds an entry, and its values, for who sends several statements in one go.

    It has to be executed inside the transaction of what it tells of.

    `data`: ids and codes, sealed as they are; ValueError for anything that looks like text or is a fraction.
    `personal`: texts by name, kept in the side row until they are erased; their salted digests are sealed.
    `proofs`: values that lie elsewhere (a message): only the digest is kept, the salt in the side row.

    Raises ValueError for an unregistered action, too.
    """
    if not is_known(action):
        raise ValueError(f"{action!r} is no registered action; see accounts.audit_actions")
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))[:64]
    values: list[Any] = [
        str(actor.kind), actor.id, action, target_type, str(target_id), organisation_id, request_id,
        _plain(data) if data else "{}",
    ]  # fmt: skip
    if not personal and not proofs:
        return _ENTRY, [*values, "{}"]
    salt = os.urandom(SALT_BYTES)
    texts = {name: storable(value) for name, value in (personal or {}).items()}
    digests = {name: digest_of(salt, value) for name, value in texts.items()}
    digests |= {ELSEWHERE + name: digest_of(salt, value) for name, value in (proofs or {}).items()}
    return _ENTRY_AND_TEXT, [*values, canonical(digests), salt, canonical(texts)]


@transaction.atomic
def erase_texts(*, entry_ids: Iterable[int], actor: Actor) -> int:
    """Erase personal texts and salts of these entries for good, and record that. Returns how many there were."""
    erased, wanted = 0, sorted(set(entry_ids))
    for begin in range(0, len(wanted), _ERASED_AT_ONCE):
        some = wanted[begin : begin + _ERASED_AT_ONCE]
        there = list(AuditText.objects.filter(pk__in=some).order_by("pk").values_list("pk", flat=True))
        if not there:
            continue
        AuditText.objects.filter(pk__in=there).delete()
        record(
            actor=actor, action=ERASED, target_type="auditentry", target_id=there[0], organisation_id=None,
            data={"entries": there},
        )  # fmt: skip
        erased += len(there)
    return erased


def storable(text: str) -> str:
    """Return a text as PostgreSQL can keep it: no null byte, no lone surrogate, at most MOST_TEXT characters."""
    return text[:MOST_TEXT].replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _plain(data: Mapping[str, Any]) -> str:
    for name, value in data.items():
        if not (isinstance(name, str) and name and _PLAIN.fullmatch(name) and _is_plain(value)):
            raise ValueError(f"audit data {name!r} is neither an id nor a code: personal text belongs into `personal`")
    return canonical(data)


def _is_plain(value: Any) -> bool:
    if isinstance(value, str):
        return _PLAIN.fullmatch(value) is not None
    if isinstance(value, list | tuple):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, bool) or (isinstance(value, int) and abs(value) < _LARGEST)
