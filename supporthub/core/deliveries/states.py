"""Words of a delivery's life, shared by every kind."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DeliveryState(models.TextChoices):
    PENDING = "pending", _("waiting")
    RUNNING = "running", _("running")
    UNKNOWN = "unknown", _("being checked")
    DONE = "done", _("done")
    PARKED = "parked", _("needs a person")
    HELD = "held", _("held")
    CANCELLED = "cancelled", _("cancelled")


class Mode(models.TextChoices):
    """What a claim is for: have the effect, or find out whether it happened."""

    ACT = "act", _("send")
    RECONCILE = "reconcile", _("check")


class AttemptResult(models.TextChoices):
    OPEN = "open", _("under way")
    DONE = "done", _("done")
    AGAIN = "again", _("again later")
    UNKNOWN = "unknown", _("no clear answer")
    ABSENT = "absent", _("proven not to have happened")
    UNDECIDED = "undecided", _("not found yet")
    PARKED = "parked", _("needs a person")
    LOST = "lost", _("worker lost")
    LATE = "late", _("answer came after the lease")


DUE_STATES = (DeliveryState.PENDING, DeliveryState.UNKNOWN)
UNFINISHED_STATES = (
    DeliveryState.PENDING, DeliveryState.RUNNING, DeliveryState.UNKNOWN, DeliveryState.PARKED, DeliveryState.HELD,
)  # fmt: skip
