"""What API clients may call, and how often. People are judged by the views themselves, through the same policy."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.choices import Action
from accounts.permissions import ScopeMissing, principal_for, scope_missing
from supporthub.core.api.throttling import OpenScopedThrottle

if TYPE_CHECKING:  # at run time it is not there yet: these classes are defaults of it
    from rest_framework.views import APIView

ClientActions = Mapping[str, tuple[Action, ...]]
READS = ("GET", "HEAD", "OPTIONS")


class ScopesAllow(BasePermission):
    """For API clients: the view's `client_actions` names for each method the actions of which one must be allowed.

    An empty tuple: any client. A method that is not named, or a view without the attribute, is closed to clients.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return True, or raise ScopeMissing with the scopes that would do."""
        who = principal_for(request)
        if not who.client_id:
            return True
        wanted = opened_to_clients(view, str(request.method))
        if wanted is None:
            if request.method not in view.allowed_methods:
                return True  # it has no such method, for anybody: 405
            raise ScopeMissing("This call is not open to API clients; sign in as a person.")
        if wanted and not any(who.may_anywhere(action) for action in wanted):
            raise scope_missing(wanted)
        return True

    def refusal_for(self, view: "APIView", method: str) -> str:
        """Return for the API's description who is refused; empty where nobody who is signed in is."""
        wanted = opened_to_clients(view, method)
        if wanted == ():
            return ""
        if wanted is None:
            return "The caller is a person who may not do this, or an API client: this call is not open to them."
        scopes = " or ".join(f"`{scope}`" for scope in scope_missing(wanted).errors["scope"])
        return f"The caller is a person who may not do this, or an API client without the scope {scopes}."


def opened_to_clients(view: "APIView", method: str) -> tuple[Action, ...] | None:
    """Return the actions of which a client must be allowed one; empty: any client may; None: no client may."""
    opened: ClientActions = getattr(view, "client_actions", {})
    return opened.get("GET" if method in READS else method)


_EVERY_CALL: Any = SimpleNamespace(throttle_scope="api_client")  # a client's calls are counted together


class ClientThrottle(OpenScopedThrottle):
    """THROTTLE_API_CLIENT for each client; people are not counted. Fails open while Redis is away."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        return not principal_for(request).client_id or super().allow_request(request, _EVERY_CALL)
