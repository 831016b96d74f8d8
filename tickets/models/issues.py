"""A ticket's way into its tracker, and its counterpart there."""

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supporthub.core.deliveries.models import Attempt, Delivery
from supporthub.core.models import TimestampedModel
from tickets.choices import ChangeVerb
from tickets.models.boards import Tracker
from tickets.models.tickets import Ticket


class Submission(Delivery):
    """The one submission of a ticket to its board's tracker; done at once when the hub itself is the tracker.

    `tag` marks the issue there (label and property). `watermark` is the highest issue number that the project was
    known to have before the attempt that is in doubt: an issue of ours can only lie above it.
    """

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="submission", verbose_name=_("ticket"))
    tracker = models.ForeignKey(
        Tracker, on_delete=models.PROTECT, null=True, related_name="submissions", verbose_name=_("tracker")
    )
    project_key = models.CharField(_("project"), max_length=50, blank=True)
    tag = models.CharField(_("tag"), max_length=40, unique=True)
    watermark = models.PositiveBigIntegerField(_("watermark"), default=0)

    class Meta(Delivery.Meta):
        verbose_name = _("submission")
        verbose_name_plural = _("submissions")

    def __str__(self) -> str:
        return gettext("submission of %(ticket)s") % {"ticket": Ticket(pk=self.ticket_id).key}


class SubmissionAttempt(Attempt):
    delivery = models.ForeignKey(Submission, on_delete=models.CASCADE, related_name="attempts")

    class Meta(Attempt.Meta):
        constraints = [models.UniqueConstraint(fields=["delivery", "fence"], name="submission_attempt_unique")]


class IssueLink(TimestampedModel):
    """A ticket's counterpart in a tracker. The id is the identity; a key changes when an issue moves."""

    ticket = models.OneToOneField(Ticket, on_delete=models.CASCADE, related_name="issue")
    tracker = models.ForeignKey(Tracker, on_delete=models.PROTECT, related_name="issues")
    issue_id = models.CharField(max_length=40)
    key = models.CharField(max_length=64)
    project_key = models.CharField(max_length=50, blank=True)
    number = models.PositiveBigIntegerField(default=0)  # of the key: how far the project's numbering is known
    url = models.URLField(max_length=400)

    class Meta:
        verbose_name = _("issue")
        verbose_name_plural = _("issues")
        constraints = [
            models.UniqueConstraint(fields=["tracker", "issue_id"], name="issue_unique"),
            # also serves looking a ticket up by its tracker key
            models.UniqueConstraint(fields=["key", "tracker"], name="issue_key_unique"),
        ]
        # the highest known number of a project, before each first attempt
        indexes = [models.Index(fields=["tracker", "project_key", "-number"], name="issue_newest_in_project")]

    def __str__(self) -> str:
        return self.key


class IssueChange(Delivery):
    """One change to an issue that exists already, for example a watcher to add."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="issue_changes", verbose_name=_("ticket"))
    tracker = models.ForeignKey(
        Tracker, on_delete=models.PROTECT, related_name="issue_changes", verbose_name=_("tracker")
    )
    verb = models.CharField(_("kind of change"), max_length=20, choices=ChangeVerb)
    payload = models.JSONField(default=dict)

    class Meta(Delivery.Meta):
        verbose_name = _("issue change")
        verbose_name_plural = _("issue changes")

    def __str__(self) -> str:
        return gettext("%(change)s on %(ticket)s") % {
            "change": self.get_verb_display(),
            "ticket": Ticket(pk=self.ticket_id).key,
        }


class IssueChangeAttempt(Attempt):
    delivery = models.ForeignKey(IssueChange, on_delete=models.CASCADE, related_name="attempts")

    class Meta(Attempt.Meta):
        constraints = [models.UniqueConstraint(fields=["delivery", "fence"], name="issue_change_attempt_unique")]
