"""The shared kernel as a Django app: it has template tags, and no tables."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "supporthub.core"
    label = "core"
