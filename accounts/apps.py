from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Organisations and people who work here")

    def ready(self) -> None:
        from accounts import receivers  # noqa: F401, PLC0415  (Django's place for registrations)
