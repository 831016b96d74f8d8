"""The thin layer below every vendor's client: one request, one answer, or one error of `supporthub.core.errors`.

It never retries and never follows a redirect: both could repeat an effect or carry credentials elsewhere. It keeps no
cookies, so that nothing but the headers given decides who we are.
"""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any, NoReturn

import httpx
import structlog

from supporthub.core.errors import AuthError, OutcomeUnknown, Rejected, TransientError
from supporthub.core.ids import new_request_id
from supporthub.integrations.file_part import FilePart
from supporthub.integrations.outcomes import Answered, Refusal, error_for, read_refusal

logger = structlog.get_logger(__name__)

MAX_RESPONSE_BYTES = 16 * 1024 * 1024
# Shorter than what servers keep an idle connection for: a request must not meet one that is just being closed.
_KEEP_IDLE = 3.0
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_TRACE_HEADERS = ("atl-traceid", "request-id", "x-arequestid")
_NOTHING = object()

Params = Mapping[str, str | int | list[str]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An outside system and how long we wait for it. Seconds are real ones; nothing is scaled here.

    `system` is its name in sentences for people. `headers` authenticate and are never logged. `connections` bounds how
    many requests of this process run at once.
    """

    system: str
    base_url: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    connect_timeout: float
    read_timeout: float
    connections: int = 10
    max_response_bytes: int = MAX_RESPONSE_BYTES


@lru_cache(maxsize=64)
def _client(pid: int, endpoint: Endpoint) -> httpx.Client:
    """One connection pool per process (`pid`: a pool must not be shared across a fork) and endpoint; thread-safe."""
    timeout = httpx.Timeout(endpoint.read_timeout, connect=endpoint.connect_timeout, pool=endpoint.connect_timeout)
    limits = httpx.Limits(
        max_connections=endpoint.connections,
        max_keepalive_connections=endpoint.connections,
        keepalive_expiry=_KEEP_IDLE,
    )
    return httpx.Client(
        base_url=endpoint.base_url, headers=dict(endpoint.headers), timeout=timeout, limits=limits,
        transport=None, follow_redirects=False, trust_env=not _is_loopback(endpoint.base_url),
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
    )  # fmt: skip


def _is_loopback(url: str) -> bool:
    """A proxy from the environment must not be asked for an address of this machine."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Reply:
    """A success: the parsed JSON (None without a body), and the headers with lower-case names."""

    body: Any
    headers: Mapping[str, str]


class OutsideHttp:
    """Requests to one endpoint. Cheap to make; the connections live in a pool of the process."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def send(self, method: str, path: str, *, effect: bool, params: Params | None = None, body: Any = _NOTHING) -> Any:
        """Send one request; return the parsed JSON, or None when the answer has no body.

        `effect=True` says that a repetition would do it twice. `body` is sent as JSON, also when it is None or a bare
        string; a FilePart is sent as a form. Raises OutcomeUnknown (only with `effect`) when it may have happened,
        otherwise an IntegrationError.
        """
        return self.ask(method, path, effect=effect, params=params, body=body).body

    def ask(self, method: str, path: str, *, effect: bool, params: Params | None = None, body: Any = _NOTHING) -> Reply:
        """As `send`, and what the headers say."""
        call = _Call(self.endpoint, method, path, effect=effect, request_id=new_request_id())
        started = time.monotonic()
        status = 0
        try:
            status, headers, raw = self._exchange(call, params, body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            call.fail_without_answer(error)
        finally:
            logger.debug(
                "outside.call", system=self.endpoint.system, method=method, path=path, status=status,
                request_id=call.request_id, ms=round((time.monotonic() - started) * 1000),
            )  # fmt: skip
        return Reply(call.result(status, headers, raw), headers)

    def _exchange(self, call: "_Call", params: Params | None, body: Any) -> tuple[int, Mapping[str, str], bytes | None]:
        """Status, lower-case headers and body; the body is None when it is larger than allowed or came too slowly."""
        client = _client(os.getpid(), self.endpoint)
        headers = {"accept": "application/json", "x-request-id": call.request_id}
        content = files = None
        deadline = time.monotonic() + self.endpoint.connect_timeout + self.endpoint.read_timeout
        if isinstance(body, FilePart):
            headers |= body.headers
            files = {body.form_field: (body.name, body.started(), body.media_type)}
            deadline += body.patience
        elif body is not _NOTHING:
            headers["content-type"] = "application/json"
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        path = f"{self.endpoint.base_url.rstrip('/')}/{call.path.lstrip('/')}"
        with client.stream(call.method, path, params=params, content=content, files=files, headers=headers) as response:
            chunks = bytearray()
            for chunk in response.iter_bytes():
                chunks += chunk
                if len(chunks) > self.endpoint.max_response_bytes or time.monotonic() > deadline:
                    return response.status_code, response.headers, None
            return response.status_code, response.headers, bytes(chunks)


class _Call:
    """One request's identity, and what follows from its end."""

    def __init__(self, endpoint: Endpoint, method: str, path: str, *, effect: bool, request_id: str) -> None:
        self.endpoint = endpoint
        self.method = method
        self.path = path
        self.effect = effect
        self.request_id = request_id

    @property
    def trace(self) -> str:
        return f"{self.method} {self.path} [{self.request_id}]"

    def fail_without_answer(self, error: httpx.HTTPError | httpx.InvalidURL) -> NoReturn:
        """Raise what the missing answer means: sure that nothing was sent, or not."""
        system = self.endpoint.system
        detail = f"{self.trace} {type(error).__name__}"
        if isinstance(error, _NEVER_SENT):
            slow = isinstance(error, httpx.TimeoutException)
            text = f"{system} could not be reached" + (" in time" if slow else "")
            raise TransientError(text, code="unreachable", detail=detail) from error
        if isinstance(error, httpx.UnsupportedProtocol | httpx.InvalidURL):
            text = f"{system}'s address in the settings cannot be used"
            raise Rejected(text, code="bad_address", detail=detail) from error
        if isinstance(error, httpx.LocalProtocolError):
            # h11 refuses to write such a header, so nothing was sent; only credentials hold outside characters.
            raise AuthError(f"{system}'s credentials hold characters that cannot be sent", detail=detail) from error
        if isinstance(error, httpx.TimeoutException):
            code, text = "no_answer", f"{system} did not answer within {self.endpoint.read_timeout:g} s"
        elif isinstance(error, httpx.DecodingError):
            code, text = "unreadable_answer", f"{system} gave an answer that could not be read"
        else:
            code, text = "connection_lost", f"the connection to {system} broke before it answered"
        self._doubt(code, text, detail, error)

    def result(self, status: int, headers: Mapping[str, str], raw: bytes | None) -> Any:
        """The parsed body of a success; raises for everything else."""
        trace = self._trace_with(headers, status)
        if not 200 <= status < 300:  # noqa: PLR2004
            answer = Answered(self.endpoint.system, status, headers, _refusal(raw), self.effect, trace)
            raise error_for(answer, datetime.now(UTC))
        if raw is None:
            text = f"{self.endpoint.system} gave an answer that is too long, or too slow"
            self._doubt("answer_too_long", text, trace, None, status)
        if not raw.strip():
            return None
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            text = f"{self.endpoint.system} gave an answer that could not be read"
            self._doubt("unreadable_answer", text, trace, error, status)

    def _doubt(self, code: str, text: str, detail: str, cause: Exception | None, status: int | None = None) -> NoReturn:
        kind = OutcomeUnknown if self.effect else TransientError
        raise kind(text, code=code, detail=detail, status=status) from cause

    def _trace_with(self, headers: Mapping[str, str], status: int) -> str:
        theirs = next((headers[name] for name in _TRACE_HEADERS if name in headers), "")
        return f"{self.trace} HTTP {status} {theirs[:64]}".rstrip()


def _refusal(raw: bytes | None) -> Refusal:
    try:
        return read_refusal(json.loads(raw or b""))
    except (ValueError, RecursionError):  # a proxy's page of HTML says nothing that may be shown
        return Refusal()
