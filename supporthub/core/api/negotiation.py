"""What an answer looks like is said by the call, not by what a client accepts."""

from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.request import Request


class OneForm(DefaultContentNegotiation):
    """Where none of the offered forms is acceptable the first one is sent: RFC 9110, 12.4.1 leaves that to the server,
    and a client that asks for a picture as `image/png` gets it, and a refusal that it can read otherwise."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return (renderer, media type); never refuses."""
        try:
            return super().select_renderer(request, renderers, format_suffix)
        except (NotAcceptable, Http404):  # Http404: of `?format=`, a word that only the description's own page knows
            return renderers[0], renderers[0].media_type
