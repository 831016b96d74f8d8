import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0002_identity"),
        ("tickets", "0002_attachments"),
    ]

    operations = [
        migrations.AlterField(
            model_name="ticket",
            name="source",
            field=models.CharField(
                choices=[("api", "API"), ("web", "web"), ("phone", "phone"), ("tray", "tray client")],
                default="api",
                max_length=10,
                verbose_name="source",
            ),
        ),
        migrations.CreateModel(
            name="TraySubmission",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("instance_id", models.UUIDField(editable=False, unique=True, verbose_name="instance id")),
                ("scope_key", models.CharField(editable=False, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "person",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="directory.person",
                        verbose_name="person",
                    ),
                ),
                (
                    "ticket",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tray_submission",
                        to="tickets.ticket",
                        verbose_name="ticket",
                    ),
                ),
            ],
            options={
                "verbose_name": "tray submission",
                "verbose_name_plural": "tray submissions",
            },
        ),
    ]
