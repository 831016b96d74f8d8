"""Organisations: the dimension that every ticket, person, delivery and audit entry names."""

from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from supporthub.core.crypto import EncryptedTextField
from supporthub.core.models import TimestampedModel


class Organisation(TimestampedModel):
    """A customer, or the company itself. The one with `is_unknown` takes what could not be placed."""

    name = models.CharField(_("name"), max_length=200, help_text=_("As people say it, for example Contoso."))
    slug = models.SlugField(_("short name"), unique=True, help_text=_("Used in the API and in addresses."))
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Inactive ones take no new tickets."))
    is_unknown = models.BooleanField(
        _("collects the unknown"),
        default=False,
        editable=False,
        help_text=_("Tickets whose sender could not be placed."),
    )

    require_totp = models.BooleanField(
        _("one-time codes needed"), default=False,
        help_text=_("Whoever has a role here and signs in with a password must also give a one-time code."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("organisation")
        verbose_name_plural = _("organisations")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="organisation_name_unique"),
            models.UniqueConstraint(
                fields=["is_unknown"], condition=models.Q(is_unknown=True), name="organisation_one_unknown"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TenantConnection(TimestampedModel):
    """One Entra tenant of an organisation: how we reach it, how fast, and whether at all."""

    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="tenants", verbose_name=_("organisation")
    )
    tenant_id = models.UUIDField(_("tenant id"), unique=True, help_text=_("The directory id shown by Entra."))
    client_id = models.UUIDField(_("client id"), null=True, blank=True, help_text=_("Our app registration there."))
    client_secret = EncryptedTextField(
        _("client secret"), blank=True, default="", help_text=_("Stored encrypted; never shown again.")
    )
    requests_per_second = models.FloatField(_("requests per second"), default=10.0)
    paused = models.BooleanField(_("paused"), default=False, help_text=_("Nothing is asked of this tenant."))

    class Meta:
        verbose_name = _("tenant connection")
        verbose_name_plural = _("tenant connections")

    def __str__(self) -> str:
        return f"{self.organisation} ({self.tenant_id})"


class VerifiedDomain(models.Model):
    """A mail domain that belongs to a tenant; it places people who write from it."""

    tenant = models.ForeignKey(TenantConnection, on_delete=models.CASCADE, related_name="domains")
    name = models.CharField(_("domain"), max_length=253, help_text=_("For example contoso.com."))

    class Meta:
        verbose_name = _("verified domain")
        verbose_name_plural = _("verified domains")
        constraints = [models.UniqueConstraint(Lower("name"), name="verified_domain_unique")]

    def __str__(self) -> str:
        return self.name
