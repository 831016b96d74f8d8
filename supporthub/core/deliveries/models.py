"""Abstract rows: an outward effect, each try at it, and the outside system that it goes to."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supporthub.core.deliveries.states import AttemptResult, DeliveryState, Mode
from supporthub.core.models import TimestampedModel


class OutsideTarget(TimestampedModel):
    """An outside system with its limits: one row a Jira site, tenant or server.

    Claims lock this row for a moment, so the limits hold across workers and machines.
    """

    paused = models.BooleanField(_("paused"), default=False, help_text=_("Nothing is sent while this is set."))
    resting_until = models.DateTimeField(null=True, blank=True, editable=False)
    resting_reason = models.CharField(max_length=300, blank=True, editable=False)
    resting_code = models.CharField(max_length=60, blank=True, default="", db_default="", editable=False)
    max_concurrency = models.PositiveSmallIntegerField(
        _("at once"), default=8, help_text=_("How many requests may run at the same time, over all workers.")
    )
    rate_per_second = models.FloatField(
        _("per second"), default=50.0, help_text=_("How many deliveries may start in a second, over all workers.")
    )
    allowance = models.FloatField(default=0.0, editable=False)
    allowance_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class Delivery(TimestampedModel):
    """An effect in an outside system, written down before it is attempted.

    `fence` grows with every claim; a result is saved only with the fence it was claimed with. `unknown_since` is when
    the ambiguous attempt began and stays until the doubt is resolved. `hurried_at` keeps the sweep from enqueueing the
    same waiting row again and again.
    """

    state = models.CharField(
        _("state"), max_length=12, choices=DeliveryState, default=DeliveryState.PENDING, editable=False
    )
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.ACT, editable=False)
    not_before = models.DateTimeField(_("next try"), default=timezone.now, editable=False)
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True, editable=False)
    fence = models.PositiveBigIntegerField(default=0, editable=False)
    tries = models.PositiveIntegerField(_("tries"), default=0, editable=False)
    first_tried_at = models.DateTimeField(_("first tried"), null=True, blank=True, editable=False)
    unknown_since = models.DateTimeField(_("in doubt since"), null=True, blank=True, editable=False)
    held_from = models.CharField(max_length=12, blank=True, editable=False)
    urgency = models.PositiveSmallIntegerField(default=100, editable=False)  # lower goes first
    reason_code = models.CharField(_("reason code"), max_length=60, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=500, blank=True, editable=False)
    hurried_at = models.DateTimeField(null=True, blank=True, editable=False)
    done_at = models.DateTimeField(_("done at"), null=True, blank=True, editable=False)
    payload_version = models.PositiveSmallIntegerField(default=1, editable=False)

    class Meta:
        abstract = True
        indexes = [
            # claim_next and the sweep: what is due, most urgent and longest waiting first
            models.Index(
                fields=["urgency", "not_before"],
                condition=Q(state__in=["pending", "unknown"]),
                name="%(app_label)s_%(class)s_due",
            ),
            # the sweep's expired leases, and the count of running rows a target
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="%(app_label)s_%(class)s_run"),
            # the "needs a person" list, and releasing what was held
            models.Index(
                fields=["-updated_at"],
                condition=Q(state__in=["parked", "held"]),
                name="%(app_label)s_%(class)s_stop",
            ),
        ]


class Attempt(models.Model):
    """One claim of a delivery and what came of it; concrete kinds add the foreign key `delivery`."""

    fence = models.PositiveBigIntegerField()
    mode = models.CharField(max_length=12, choices=Mode)
    result = models.CharField(max_length=12, choices=AttemptResult, default=AttemptResult.OPEN)
    code = models.CharField(max_length=60, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
        ordering = ["fence"]
