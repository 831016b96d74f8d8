"""Anchors: the chain's end, signed, with copies in the default storage and in the log.

Whoever makes the chain anew or cuts its tail has the database only; the copies still say what it was.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from accounts.chain import ANCHOR_DOMAIN, VERSION, moment_text, proof_of
from accounts.models import AuditAnchor

FOLDER = "audit/anchors"
_FETCH = 2000

logger = structlog.get_logger(__name__)


def sealing_key() -> tuple[str, bytes]:
    """Return id and secret of the first key of AUDIT_KEY."""
    keys: Mapping[str, bytes] = settings.AUDIT_KEYS
    return next(iter(keys.items()))


def make_anchor(*, seal: int, mac: str, at: datetime) -> AuditAnchor:
    """Write and sign an anchor; call it in the sealer's transaction. Its copies follow with `store_anchors`."""
    key_id, key = sealing_key()
    anchor = AuditAnchor(seal=seal, mac=bytes.fromhex(mac), at=at, key_id=key_id, proof=b"")
    anchor.proof = bytes.fromhex(proof_of(key, ANCHOR_DOMAIN, content_of(anchor)))
    anchor.save(force_insert=True)
    return anchor


def store_anchors() -> int:
    """Copy anchors into the default storage and the log; returns how many. A repetition finds what is there already.

    The name holds number and MAC, so that a listing is enough to compare.
    """
    stored = 0
    for anchor in AuditAnchor.objects.filter(stored_at=None).order_by("seal"):
        content = content_of(anchor)
        name = f"{FOLDER}/{_name_of(anchor.seal, content['mac'])}"
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile((json.dumps(content, sort_keys=True) + "\n").encode()))
        logger.info("audit.anchored", **content)
        AuditAnchor.objects.filter(pk=anchor.pk, stored_at=None).update(stored_at=timezone.now())
        stored += 1
    return stored


def content_of(anchor: AuditAnchor) -> dict[str, Any]:
    """An anchor as files, the log and exports hold it."""
    return {
        "at": moment_text(anchor.at),
        "key": anchor.key_id,
        "mac": bytes(anchor.mac).hex(),
        "proof": bytes(anchor.proof).hex(),
        "seal": anchor.seal,
        "v": VERSION,
    }


def anchors_of_database() -> Iterator[dict[str, Any]]:
    """Every anchor that the database has, in order."""
    for anchor in AuditAnchor.objects.order_by("seal").iterator(chunk_size=_FETCH):
        yield content_of(anchor)


def anchors_of_storage() -> list[dict[str, Any]]:
    """Number and MAC of every copy in the default storage, by one listing."""
    try:
        names = default_storage.listdir(FOLDER)[1]
    except FileNotFoundError:  # nothing was anchored yet
        return []
    return [{"seal": int(seal), "mac": mac} for seal, mac in map(_parts_of, sorted(names)) if seal.isdigit()]


def stored_moment(seal: int, mac: str) -> str:
    """When the copy of this anchor says that it was made; empty when the copy cannot be read."""
    with default_storage.open(f"{FOLDER}/{_name_of(seal, mac)}") as file:
        try:
            return str(json.loads(file.read())["at"])
        except (ValueError, KeyError, TypeError):
            return ""


def _name_of(seal: int, mac: str) -> str:
    return f"{seal:015d}-{mac}.json"


def _parts_of(name: str) -> tuple[str, str]:
    seal, _dash, mac = name.removesuffix(".json").partition("-")
    return seal, mac
