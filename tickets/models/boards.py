"""Where tickets are worked: trackers, boards, categories, and roles on boards."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role
from supporthub.core.crypto import EncryptedTextField
from supporthub.core.deliveries.models import OutsideTarget
from supporthub.core.models import TimestampedModel
from tickets.choices import TrackerKind, WorkedIn


class Tracker(OutsideTarget):
    """A ticketing system that takes our tickets, with its limits. The hub itself needs no row.

    `account` and `token` may stay empty when the address is ATLASSIAN_URL: then ATLASSIAN_USER and
    ATLASSIAN_API_TOKEN count, so that a renewed token needs no click.
    """

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=16, choices=TrackerKind, default=TrackerKind.JIRA_CLOUD)
    base_url = models.URLField(_("address"), max_length=300, help_text=_("For example https://example.atlassian.net"))
    account = models.CharField(_("account"), max_length=254, blank=True, help_text=_("Empty: the server's setting."))
    token = EncryptedTextField(_("API token"), blank=True, default="", help_text=_("Stored encrypted; never shown."))

    class Meta:
        verbose_name = _("tracker")
        verbose_name_plural = _("trackers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Board(TimestampedModel):
    """A team's queue. Its tickets go to the tracker's project, or stay here when it has none."""

    slug = models.SlugField(_("short name"), unique=True, help_text=_("Used in the API and in addresses."))
    name = models.CharField(_("name"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Inactive ones take no new tickets."))
    is_default = models.BooleanField(_("default"), default=False, help_text=_("Takes tickets that name no board."))
    tracker = models.ForeignKey(
        Tracker, on_delete=models.PROTECT, null=True, blank=True, related_name="boards", verbose_name=_("tracker"),
        help_text=_("Empty: the hub itself is the ticketing system."),
    )  # fmt: skip
    project_key = models.CharField(
        _("project"), max_length=50, blank=True, help_text=_("The project's key in the tracker, for example HELP.")
    )
    issue_type = models.CharField(_("issue type"), max_length=60, blank=True, help_text=_("Its name or id."))
    labels = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, verbose_name=_("labels"),
        help_text=_("Put on every issue; no spaces inside a label."),
    )  # fmt: skip
    worked_in = models.CharField(
        _("worked"), max_length=16, choices=WorkedIn, default=WorkedIn.HUB,
        help_text=_("Who wins when both sides change the same thing."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("board")
        verbose_name_plural = _("boards")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="board_one_default"
            ),
            models.CheckConstraint(
                condition=models.Q(tracker__isnull=True) | ~models.Q(project_key=""),
                name="board_with_tracker_has_project",
                violation_error_message=_("A board with a tracker needs the project's key."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Category(TimestampedModel):
    """What a ticket is about; for one board, or for all."""

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    board = models.ForeignKey(
        Board, on_delete=models.CASCADE, null=True, blank=True, related_name="categories", verbose_name=_("board")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class BoardGrant(TimestampedModel):
    """A role of a user on one board, for the tickets of every organisation there."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="board_grants")
    board = models.ForeignKey(Board, on_delete=models.CASCADE, related_name="grants", verbose_name=_("board"))
    role = models.CharField(_("role"), max_length=16, choices=Role)

    class Meta:
        verbose_name = _("role on a board")
        verbose_name_plural = _("roles on boards")
        constraints = [models.UniqueConstraint(fields=["user", "role", "board"], name="board_grant_unique")]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()} ({self.board})"
