"""The audit trail: entries that are sealed into a chain, personal texts beside them, anchors of the chain.

Rows come and go only as the triggers of migration 0003 allow: entries and anchors are inserted, sealed once, and never
changed or removed; a personal text is inserted and erased. See docs/adr/0007-audit-trail.md.
"""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.choices import ActorKind
from accounts.models.organisations import Organisation


class AuditEntry(models.Model):
    """A fact: who did what to what, in ids, codes and salted digests. Written only by accounts.services.audit.

    Nothing here is a foreign key in the database: what an entry names may go, the entry stays as it was sealed.
    The last four columns are the sealer's; they are empty until it has come by.
    """

    id = models.BigAutoField(_("number"), primary_key=True)
    at = models.DateTimeField(_("when"))
    actor_kind = models.CharField(_("who"), max_length=10, choices=ActorKind)
    actor_id = models.CharField(_("id of who"), max_length=64, blank=True)
    action = models.CharField(_("what"), max_length=60)
    target_type = models.CharField(_("kind of what it was done to"), max_length=40)
    target_id = models.CharField(_("id of what it was done to"), max_length=64, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.DO_NOTHING, null=True, blank=True, related_name="+", db_constraint=False,
        db_index=False, verbose_name=_("organisation"),
    )  # fmt: skip
    request_id = models.CharField(_("request"), max_length=64, blank=True)
    data = models.JSONField(_("data"), default=dict)
    digests = models.JSONField(_("digests"), default=dict)

    seal = models.BigIntegerField(_("seal"), null=True, unique=True)
    mac = models.BinaryField(null=True)
    key_id = models.CharField(_("key"), max_length=16, null=True)  # noqa: DJ001  (null says: not sealed yet)
    form = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        constraints = [
            models.CheckConstraint(
                condition=Q(seal=None, mac=None, key_id=None, form=None)
                | Q(seal__gt=0, mac__isnull=False, key_id__isnull=False, form__isnull=False),
                name="audit_sealed_whole_or_not",
            )
        ]
        indexes = [
            # the sealer: what has no seal yet, also what was committed late; as short as that list
            models.Index(fields=["id"], condition=Q(seal=None), name="audit_unsealed"),
            # what somebody with a role on one organisation may see, newest first
            models.Index(fields=["organisation", "-id"], name="audit_by_organisation"),
            # the history of one thing
            models.Index(fields=["target_type", "target_id", "-id"], name="audit_by_target"),
            # everything that somebody did
            models.Index(fields=["actor_kind", "actor_id", "-id"], name="audit_by_actor"),
            # one kind of fact, however rare
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            # everything that one request did
            models.Index(fields=["request_id"], condition=~Q(request_id=""), name="audit_by_request"),
            # from … until …: rows lie nearly in the order of time, so a few bytes a hundred pages suffice
            BrinIndex(fields=["at"], autosummarize=True, pages_per_range=32, name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.action} {self.target_type}:{self.target_id}"


class AuditText(models.Model):
    """Personal text of an entry, and the salt of its digests. Deleting the row erases both; the entry stays valid.

    `texts` may be empty: then the values themselves lie elsewhere, and the salt lets them be compared.
    """

    entry = models.OneToOneField(
        AuditEntry, on_delete=models.DO_NOTHING, primary_key=True, related_name="text", db_constraint=False
    )
    salt = models.BinaryField()
    texts = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("personal text of the audit trail")
        verbose_name_plural = _("personal texts of the audit trail")

    def __str__(self) -> str:
        return f"text of entry {self.entry_id}"


class AuditAnchor(models.Model):
    """The chain as it stood at one entry, signed; a copy lies in the default storage and in the log."""

    seal = models.BigIntegerField(primary_key=True)
    mac = models.BinaryField()
    at = models.DateTimeField()
    key_id = models.CharField(max_length=16)
    proof = models.BinaryField()
    stored_at = models.DateTimeField(null=True)  # null: the copies are still to be made

    class Meta:
        verbose_name = _("anchor of the audit trail")
        verbose_name_plural = _("anchors of the audit trail")
        # anchors whose copies are still to be made; nearly always none
        indexes = [models.Index(fields=["seal"], condition=Q(stored_at=None), name="audit_anchor_unstored")]

    def __str__(self) -> str:
        return f"anchor at {self.seal}"
