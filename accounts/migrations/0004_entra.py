import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_audit")]

    operations = [
        migrations.CreateModel(
            name="TokenUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope_key", models.CharField(max_length=64)),
                ("ordinal", models.PositiveIntegerField()),
                ("content_hash", models.CharField(max_length=64)),
                ("instance_id", models.UUIDField(default=uuid.uuid4, unique=True)),
                ("tenant_id", models.UUIDField()),
                ("object_id", models.UUIDField(null=True)),
                ("upn", models.CharField(max_length=254)),
                ("created_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ordinal", 0), _negated=True),
                        fields=["tenant_id", "object_id", "upn", "created_at"],
                        name="token_use_of_person",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("scope_key", "content_hash"), name="token_use_content_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("ordinal", 0), _negated=True),
                        fields=("scope_key", "ordinal"),
                        name="token_use_ordinal_once",
                    ),
                ],
            },
        ),
    ]
