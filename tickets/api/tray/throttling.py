"""How often a tray client may call. Fails open while Redis is away.

A proven caller is counted by themselves: a whole office, or everybody behind the gateway, comes from one address. Who
is refused is counted by address, and only then, so that one broken client does not shut the door for its neighbours.
"""

import hashlib
from types import SimpleNamespace
from typing import Any

from rest_framework.exceptions import Throttled
from rest_framework.request import Request

from accounts.callers import TrayCaller
from supporthub.core.api.throttling import OpenScopedThrottle

_BOTH_CALLS: Any = SimpleNamespace(throttle_scope="tray")


class TrayThrottle(OpenScopedThrottle):
    """THROTTLE_TRAY for one name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def get_cache_key(self, request: Request, view: Any) -> str:
        return f"throttle_tray_{self._name}"

    def demand(self, request: Request) -> None:
        """Count this call; raises Throttled."""
        if not self.allow_request(request, _BOTH_CALLS):
            raise Throttled(wait=self.wait())


def count_caller(request: Request, caller: TrayCaller) -> None:
    """Count a call of somebody proven. Raises Throttled."""
    person = f"{caller.tenant_id}:{caller.object_id or caller.upn}"
    TrayThrottle(hashlib.sha256(person.encode()).hexdigest()).demand(request)


def count_refusal(request: Request, address: str) -> None:
    """Count a refused call. Raises Throttled."""
    TrayThrottle(f"refused_{hashlib.sha256(address.encode()).hexdigest()}").demand(request)
