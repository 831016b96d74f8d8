from django.apps import AppConfig


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = "Tickets, boards and trackers"

    def ready(self) -> None:
        from tickets import receivers, topics  # noqa: F401, PLC0415  (Django's place for registrations)
