"""Identifiers: request ids, markers for outside systems."""

import base64
import hashlib
import re
import secrets

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def new_request_id() -> str:
    return secrets.token_hex(8)


def accepted_request_id(offered: str | None) -> str:
    """Return the caller's request id when it is harmless, else a new one."""
    return offered if offered and _REQUEST_ID.fullmatch(offered) else new_request_id()


def marker(*parts: str) -> str:
    """Return a short, stable, opaque tag for an object of ours in an outside system.

    26 base32 characters of a SHA-256 over the parts: safe as a Jira label (no whitespace, lower case), 130 bits.
    """
    digest = hashlib.sha256("|".join(parts).encode()).digest()
    return "ext-" + base64.b32encode(digest).decode().lower()[:26]
