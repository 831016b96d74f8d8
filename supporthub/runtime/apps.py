from importlib import import_module

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """The composition root as an app: it brings management commands and makes Celery's application the current one."""

    name = "supporthub.runtime"
    label = "runtime"

    def ready(self) -> None:
        import_module("supporthub.celery")
