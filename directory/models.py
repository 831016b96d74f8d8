"""People who ask for help."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from supporthub.core.models import TimestampedModel

PLACEHOLDER_DOMAIN = "no-address.invalid"
"""Of an address that can never receive mail (RFC 2606): its person has given up their own, or never had one to use."""


class Person(TimestampedModel):
    """Somebody outside of the team, known by one address. Addresses differ by more than letter case.

    Whoever came with a token is known by tenant and object id, which never change hands as addresses do; whoever a
    gateway named, by tenant and user principal name, until the object id is known (`services.people.identify_person`).
    """

    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="people", verbose_name=_("organisation")
    )

    tenant_id = models.UUIDField(_("tenant id"), null=True, blank=True, editable=False)
    object_id = models.UUIDField(_("object id"), null=True, blank=True, editable=False)
    upn = models.CharField(_("user principal name"), max_length=254, blank=True, editable=False)

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="person_email_unique_any_case"),
            models.UniqueConstraint(
                fields=["tenant_id", "object_id"],
                condition=models.Q(object_id__isnull=False),
                name="person_identity_unique",
            ),
            models.UniqueConstraint(
                fields=["tenant_id", "upn"], condition=~models.Q(upn=""), name="person_upn_unique_in_tenant"
            ),
            models.CheckConstraint(
                condition=models.Q(tenant_id__isnull=False) | models.Q(object_id__isnull=True, upn=""),
                name="person_identity_has_tenant",
            ),
        ]
        indexes = [
            # person look-up of the phone intake: `lower(name) LIKE 'ann%'`, `lower(email) LIKE 'ann%'`
            models.Index(OpClass(Lower("name"), name="text_pattern_ops"), name="person_name_prefix"),
            models.Index(OpClass(Lower("email"), name="text_pattern_ops"), name="person_email_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email

    @property
    def is_reachable(self) -> bool:
        """Whether mail to `email` can reach this person."""
        return not self.email.endswith(f"@{PLACEHOLDER_DOMAIN}")
