"""Refusals in Entra's shape: an OAuth error with an ``AADSTS`` number in its description.

Source: Microsoft's list of authentication error codes; the members are those of RFC 6749 plus Entra's own.
"""

import uuid
from datetime import UTC, datetime

from tests.sandbox.exchange import Answer, json_answer

UNAUTHORIZED = 401


class EntraError(Exception):
    """A refusal. Nothing of the request's effects is kept."""

    def __init__(self, error: str, code: int, text: str, status: int = 400) -> None:
        super().__init__(error, code, text)
        self.error = error
        self.code = code
        self.text = f"AADSTS{code}: {text}"
        self.status = status

    def as_answer(self) -> Answer:
        """The refusal as it goes over the wire."""
        trace, correlation = uuid.uuid4(), uuid.uuid4()
        stamp = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}"
        described = f"{self.text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
        answer = json_answer(
            {
                "error": self.error,
                "error_description": described,
                "error_codes": [self.code],
                "timestamp": stamp,
                "trace_id": str(trace),
                "correlation_id": str(correlation),
                "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
            },
            self.status,
            (("cache-control", "no-store, no-cache"),),
        )
        answer.keep_effects = False
        return answer


def invalid_client(code: int, text: str) -> EntraError:
    """401: who asks could not be proven."""
    return EntraError("invalid_client", code, text, UNAUTHORIZED)


def invalid_grant(code: int, text: str) -> EntraError:
    """400: what was handed in does not buy a token (any more)."""
    return EntraError("invalid_grant", code, text)


def missing(name: str) -> EntraError:
    """400: a parameter that every such request has."""
    return EntraError("invalid_request", 900144, f"The request body must contain the following parameter: '{name}'.")
