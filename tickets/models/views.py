"""Filters of the queue that a person has given a name."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from supporthub.core.models import TimestampedModel

NAME_LENGTH = 60


class SavedView(TimestampedModel):
    """A person's own view of the queue; nobody else sees it. `query` is a `QueueFilter.to_query()`, without a page."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    name = models.CharField(_("name"), max_length=NAME_LENGTH)
    query = models.TextField()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        constraints = [models.UniqueConstraint("owner", Lower("name"), name="saved_view_name_unique")]

    def __str__(self) -> str:
        return self.name
