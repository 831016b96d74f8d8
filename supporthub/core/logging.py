"""JSON logs: one event per fact with ids, never bodies; addresses and tokens are masked wherever they turn up.

`structlog` renders our own events and, through its stdlib formatter, those of libraries.
"""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_KEYS = re.compile(r"pass(word|wd)?|secret|token|authorization|cookie|api_?key|credential", re.IGNORECASE)
# The characters that RFC 5322 allows in an unquoted local part.
_ADDRESS = re.compile(r"([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-])[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]*@([A-Za-z0-9.-]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_HUB_KEY = re.compile(r"\bshk_[A-Za-z0-9_-]{8,}")
_ASSIGNED = re.compile(r"(?i)\b(password|secret|token|api[_-]?key)(\s*[=:]\s*)[^\s,;&\"']+")
MASK = "[masked]"

EventDict = MutableMapping[str, Any]


def redact(text: str) -> str:
    """Return `text` with tokens, assigned secrets and the local part of addresses masked."""
    text = _BEARER.sub(lambda found: f"{found[1]} {MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _HUB_KEY.sub(MASK, text)
    text = _ASSIGNED.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text)
    return _ADDRESS.sub(lambda found: f"{found[1]}…@{found[2]}", text)


def _clean(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return MASK if _SECRET_KEYS.search(key) and value else redact(value)
    if isinstance(value, dict):
        return {inner: _clean(str(inner), item) for inner, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(key, item) for item in value]
    return value


def redact_event(_logger: object, _method: str, event: EventDict) -> EventDict:
    """structlog processor: mask every value, nested ones included."""
    for key in list(event):
        if not key.startswith("_"):
            event[key] = _clean(key, event[key])
    return event


def logging_config(*, level: str, as_json: bool) -> None:
    """Configure stdlib logging and structlog once, at settings time. Side effect: replaces the root handlers."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact_event,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "hub": {
                    "()": structlog.stdlib.ProcessorFormatter,
                    "foreign_pre_chain": shared,
                    "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
                }
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "hub"}},
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # These would repeat what our own request line says, or log whole bodies.
                "uvicorn.access": {"level": "WARNING", "propagate": True, "handlers": []},
                "httpx": {"level": "WARNING"},
                "axes": {"level": "WARNING"},
                "jira": {"level": "WARNING"},
                "celery.worker.strategy": {"level": "WARNING"},
                "celery.app.trace": {"level": "WARNING"},
                "celery.beat": {"level": "WARNING"},
            },
        }
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
