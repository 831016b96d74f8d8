"""What somebody sets for themselves."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services.audit import actor_of, record
from supporthub.core.errors import InvalidInput


@transaction.atomic
def save_preferences(*, user: User, name: str, language: str, time_zone: str, shortcuts: bool) -> None:
    """Store a person's own preferences; raises InvalidInput for a language that the hub does not speak."""
    if language not in ("", *(code for code, _label in User._meta.get_field("language").choices or ())):
        raise InvalidInput(
            _("Not accepted: %(name)s.") % {"name": "language"},
            errors={"language": [_("The hub does not speak this language.")]},
        )
    given = {"name": name, "language": language, "time_zone": time_zone, "shortcuts": shortcuts}
    changed = [field for field, value in given.items() if getattr(user, field) != value]
    if changed:
        record(
            actor=actor_of(user), action="user.preferences_changed", target_type="user", target_id=user.pk,
            organisation_id=None, data={"fields": changed},
        )  # fmt: skip
    user.name, user.language, user.time_zone, user.shortcuts = name, language, time_zone, shortcuts
    user.save(update_fields=["name", "language", "time_zone", "shortcuts"])
