"""The Celery application. Tasks carry an id; the row knows when it is due, so Celery itself never retries."""

import os
import sys
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging, task_prerun
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supporthub.settings.local")

# Deliveries are many short waits for PostgreSQL: with the usual 5 ms, a thread that holds a target's lock waits as long
# for its turn after each of them.
sys.setswitchinterval(0.0005)

app = Celery("supporthub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(lambda: list(settings.INSTALLED_APPS))


@setup_logging.connect
def _keep_our_logging(**_kwargs: Any) -> None:
    """Settings have configured logging already; connecting here keeps Celery from doing it again."""


@task_prerun.connect
def _log_context(task_id: str, task: Any, **_kwargs: Any) -> None:
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(task=task.name, request_id=task_id)
