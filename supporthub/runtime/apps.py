from importlib import import_module

from django.apps import AppConfig


class RuntimeConfig(AppConfig):
    """The composition root as an app: commands, the doctor's checks, and Celery's application as the current one."""

    name = "supporthub.runtime"
    label = "runtime"

    def ready(self) -> None:
        import_module("supporthub.celery")
        import_module("supporthub.runtime.checkups")
