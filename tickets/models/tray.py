"""What tray clients submitted: which ticket stands behind the id that a client asks about."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.tickets import Ticket


class TraySubmission(models.Model):
    """A submission that was accepted, written in the transaction that opens its ticket.

    `scope_key` says which token bought it, so that this very token may ask even after its end. The used-token guard's
    own row cannot tell: it goes a day after the token does, and a ticket may wait for its tracker longer than that.
    """

    instance_id = models.UUIDField(_("instance id"), unique=True, editable=False)
    ticket = models.OneToOneField(
        Ticket, on_delete=models.CASCADE, related_name="tray_submission", verbose_name=_("ticket"), editable=False
    )
    person = models.ForeignKey(
        "directory.Person", on_delete=models.PROTECT, related_name="+", verbose_name=_("person"), editable=False
    )
    scope_key = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("tray submission")
        verbose_name_plural = _("tray submissions")

    def __str__(self) -> str:
        return str(self.instance_id)
