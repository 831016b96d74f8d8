"""What a caller hears about a token. The texts are for the authors of clients; `code` is stable."""

from supporthub.core.errors import HubError


class TokenRefused(HubError):
    """401: the token proves nothing here. `code` says why: `token_malformed`, `token_expired`, `wrong_audience` …"""

    status = 401
    challenge = 'Bearer error="invalid_token"'

    def __init__(self, detail: str, *, code: str) -> None:
        super().__init__(detail, code=code)


class ScopeMissing(HubError):
    """403: the token is right and does not allow this. The legacy tray calls answer 401 instead."""

    code = "insufficient_scope"
    status = 403
    challenge = 'Bearer error="insufficient_scope"'


class UpnMissing(HubError):
    """400: the caller is proven, and neither token nor gateway says by which name they go. Worded for clients."""

    code = "upn_missing"
    status = 400


class KeysUnavailable(HubError):
    """503: Entra's keys could not be fetched and none are known. A 401 would make clients throw good tokens away."""

    code = "keys_unavailable"
    status = 503
    retry_after = 5
    """Seconds, for the header `Retry-After`."""
