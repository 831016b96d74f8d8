"""People who work in the hub, and the roles granted to them."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.choices import Role
from accounts.models.organisations import Organisation
from supporthub.core.models import TimestampedModel


class UserManager(BaseUserManager["User"]):
    """People only: the rows behind API clients are never listed, assigned, or signed in.

    Addresses are stored in lower case; signing in does not care about case.
    """

    def get_queryset(self) -> "models.QuerySet[User]":
        return super().get_queryset().filter(is_client=False)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, **{"is_superuser": True, "break_glass": True, **fields})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A technician, lead, admin or auditor. The e-mail address is the login."""

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_active = models.BooleanField(_("active"), default=True, help_text=_("Switch off instead of deleting."))
    language = models.CharField(_("language"), max_length=8, blank=True, choices=[("en", "English"), ("de", "Deutsch")])
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, help_text=_("For example Europe/Brussels."))
    shortcuts = models.BooleanField(_("keyboard shortcuts"), default=True)
    date_joined = models.DateTimeField(_("since"), default=timezone.now, editable=False)
    break_glass = models.BooleanField(
        _("for emergencies"), default=False,
        help_text=_("May sign in with a password while everybody else signs in with Microsoft. Each use is logged."),
    )  # fmt: skip
    is_client = models.BooleanField(default=False, editable=False)  # acts for an ApiClient; no person

    objects: ClassVar[UserManager] = UserManager()
    known_grants: dict[str, list[dict[str, Any]]]  # read with the user; see accounts.permissions
    everybody: ClassVar[models.Manager["User"]] = models.Manager()  # people and API clients

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_unique_any_case")]

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def is_staff(self) -> bool:
        """Django asks this before it shows the admin; who may do what there is decided by accounts.permissions."""
        return self.is_superuser or self.grants.exclude(role=Role.TECHNICIAN).exists()

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.email.split("@")[0]


class RoleGrant(TimestampedModel):
    """A role of a user for one organisation, or, without one, for all of them. Grants on boards live in tickets."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(_("role"), max_length=16, choices=Role)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="grants",
        verbose_name=_("organisation"), help_text=_("Leave empty for all organisations."),
    )  # fmt: skip
    # Given by a rule at a sign-in with Microsoft, and taken away by the next one when the rule fits no longer.
    from_entra = models.BooleanField(_("by a rule"), default=False, editable=False)

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "organisation"], nulls_distinct=False, name="role_grant_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}"
