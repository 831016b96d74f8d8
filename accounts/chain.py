"""The audit trail's arithmetic, pure: the canonical form of an entry, its MAC, digests of personal values.

The format is fixed by docs/adr/0007-audit-trail.md, so that another program can recompute it; scripts/verify_audit.py
does. A change of anything here is a new VERSION.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

VERSION = 1
GENESIS = "0" * 64  # what comes before the first entry
ENTRY_DOMAIN = "supporthub-audit-entry-1"
ANCHOR_DOMAIN = "supporthub-audit-anchor-1"
MANIFEST_DOMAIN = "supporthub-audit-manifest-1"
# The members of an entry that are sealed. Everything else of a line in an export only stands beside them.
FACTS = (
    "action", "actor_id", "actor_kind", "at", "data", "digests", "id", "key", "organisation", "request", "seal",
    "target_id", "target_type", "v",
)  # fmt: skip

Facts = Mapping[str, Any]
# RFC 8785 for what is in an entry: strings, whole numbers below 2**53, true, false, null; ASCII names, sorted.
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> str:
    """Return the RFC 8785 form of a value that holds no fractions and only ASCII names."""
    return _encode(value)


def moment_text(when: datetime) -> str:
    """Return a moment as it is sealed: UTC with six digits after the second, `2026-01-31T08:15:00.000000Z`."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def entry_mac(key: bytes, previous: str, body: str) -> str:
    """Return HMAC-SHA256 in hex over domain, the MAC of the entry before (hex) and the canonical body, one a line."""
    return hmac.digest(key, f"{ENTRY_DOMAIN}\n{previous}\n{body}".encode(), "sha256").hex()


def proof_of(key: bytes, domain: str, content: Facts) -> str:
    """Return HMAC-SHA256 in hex that signs an anchor or a manifest; its own member `proof` does not count."""
    signed = {name: value for name, value in content.items() if name != "proof"}
    return hmac.digest(key, f"{domain}\n{canonical(signed)}".encode(), "sha256").hex()


def digest_of(salt: bytes, value: str) -> str:
    """Return the salted digest of a personal value: HMAC-SHA256 in hex with the salt as key.

    Who has entry and value but no salt cannot tell whether they belong together: erasing the salt erases the link.
    """
    return hmac.digest(salt, value.encode(), "sha256").hex()


def same(one: str, other: str) -> bool:
    """Compare two MACs in constant time."""
    return hmac.compare_digest(one.encode(), other.encode())
