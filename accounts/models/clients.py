"""Programs that call the API: what each may do, and the keys that it proves itself with."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.choices import ClientScope
from accounts.models.organisations import Organisation
from supporthub.core.models import TimestampedModel


class ApiClient(TimestampedModel):
    """A program that calls the API.

    `user` is what tickets and their timelines name as the actor: a row without a password that no list of people
    shows and that cannot sign in.
    """

    name = models.CharField(_("name"), max_length=100, help_text=_("As timelines show it, for example Monitoring."))
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_client", editable=False
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="api_clients",
        verbose_name=_("organisation"), help_text=_("Leave empty for all organisations."),
    )  # fmt: skip
    scopes = ArrayField(
        models.CharField(max_length=32, choices=ClientScope), verbose_name=_("scopes"),
        help_text=_("What the program may do. Give as little as it needs."),
    )  # fmt: skip
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting."))
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True, help_text=_("Empty: it does not end."))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="api_client_name_unique"),
            models.CheckConstraint(condition=~Q(scopes=[]), name="api_client_has_scopes"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_usable(self, now: datetime) -> bool:
        return self.is_active and (self.expires_at is None or self.expires_at > now)


class ApiKey(models.Model):
    """A key of a client. Only its SHA-256 is kept; `prefix` is the part that finds the row and that people may see."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys", verbose_name=_("API client"))
    prefix = models.CharField(_("begins with"), max_length=12, unique=True)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("made"), auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip
    expires_at = models.DateTimeField(_("ends"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"shk_{self.prefix}…"

    def is_usable(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)
