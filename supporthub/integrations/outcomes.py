"""What an answer, or its absence, means: the one mapping from HTTP to the errors of `supporthub.core.errors`. Pure.

`effect` tells the two worlds apart. A call with an effect (a POST that creates) is never repeated when it may have
happened, so doubt is `OutcomeUnknown`. A read, or a write that says the same when repeated, is merely `TransientError`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any

from supporthub.core.errors import AuthError, IntegrationError, NotFound, OutcomeUnknown, Rejected, TransientError
from supporthub.core.text import one_line
from supporthub.integrations.retry_after import parse_reset, parse_retry_after

QUOTA_REST = 60.0  # a used-up quota without any named time
LONG_WAIT = 60.0  # who asks for a longer pause means the caller, not one request
_WORDS = 160
_DENIED = "x-authentication-denied-reason"
_LOGIN_REASON = "x-seraph-loginreason"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error body in one form: general texts, and texts by field. Both may be empty, and in any language."""

    messages: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    def words(self) -> str:
        """The other side's own words, cleaned and cut, in quotation marks; empty when it said nothing."""
        said = " ".join((*self.fields.values(), *self.messages))
        return f"“{one_line(said, _WORDS)}”" if said.strip() else ""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that is not a success. `headers` has lower-case names; `trace` is for the attempt's record."""

    system: str
    status: int
    headers: Mapping[str, str]
    refusal: Refusal
    effect: bool
    trace: str = ""


def read_refusal(body: Any) -> Refusal:
    """The usual shapes of error bodies: Jira's collection; `message`, `errorMessage` or `error`, as text or object."""
    if not isinstance(body, dict):
        return Refusal()
    errors, messages = body.get("errors"), body.get("errorMessages")
    fields = {str(name): str(text) for name, text in errors.items()} if isinstance(errors, dict) else {}
    found = [str(text) for text in messages] if isinstance(messages, list) else []
    for name in ("message", "errorMessage", "error"):
        value = body.get(name)
        if isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str):
            found.append(value)
    return Refusal(tuple(found), fields)


def error_for(answer: Answered, now: datetime) -> IntegrationError | OutcomeUnknown:
    """The error that a status outside 200-299 stands for. `now` is needed for times that the headers name."""
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _throttled(answer, now)
    if status == HTTPStatus.UNAUTHORIZED or _locked_out(answer):
        return _refused_credentials(answer)
    if status == HTTPStatus.TOO_EARLY:
        return _transient(answer, now, f"{answer.system} asked to send the request again later")
    if status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT) or status < 400 or status >= 500:  # noqa: PLR2004
        return _doubtful(answer, now)
    return _rejected(answer)


def _throttled(answer: Answered, now: datetime) -> TransientError:
    """429: nothing was done. A used-up quota concerns every call to the target, and so does a long pause.

    A burst passes within seconds: this row waits, and the target's own rate keeps the others apart. Whoever asks for
    minutes would refuse each of them as well; only Jira's limit of writes to one issue says nothing about others.
    """
    reason = answer.headers.get("ratelimit-reason", "")
    wait = parse_retry_after(answer.headers.get("retry-after"), now)
    if wait is None:
        wait = parse_reset(answer.headers.get("x-ratelimit-reset"), now)
    quota = "quota" in reason
    if quota and wait is None:
        wait = QUOTA_REST
    is_long = wait is not None and wait > LONG_WAIT and "per-issue" not in reason
    text = "has had enough of our requests for now" if quota else "asked us to slow down"
    return TransientError(
        f"{answer.system} {text}",
        code="quota_used_up" if quota else "rate_limited",
        detail=f"{answer.trace} {one_line(reason, 80)}".strip() if reason else answer.trace,
        status=answer.status,
        retry_after=wait,
        pause=quota or is_long,
    )  # fmt: skip


def _locked_out(answer: Answered) -> bool:
    """Whether a 403 concerns the login: a CAPTCHA, or an account that must log in on the web first."""
    login = answer.headers.get(_LOGIN_REASON, "")
    return answer.status == HTTPStatus.FORBIDDEN and (
        _DENIED in answer.headers or "AUTHENTICATION_DENIED" in login or "AUTHENTICATED_FAILED" in login
    )


def _refused_credentials(answer: Answered) -> AuthError:
    if answer.headers.get(_DENIED):
        return AuthError(
            f"{answer.system} has locked the account until somebody signs in with it in a browser",
            code="locked_out", detail=answer.trace, status=answer.status,
        )  # fmt: skip
    return AuthError(
        f"{answer.system} refused our credentials; the token may have expired",
        code="credentials_refused", detail=answer.trace, status=answer.status,
    )  # fmt: skip


def _doubtful(answer: Answered, now: datetime) -> TransientError | OutcomeUnknown:
    if answer.status == HTTPStatus.CONFLICT:
        text = f"{answer.system} reported a conflicting change"
    elif 300 <= answer.status < 400:  # noqa: PLR2004
        text = f"{answer.system} sent us to another address (HTTP {answer.status}); check the address in the settings"
    else:
        text = f"{answer.system} had a fault of its own (HTTP {answer.status})"
    if answer.effect:
        return OutcomeUnknown(text, code=f"http_{answer.status}", detail=answer.trace, status=answer.status)
    return _transient(answer, now, text)


def _transient(answer: Answered, now: datetime, text: str) -> TransientError:
    wait = parse_retry_after(answer.headers.get("retry-after"), now)
    return TransientError(
        text, code=f"http_{answer.status}", detail=answer.trace, status=answer.status, retry_after=wait,
        pause=wait is not None and wait > LONG_WAIT,
    )  # fmt: skip


def _rejected(answer: Answered) -> NotFound | Rejected:
    words = answer.refusal.words()
    said = f": {words}" if words else ""
    if answer.status == HTTPStatus.NOT_FOUND:
        text = f"{answer.system} does not know this, or hides it from our account{said}"
        return NotFound(text, code="not_found", detail=answer.trace, status=answer.status)
    if answer.status == HTTPStatus.FORBIDDEN:
        code, text = "forbidden", f"{answer.system} does not allow this to our account{said}"
    elif answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        code, text = "too_large", f"{answer.system} finds this too large{said}"
    elif answer.refusal.fields:
        names = ", ".join(f"'{one_line(name, 60)}'" for name in list(answer.refusal.fields)[:5])
        several = "s" if len(answer.refusal.fields) > 1 else ""
        code, text = "rejected", f"{answer.system} refused the field{several} {names}{said}"
    else:
        code, text = "rejected", f"{answer.system} refused the request (HTTP {answer.status}){said}"
    return Rejected(text, code=code, detail=answer.trace, status=answer.status, fields=answer.refusal.fields)
