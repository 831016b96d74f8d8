"""The answers that faults put in the place of the real ones."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from tests.sandbox.exchange import Answer, json_answer

HTML = (("content-type", "text/html;charset=UTF-8"),)
TEXTS: Mapping[str, str] = {
    "en": "We could not complete your request. Please try again later.",
    "de": "Ihre Anfrage konnte nicht ausgeführt werden. Bitte versuchen Sie es später erneut.",
    "fr": "Nous n'avons pas pu traiter votre demande. Veuillez réessayer ultérieurement.",
}


def too_many_requests(params: Mapping[str, Any]) -> Answer:
    """429. ``reason``: header ``RateLimit-Reason``; ``retry_after``: seconds.

    ``format``: seconds, decimal, http-date or none.
    """
    wait = float(params.get("retry_after", 1))
    form = params.get("format", "seconds")
    headers: list[tuple[str, str]] = []
    if reason := params.get("reason", "jira-burst-based"):
        headers.append(("ratelimit-reason", str(reason)))
    if form != "none":
        headers.append(("retry-after", _retry_after(wait, str(form))))
    reset = datetime.now(UTC) + timedelta(seconds=wait)
    limits = (("x-ratelimit-limit", "100"), ("x-ratelimit-remaining", "0"))
    headers += [*limits, ("x-ratelimit-reset", f"{reset:%Y-%m-%dT%H:%MZ}")]
    return json_answer({"errorMessages": ["Rate limit exceeded."], "errors": {}}, 429, tuple(headers))


def _retry_after(wait: float, form: str) -> str:
    if form == "http-date":
        return format_datetime(datetime.now(UTC) + timedelta(seconds=wait), usegmt=True)
    return str(wait) if form == "decimal" else str(round(wait))


def status(params: Mapping[str, Any]) -> Answer:
    """Any status. ``body``: json (default), html, text, empty, or the text itself; ``language``: en, de, fr."""
    code, form = int(params["status"]), str(params.get("body", "json"))
    text = TEXTS.get(str(params.get("language", "en")), TEXTS["en"])
    extra: tuple[tuple[str, str], ...] = ()
    if params.get("retry_after") is not None:
        extra = (("retry-after", str(params["retry_after"])),)
    if form == "json":
        return json_answer({"errorMessages": [text], "errors": {}}, code, extra)
    if form == "html":
        page = (
            f"<!DOCTYPE html><html><head><title>{code}</title></head><body><h1>{code}</h1><p>{text}</p></body></html>"
        )
        return Answer(code, page.encode(), (*HTML, *extra))
    plain = (("content-type", "text/plain;charset=UTF-8"), *extra)
    return Answer(code, b"" if form == "empty" else (text if form == "text" else form).encode(), plain)


def broken(answer: Answer) -> Answer:
    """The real answer, cut in the middle; valid HTTP, no JSON. An empty body becomes a lone brace."""
    half = answer.body[: max(1, len(answer.body) // 2)] or b"{"
    try:
        json.loads(half)
    except ValueError:
        return Answer(answer.status, half, answer.headers)
    return Answer(answer.status, b"{", answer.headers)
