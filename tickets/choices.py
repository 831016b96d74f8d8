"""Words of tickets. Values are stable: the API and the database show them."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class TicketStatus(models.TextChoices):
    NEW = "new", pgettext_lazy("ticket", "new")
    IN_PROGRESS = "in_progress", _("in progress")
    WAITING_ON_REQUESTER = "waiting_on_requester", _("waiting on requester")
    ON_HOLD = "on_hold", _("on hold")
    RESOLVED = "resolved", _("resolved")
    CLOSED = "closed", _("closed")


OPEN_STATUSES = (
    TicketStatus.NEW, TicketStatus.IN_PROGRESS, TicketStatus.WAITING_ON_REQUESTER, TicketStatus.ON_HOLD,
)  # fmt: skip


class Priority(models.TextChoices):
    LOW = "low", pgettext_lazy("priority", "low")
    NORMAL = "normal", pgettext_lazy("priority", "normal")
    HIGH = "high", pgettext_lazy("priority", "high")
    URGENT = "urgent", pgettext_lazy("priority", "urgent")


class Source(models.TextChoices):
    API = "api", _("API")
    WEB = "web", _("web")
    PHONE = "phone", _("phone")
    TRAY = "tray", _("tray client")


class MessageKind(models.TextChoices):
    PUBLIC = "public", _("public")
    INTERNAL = "internal", _("internal note")
    SYSTEM = "system", _("system")


class TrackerKind(models.TextChoices):
    """What a tracker's row may be. The hub itself needs no row: a board without a tracker stays here."""

    JIRA_CLOUD = "jira_cloud", _("Jira Cloud")


class WorkedIn(models.TextChoices):
    HUB = "hub", _("in the hub")
    TRACKER = "tracker", _("in the tracker")


class ChangeVerb(models.TextChoices):
    """Changes to an existing issue that are delivered on their own."""

    ADD_WATCHER = "add_watcher", _("add watcher")


class AttachmentState(models.TextChoices):
    """`staged`: uploaded by somebody who is still writing; belongs to no ticket yet and is forgotten after a day."""

    STAGED = "staged", _("not sent yet")
    ATTACHED = "attached", _("attached")


class TimelineKind(models.TextChoices):
    """Facts of a ticket's life, past tense."""

    OPENED = "ticket.opened", _("opened")
    STATUS_CHANGED = "ticket.status_changed", _("status changed")
    ASSIGNED = "ticket.assigned", _("assigned")
    PRIORITY_CHANGED = "ticket.priority_changed", _("priority changed")
    TITLE_CHANGED = "ticket.title_changed", _("title changed")
    LABELS_CHANGED = "ticket.labels_changed", _("labels changed")
    WATCHER_ADDED = "ticket.watcher_added", _("watcher added")
    WATCHER_REMOVED = "ticket.watcher_removed", _("watcher removed")
    REPLIED = "message.replied", _("replied")
    NOTED = "message.noted", _("noted")
    SUBMITTED = "submission.done", _("in the tracker")
    SUBMISSION_PARKED = "submission.parked", _("needs a person")
    SUBMISSION_RETRIED = "submission.retried", _("retried")
    SUBMISSION_ACCEPTED = "submission.accepted", _("accepted as it is")
    SUBMISSION_CANCELLED = "submission.cancelled", _("submission cancelled")
    ISSUE_ADJUSTED = "submission.adjusted", _("sent without a field")
    DUPLICATE_FOUND = "submission.duplicate_found", _("duplicate found")
    FILES_ADDED = "attachment.added", _("files added")
    FILE_PARKED = "attachment.parked", _("a file needs a person")
