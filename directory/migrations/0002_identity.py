from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="person",
            name="tenant_id",
            field=models.UUIDField(blank=True, editable=False, null=True, verbose_name="tenant id"),
        ),
        migrations.AddField(
            model_name="person",
            name="object_id",
            field=models.UUIDField(blank=True, editable=False, null=True, verbose_name="object id"),
        ),
        migrations.AddField(
            model_name="person",
            name="upn",
            field=models.CharField(blank=True, editable=False, max_length=254, verbose_name="user principal name"),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                condition=models.Q(("object_id__isnull", False)),
                fields=("tenant_id", "object_id"),
                name="person_identity_unique",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.UniqueConstraint(
                condition=models.Q(("upn", ""), _negated=True),
                fields=("tenant_id", "upn"),
                name="person_upn_unique_in_tenant",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("tenant_id__isnull", False),
                    models.Q(("object_id__isnull", True), ("upn", "")),
                    _connector="OR",
                ),
                name="person_identity_has_tenant",
            ),
        ),
    ]
