"""Files of tickets, and their way into the tracker."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supporthub.core.deliveries.models import Attempt, Delivery
from tickets.choices import AttachmentState
from tickets.models.boards import Tracker
from tickets.models.tickets import Message, Ticket

THUMBNAIL_SUFFIX = ".thumbnail"


class Attachment(models.Model):
    """A file in storage below a random key. `name` is only ever shown; `media_type` is what the bytes say.

    Staged, it belongs to nobody but who uploaded it; attached, to a ticket and mostly to one of its messages.
    `is_picture`: one of the four safe formats, decoded, with nothing behind its end, so that it may be shown in a page.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, null=True, related_name="attachments", verbose_name=_("ticket")
    )
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, related_name="attachments", verbose_name=_("message")
    )
    state = models.CharField(_("state"), max_length=10, choices=AttachmentState)
    name = models.CharField(_("name"), max_length=120)
    media_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveBigIntegerField(_("size"))
    sha256 = models.CharField("SHA-256", max_length=64)
    key = models.CharField(max_length=80, unique=True)
    is_picture = models.BooleanField(default=False)
    width = models.PositiveIntegerField(null=True)
    height = models.PositiveIntegerField(null=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_by_person = models.ForeignKey(
        "directory.Person", on_delete=models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by")
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="attached", ticket__isnull=False)
                | Q(state="staged", ticket__isnull=True, message__isnull=True),
                name="attachment_attached_has_ticket",
            )
        ]
        indexes = [
            # what one person has staged, and the sweep of what was staged long ago
            models.Index(fields=["uploaded_by", "created_at"], condition=Q(state="staged"), name="attachment_staged")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def short_type(self) -> str:
        """A few letters for people: the name's extension, else what the bytes say."""
        _stem, dot, extension = self.name.rpartition(".")
        if dot and len(extension) <= 5 and extension.isalnum():  # noqa: PLR2004  (as long as docx and jpeg are)
            return extension.upper()
        return self.media_type.rpartition("/")[2].upper()[:8]

    @property
    def thumbnail_key(self) -> str:
        """Where the small copy of a picture lies; empty for other files."""
        return self.key + THUMBNAIL_SUFFIX if self.is_picture else ""


class FileDelivery(Delivery):
    """The upload of one file to the tracker. By `remote_name`, which holds a marker, it is found again there."""

    attachment = models.OneToOneField(
        Attachment, on_delete=models.CASCADE, related_name="delivery", verbose_name=_("attachment")
    )
    ticket = models.ForeignKey(
        Ticket, on_delete=models.CASCADE, related_name="file_deliveries", verbose_name=_("ticket")
    )
    tracker = models.ForeignKey(
        Tracker, on_delete=models.PROTECT, related_name="file_deliveries", verbose_name=_("tracker")
    )
    marker = models.CharField(_("marker"), max_length=16, unique=True)
    remote_name = models.CharField(_("name in the tracker"), max_length=160)
    remote_id = models.CharField(_("id in the tracker"), max_length=40, blank=True)

    class Meta(Delivery.Meta):
        verbose_name = _("file for the tracker")
        verbose_name_plural = _("files for the tracker")

    def __str__(self) -> str:
        return gettext("%(change)s on %(ticket)s") % {
            "change": self.attachment.name,
            "ticket": Ticket(pk=self.ticket_id).key,
        }


class FileAttempt(Attempt):
    delivery = models.ForeignKey(FileDelivery, on_delete=models.CASCADE, related_name="attempts")

    class Meta(Attempt.Meta):
        constraints = [models.UniqueConstraint(fields=["delivery", "fence"], name="file_attempt_unique")]
