"""Rows that keep the hub in hand: holds on outward effects, and requests that must not be done twice."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.choices import HoldScope
from supporthub.core.models import TimestampedModel


class Hold(TimestampedModel):
    """Outward effects that wait on purpose. Deleting the row releases them."""

    scope = models.CharField(_("what"), max_length=16, choices=HoldScope)
    value = models.CharField(
        _("which"), max_length=100, blank=True,
        help_text=_("The kind, or the short name of the organisation, board or system. Empty for everything."),
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=300, help_text=_("Shown beside everything that waits."))
    observe = models.BooleanField(
        _("observe mode"), default=False, help_text=_("Decide everything, send nothing: to run beside an old system.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            models.UniqueConstraint(fields=["scope", "value"], name="hold_unique"),
            models.CheckConstraint(
                condition=models.Q(scope=HoldScope.ALL, value="")
                | (~models.Q(scope=HoldScope.ALL) & ~models.Q(value="")),
                name="hold_value_fits_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.value}".strip()


class IdempotentRequest(models.Model):
    """A creating request and its answer, so that a repetition gets the same answer. Kept for 24 hours.

    Written in the same transaction as what it created: the unique index makes a twin wait for the first to commit.
    """

    principal = models.CharField(max_length=80)
    method = models.CharField(max_length=8)
    path = models.CharField(max_length=200)
    key = models.CharField(max_length=255)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    location = models.CharField(max_length=300, blank=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)  # the nightly clean-up reads by age

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["principal", "method", "path", "key"], name="idempotent_request_unique")
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
