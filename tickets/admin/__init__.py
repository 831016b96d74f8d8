"""The admin of tickets. Importing a module registers what it holds."""

from tickets.admin import boards, outgoing, tickets

__all__ = ["boards", "outgoing", "tickets"]
