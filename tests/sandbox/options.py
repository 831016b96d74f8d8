"""What the program is started with."""

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from pathlib import Path

JIRA_USER = "hub@sandbox.example"


@dataclass(frozen=True, slots=True)
class Options:
    """``base_url`` is the address that links in answers use; it never ends in a slash."""

    host: str
    port: int
    data: Path
    secret: str
    base_url: str
    jira_token: str
    entra_secret: str


def derived_token(secret: str, system: str) -> str:
    """The credential a system expects when none was given: it follows from the start secret, which both sides know."""
    return hmac.new(secret.encode(), f"sandbox:{system}".encode(), hashlib.sha256).hexdigest()[:40]


def is_loopback(host: str) -> bool:
    """True for ``localhost`` and for literal addresses of the loopback network."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
