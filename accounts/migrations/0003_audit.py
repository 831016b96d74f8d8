"""The audit trail, and the triggers that let it only grow.

The triggers hold against every statement of the hub and against its mistakes. They do not hold against the owner of
the tables, who can drop them; against that stand the chain and its anchors. docs/adr/0007-audit-trail.md.
"""

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models

# What may be updated: an entry gets its four sealing columns once, an anchor its `stored_at` once.
TRIGGERS = """
CREATE FUNCTION accounts_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail only grows: % of % is refused', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER audit_sealed_once BEFORE UPDATE ON accounts_auditentry FOR EACH ROW
WHEN (NOT (
    OLD.seal IS NULL AND NEW.seal IS NOT NULL AND OLD.id = NEW.id AND OLD.at = NEW.at
    AND OLD.actor_kind = NEW.actor_kind AND OLD.actor_id = NEW.actor_id AND OLD.action = NEW.action
    AND OLD.target_type = NEW.target_type AND OLD.target_id = NEW.target_id
    AND OLD.organisation_id IS NOT DISTINCT FROM NEW.organisation_id AND OLD.request_id = NEW.request_id
    AND OLD.data = NEW.data AND OLD.digests = NEW.digests
))
EXECUTE FUNCTION accounts_audit_refuse();

CREATE TRIGGER audit_stored_once BEFORE UPDATE ON accounts_auditanchor FOR EACH ROW
WHEN (NOT (
    OLD.stored_at IS NULL AND NEW.stored_at IS NOT NULL AND OLD.seal = NEW.seal AND OLD.mac = NEW.mac
    AND OLD.at = NEW.at AND OLD.key_id = NEW.key_id AND OLD.proof = NEW.proof
))
EXECUTE FUNCTION accounts_audit_refuse();

CREATE TRIGGER audit_text_unchanged BEFORE UPDATE ON accounts_audittext
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();

CREATE TRIGGER audit_no_delete BEFORE DELETE ON accounts_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
CREATE TRIGGER audit_no_delete BEFORE DELETE ON accounts_auditanchor
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();

CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON accounts_auditentry
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON accounts_auditanchor
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON accounts_audittext
FOR EACH STATEMENT EXECUTE FUNCTION accounts_audit_refuse();
"""
NO_TRIGGERS = "DROP FUNCTION accounts_audit_refuse() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_unknown_organisation")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False, verbose_name="number")),
                ("at", models.DateTimeField(verbose_name="when")),
                (
                    "actor_kind",
                    models.CharField(
                        choices=[
                            ("user", "user"),
                            ("client", "API client"),
                            ("person", "person"),
                            ("gateway", "gateway"),
                            ("system", "the hub itself"),
                        ],
                        max_length=10,
                        verbose_name="who",
                    ),
                ),
                ("actor_id", models.CharField(blank=True, max_length=64, verbose_name="id of who")),
                ("action", models.CharField(max_length=60, verbose_name="what")),
                ("target_type", models.CharField(max_length=40, verbose_name="kind of what it was done to")),
                (
                    "target_id",
                    models.CharField(blank=True, max_length=64, verbose_name="id of what it was done to"),
                ),
                ("request_id", models.CharField(blank=True, max_length=64, verbose_name="request")),
                ("data", models.JSONField(default=dict, verbose_name="data")),
                ("digests", models.JSONField(default=dict, verbose_name="digests")),
                ("seal", models.BigIntegerField(null=True, unique=True, verbose_name="seal")),
                ("mac", models.BinaryField(null=True)),
                ("key_id", models.CharField(max_length=16, null=True, verbose_name="key")),
                ("form", models.PositiveSmallIntegerField(null=True)),
                (
                    "organisation",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="accounts.organisation",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit entries",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(seal=None, mac=None, key_id=None, form=None)
                        | models.Q(seal__gt=0, mac__isnull=False, key_id__isnull=False, form__isnull=False),
                        name="audit_sealed_whole_or_not",
                    )
                ],
                "indexes": [
                    models.Index(condition=models.Q(("seal", None)), fields=["id"], name="audit_unsealed"),
                    models.Index(fields=["organisation", "-id"], name="audit_by_organisation"),
                    models.Index(fields=["target_type", "target_id", "-id"], name="audit_by_target"),
                    models.Index(fields=["actor_kind", "actor_id", "-id"], name="audit_by_actor"),
                    models.Index(fields=["action", "-id"], name="audit_by_action"),
                    models.Index(
                        condition=models.Q(("request_id", ""), _negated=True),
                        fields=["request_id"],
                        name="audit_by_request",
                    ),
                    django.contrib.postgres.indexes.BrinIndex(
                        autosummarize=True, fields=["at"], name="audit_by_time", pages_per_range=32
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditText",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="text",
                        serialize=False,
                        to="accounts.auditentry",
                    ),
                ),
                ("salt", models.BinaryField()),
                ("texts", models.JSONField(default=dict)),
            ],
            options={
                "verbose_name": "personal text of the audit trail",
                "verbose_name_plural": "personal texts of the audit trail",
            },
        ),
        migrations.CreateModel(
            name="AuditAnchor",
            fields=[
                ("seal", models.BigIntegerField(primary_key=True, serialize=False)),
                ("mac", models.BinaryField()),
                ("at", models.DateTimeField()),
                ("key_id", models.CharField(max_length=16)),
                ("proof", models.BinaryField()),
                ("stored_at", models.DateTimeField(null=True)),
            ],
            options={
                "verbose_name": "anchor of the audit trail",
                "verbose_name_plural": "anchors of the audit trail",
                "indexes": [
                    models.Index(
                        condition=models.Q(("stored_at", None)), fields=["seal"], name="audit_anchor_unstored"
                    )
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
