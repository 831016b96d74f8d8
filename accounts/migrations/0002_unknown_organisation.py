"""The organisation that takes what could not be placed must exist before the first ticket."""

from typing import Any

from django.db import migrations


def make(apps: Any, _schema_editor: Any) -> None:
    organisations = apps.get_model("accounts", "Organisation")
    organisations.objects.get_or_create(
        is_unknown=True, defaults={"name": "Unknown: needs a person", "slug": "unknown"}
    )


def remove(apps: Any, _schema_editor: Any) -> None:
    apps.get_model("accounts", "Organisation").objects.filter(is_unknown=True).delete()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [migrations.RunPython(make, remove)]
