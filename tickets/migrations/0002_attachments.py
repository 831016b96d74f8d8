import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tickets", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name="timelineentry",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ticket.opened", "opened"),
                    ("ticket.status_changed", "status changed"),
                    ("ticket.assigned", "assigned"),
                    ("ticket.priority_changed", "priority changed"),
                    ("ticket.title_changed", "title changed"),
                    ("ticket.labels_changed", "labels changed"),
                    ("ticket.watcher_added", "watcher added"),
                    ("ticket.watcher_removed", "watcher removed"),
                    ("message.replied", "replied"),
                    ("message.noted", "noted"),
                    ("submission.done", "in the tracker"),
                    ("submission.parked", "needs a person"),
                    ("submission.retried", "retried"),
                    ("submission.accepted", "accepted as it is"),
                    ("submission.cancelled", "submission cancelled"),
                    ("submission.adjusted", "sent without a field"),
                    ("submission.duplicate_found", "duplicate found"),
                    ("attachment.added", "files added"),
                    ("attachment.parked", "a file needs a person"),
                ],
                max_length=40,
            ),
        ),
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "state",
                    models.CharField(
                        choices=[("staged", "not sent yet"), ("attached", "attached")],
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("media_type", models.CharField(max_length=100, verbose_name="type")),
                ("size", models.PositiveBigIntegerField(verbose_name="size")),
                ("sha256", models.CharField(max_length=64, verbose_name="SHA-256")),
                ("key", models.CharField(max_length=80, unique=True)),
                ("is_picture", models.BooleanField(default=False)),
                ("width", models.PositiveIntegerField(null=True)),
                ("height", models.PositiveIntegerField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="tickets.message",
                        verbose_name="message",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attachments",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
                (
                    "uploaded_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="uploaded by",
                    ),
                ),
                (
                    "uploaded_by_person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="directory.person",
                        verbose_name="uploaded by",
                    ),
                ),
            ],
            options={
                "verbose_name": "attachment",
                "verbose_name_plural": "attachments",
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="FileDelivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "waiting"),
                            ("running", "running"),
                            ("unknown", "being checked"),
                            ("done", "done"),
                            ("parked", "needs a person"),
                            ("held", "held"),
                            ("cancelled", "cancelled"),
                        ],
                        default="pending",
                        editable=False,
                        max_length=12,
                        verbose_name="state",
                    ),
                ),
                (
                    "mode",
                    models.CharField(
                        choices=[("act", "send"), ("reconcile", "check")], default="act", editable=False, max_length=12
                    ),
                ),
                (
                    "not_before",
                    models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name="next try"),
                ),
                (
                    "lease_until",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="leased until"),
                ),
                ("fence", models.PositiveBigIntegerField(default=0, editable=False)),
                ("tries", models.PositiveIntegerField(default=0, editable=False, verbose_name="tries")),
                (
                    "first_tried_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="first tried"),
                ),
                (
                    "unknown_since",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="in doubt since"),
                ),
                ("held_from", models.CharField(blank=True, editable=False, max_length=12)),
                ("urgency", models.PositiveSmallIntegerField(default=100, editable=False)),
                (
                    "reason_code",
                    models.CharField(blank=True, editable=False, max_length=60, verbose_name="reason code"),
                ),
                ("reason", models.CharField(blank=True, editable=False, max_length=500, verbose_name="reason")),
                ("hurried_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("done_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="done at")),
                ("payload_version", models.PositiveSmallIntegerField(default=1, editable=False)),
                ("marker", models.CharField(max_length=16, unique=True, verbose_name="marker")),
                ("remote_name", models.CharField(max_length=160, verbose_name="name in the tracker")),
                ("remote_id", models.CharField(blank=True, max_length=40, verbose_name="id in the tracker")),
                (
                    "attachment",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="delivery",
                        to="tickets.attachment",
                        verbose_name="attachment",
                    ),
                ),
                (
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="file_deliveries",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
                (
                    "tracker",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="file_deliveries",
                        to="tickets.tracker",
                        verbose_name="tracker",
                    ),
                ),
            ],
            options={
                "verbose_name": "file for the tracker",
                "verbose_name_plural": "files for the tracker",
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="FileAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("fence", models.PositiveBigIntegerField()),
                ("mode", models.CharField(choices=[("act", "send"), ("reconcile", "check")], max_length=12)),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("open", "under way"),
                            ("done", "done"),
                            ("again", "again later"),
                            ("unknown", "no clear answer"),
                            ("absent", "proven not to have happened"),
                            ("undecided", "not found yet"),
                            ("parked", "needs a person"),
                            ("lost", "worker lost"),
                            ("late", "answer came after the lease"),
                        ],
                        default="open",
                        max_length=12,
                    ),
                ),
                ("code", models.CharField(blank=True, max_length=60)),
                ("reason", models.CharField(blank=True, max_length=500, verbose_name="reason")),
                ("started_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "delivery",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="attempts", to="tickets.filedelivery"
                    ),
                ),
            ],
            options={
                "ordering": ["fence"],
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="attachment",
            index=models.Index(
                condition=models.Q(("state", "staged")), fields=["uploaded_by", "created_at"], name="attachment_staged"
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "attached"), ("ticket__isnull", False)),
                    models.Q(("message__isnull", True), ("state", "staged"), ("ticket__isnull", True)),
                    _connector="OR",
                ),
                name="attachment_attached_has_ticket",
            ),
        ),
        migrations.AddIndex(
            model_name="filedelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["pending", "unknown"])),
                fields=["urgency", "not_before"],
                name="tickets_filedelivery_due",
            ),
        ),
        migrations.AddIndex(
            model_name="filedelivery",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["lease_until"], name="tickets_filedelivery_run"
            ),
        ),
        migrations.AddIndex(
            model_name="filedelivery",
            index=models.Index(
                condition=models.Q(("state__in", ["parked", "held"])),
                fields=["-updated_at"],
                name="tickets_filedelivery_stop",
            ),
        ),
        migrations.AddConstraint(
            model_name="fileattempt",
            constraint=models.UniqueConstraint(fields=("delivery", "fence"), name="file_attempt_unique"),
        ),
    ]
