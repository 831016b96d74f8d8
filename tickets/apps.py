from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets, boards and trackers")

    def ready(self) -> None:
        from tickets import receivers, topics  # noqa: F401, PLC0415  (Django's place for registrations)
