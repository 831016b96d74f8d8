from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = "Tickets, boards and trackers"

    def ready(self) -> None:
        from tickets import receivers, topics  # noqa: F401  (Django's place for registrations: apps are loaded now)
