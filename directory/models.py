"""People who ask for help."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from supporthub.core.models import TimestampedModel


class Person(TimestampedModel):
    """Somebody outside of the team, known by one address. Addresses differ by more than letter case."""

    email = models.EmailField(_("e-mail"), max_length=254)
    name = models.CharField(_("name"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    organisation = models.ForeignKey(
        "accounts.Organisation", on_delete=models.PROTECT, related_name="people", verbose_name=_("organisation")
    )

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="person_email_unique_any_case")]
        indexes = [
            # person look-up of the phone intake: `lower(name) LIKE 'ann%'`, `lower(email) LIKE 'ann%'`
            models.Index(OpClass(Lower("name"), name="text_pattern_ops"), name="person_name_prefix"),
            models.Index(OpClass(Lower("email"), name="text_pattern_ops"), name="person_email_prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>" if self.name else self.email
