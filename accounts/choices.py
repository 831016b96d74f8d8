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
    VIEW_OWN_TICKET = "view_own_ticket"  # the public side of what one opened oneself
    WORK_TICKET = "work_ticket"  # reply, note, assign, change status
    OPEN_TICKET = "open_ticket"
    RETRY_DELIVERY = "retry_delivery"
    CANCEL_DELIVERY = "cancel_delivery"
    HOLD_DELIVERIES = "hold_deliveries"
    VIEW_SETTINGS = "view_settings"  # boards, trackers, schedules, people in the admin
    CHANGE_SETTINGS = "change_settings"
    CHANGE_PEOPLE = "change_people"  # hub users and their roles
    VIEW_AUDIT = "view_audit"
    END_SIGN_INS = "end_sign_ins"  # sign other people out
    MANAGE_CLIENTS = "manage_clients"  # API clients and their keys


_TECHNICIAN = frozenset({Action.VIEW_TICKET, Action.WORK_TICKET, Action.OPEN_TICKET, Action.RETRY_DELIVERY})
_LEAD = _TECHNICIAN | {
    Action.CANCEL_DELIVERY, Action.HOLD_DELIVERIES, Action.VIEW_SETTINGS, Action.CHANGE_SETTINGS, Action.END_SIGN_INS,
    Action.VIEW_AUDIT,
}  # fmt: skip


class ClientScope(models.TextChoices):
    """What an API client may be given; see SCOPES for what each opens."""

    TICKETS_READ = "tickets:read", _("read tickets")
    TICKETS_WRITE = "tickets:write", _("read, open and work tickets")
    TICKETS_SUBMIT = "tickets:submit", _("open tickets, and see those it opened")
    CONNECTIONS_READ = "connections:read", _("see connections")
    CONNECTIONS_WRITE = "connections:write", _("take and release connections")
    MONITORING_WRITE = "monitoring:write", _("send monitoring messages")
    DIRECTORY_READ = "directory:read", _("read the directory")
    DIRECTORY_WRITE = "directory:write", _("change the directory")
    ACCOUNTS_READ = "accounts:read", _("see account requests")
    ACCOUNTS_WRITE = "accounts:write", _("decide account requests")
    MAIL_READ = "mail:read", _("read the mail ledger")
    AUDIT_READ = "audit:read", _("read the audit trail")
    ADMIN = "admin", _("everything")


# A scope without an action opens nothing yet: its calls come with their app.
SCOPES: dict[str, frozenset[Action]] = {
    **dict.fromkeys(ClientScope.values, frozenset()),
    ClientScope.TICKETS_READ: frozenset({Action.VIEW_TICKET}),
    ClientScope.TICKETS_WRITE: _TECHNICIAN,
    ClientScope.TICKETS_SUBMIT: frozenset({Action.OPEN_TICKET, Action.VIEW_OWN_TICKET}),
    ClientScope.AUDIT_READ: frozenset({Action.VIEW_AUDIT}),
    ClientScope.ADMIN: frozenset(Action),
}

# What a grant allows, by the role of a person or the scope of an API client.
ALLOWED: dict[str, frozenset[Action]] = {
    **SCOPES,
    Role.TECHNICIAN: _TECHNICIAN,
    Role.LEAD: _LEAD,
    Role.ADMIN: frozenset(Action),
    Role.AUDITOR: frozenset({Action.VIEW_TICKET, Action.VIEW_SETTINGS, Action.VIEW_AUDIT}),
}


class SignInKind(models.TextChoices):
    BROWSER = "browser", _("browser")
    TOKEN = "token", _("API tokens")


class SignInWay(models.TextChoices):
    PASSWORD = "password", _("password")
    CODE = "code", _("password and code")
    RECOVERY = "recovery", _("password and recovery code")
    ENTRA = "entra", _("Microsoft")


class EntraValue(models.TextChoices):
    ROLE = "role", _("app role")
    GROUP = "group", _("group")


class HoldScope(models.TextChoices):
    ALL = "all", _("everything")
    KIND = "kind", _("one kind of effect")
    ORGANISATION = "organisation", _("one organisation")
    BOARD = "board", _("one board")
    TARGET = "target", _("one outside system")


class ActorKind(models.TextChoices):
    """Who may have done something, in the audit trail."""

    USER = "user", _("user")
    CLIENT = "client", _("API client")
    PERSON = "person", _("person")
    GATEWAY = "gateway", _("gateway")
    SYSTEM = "system", _("the hub itself")
