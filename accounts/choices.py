"""Roles and the actions that they allow: the one table behind UI, API, admin and live updates."""

from enum import StrEnum

from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.TextChoices):
    TECHNICIAN = "technician", _("technician")
    LEAD = "lead", _("lead")
    ADMIN = "admin", _("admin")
    AUDITOR = "auditor", _("auditor")


class Action(StrEnum):
    """What somebody may do to an object of an organisation or a board."""

    VIEW_TICKET = "view_ticket"
    WORK_TICKET = "work_ticket"  # reply, note, assign, change status
    OPEN_TICKET = "open_ticket"
    RETRY_DELIVERY = "retry_delivery"
    CANCEL_DELIVERY = "cancel_delivery"
    HOLD_DELIVERIES = "hold_deliveries"
    VIEW_SETTINGS = "view_settings"  # boards, trackers, schedules, people in the admin
    CHANGE_SETTINGS = "change_settings"
    CHANGE_PEOPLE = "change_people"  # hub users and their roles
    VIEW_AUDIT = "view_audit"


_TECHNICIAN = frozenset({Action.VIEW_TICKET, Action.WORK_TICKET, Action.OPEN_TICKET, Action.RETRY_DELIVERY})
_LEAD = _TECHNICIAN | {
    Action.CANCEL_DELIVERY, Action.HOLD_DELIVERIES, Action.VIEW_SETTINGS, Action.CHANGE_SETTINGS,
}  # fmt: skip

ALLOWED: dict[str, frozenset[Action]] = {
    Role.TECHNICIAN: _TECHNICIAN,
    Role.LEAD: _LEAD,
    Role.ADMIN: frozenset(Action),
    Role.AUDITOR: frozenset({Action.VIEW_TICKET, Action.VIEW_SETTINGS, Action.VIEW_AUDIT}),
}


class HoldScope(models.TextChoices):
    ALL = "all", _("everything")
    KIND = "kind", _("one kind of effect")
    ORGANISATION = "organisation", _("one organisation")
    BOARD = "board", _("one board")
    TARGET = "target", _("one outside system")
