"""The admin of tickets. Importing a module registers what it holds."""

from tickets.admin import boards, deliveries, tickets

__all__ = ["boards", "deliveries", "tickets"]
