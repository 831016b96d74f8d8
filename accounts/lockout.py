"""Whom the lockout counts: one person, however they write their address and whichever door they try."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest


def sign_in_name(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """Return the address in lower case: the form calls it `username`, the API `email`."""
    given = credentials or {}
    name = given.get("username") or given.get("email") or request.POST.get("username") or ""
    return str(name).strip().lower()[:254]
