"""Tickets, their conversation and their timeline."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import connection, models
from django.db.models import Func, Q, Value
from django.utils.translation import gettext_lazy as _

from supporthub.core.models import TimestampedModel
from tickets.choices import OPEN_STATUSES, MessageKind, Priority, Source, TicketStatus, TimelineKind
from tickets.models.boards import Board, Category

VERSION_SEQUENCE = "tickets_version"
NEXT_VERSION = Func(Value(VERSION_SEQUENCE), function="nextval", output_field=models.BigIntegerField())
TITLE_LENGTH = 500


def next_version() -> int:
    """Return a number larger than any version given so far, whichever ticket had it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [VERSION_SEQUENCE])
        return int(cursor.fetchone()[0])


class Ticket(TimestampedModel):
    """A request for help. `version` comes from one sequence and is raised under the row's lock with every change."""

    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="tickets", verbose_name=_("organisation")
    )
    board = models.ForeignKey(Board, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("board"))
    category = models.ForeignKey(
        Category, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets", verbose_name=_("category")
    )
    title = models.CharField(_("title"), max_length=TITLE_LENGTH)
    priority = models.CharField(_("priority"), max_length=10, choices=Priority, default=Priority.NORMAL)
    status = models.CharField(_("status"), max_length=24, choices=TicketStatus, default=TicketStatus.NEW)
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.API)
    requester = models.ForeignKey(
        "directory.Person", on_delete=models.PROTECT, null=True, blank=True, related_name="tickets",
        verbose_name=_("requester"),
    )  # fmt: skip
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="assigned_tickets",
        verbose_name=_("assignee"),
    )  # fmt: skip
    watchers = models.ManyToManyField("directory.Person", through="Watcher", related_name="watched_tickets")
    labels = ArrayField(models.CharField(max_length=100), default=list, blank=True, verbose_name=_("labels"))
    version = models.BigIntegerField(db_default=NEXT_VERSION, editable=False)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True, editable=False)
    search = models.GeneratedField(
        expression=SearchVector("title", config="simple"), output_field=SearchVectorField(), db_persist=True
    )

    class Meta:
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        indexes = [
            # the queue: open tickets of some boards, newest first
            models.Index(fields=["board", "-id"], condition=Q(status__in=OPEN_STATUSES), name="ticket_open_by_board"),
            # "assigned to me" and the unassigned badge
            models.Index(
                fields=["assignee", "-id"], condition=Q(status__in=OPEN_STATUSES), name="ticket_open_by_assignee"
            ),
            # the queue of one organisation, and lists of its closed tickets
            models.Index(fields=["organisation", "-id"], name="ticket_by_organisation"),
            # lists of one status over all boards
            models.Index(fields=["status", "-id"], name="ticket_by_status"),
            # live digests: the largest version of a board
            models.Index(fields=["board", "-version"], name="ticket_version_by_board"),
            # the queue by last change, over all boards
            models.Index(fields=["-version"], name="ticket_by_version"),
            # earlier tickets of a requester
            models.Index(fields=["requester", "-id"], name="ticket_by_requester"),
            # search: prefixes of words of the title
            GinIndex(fields=["search"], name="ticket_search"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.title}"

    @property
    def key(self) -> str:
        """The hub's own key, for example HUB-123; for ever the same."""
        return f"{settings.TICKET_KEY_PREFIX}-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class Watcher(TimestampedModel):
    """Somebody who wants to know how a ticket goes on."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE)
    person = models.ForeignKey("directory.Person", on_delete=models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["ticket", "person"], name="watcher_unique")]

    def __str__(self) -> str:
        return f"{self.person} watches {self.ticket_id}"


class Message(models.Model):
    """A part of the conversation. `html` is sanitised before it is stored; `text` is its plain form."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=10, choices=MessageKind)
    author_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    author_person = models.ForeignKey(
        "directory.Person", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    html = models.TextField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        # the conversation of one ticket, oldest first
        indexes = [models.Index(fields=["ticket", "id"], name="message_by_ticket")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} message {self.pk}"


class TimelineEntry(models.Model):
    """A fact of a ticket's life; `data` holds what changed, old and new."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="timeline")
    kind = models.CharField(max_length=40, choices=TimelineKind)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        # the timeline of one ticket, oldest first
        indexes = [models.Index(fields=["ticket", "id"], name="timeline_by_ticket")]
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.ticket_id}"
