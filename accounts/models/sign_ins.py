"""How people come in: where they are signed in, one-time codes, and sign-in with Microsoft."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.choices import EntraValue, Role, SignInKind, SignInWay
from accounts.models.organisations import Organisation, TenantConnection
from supporthub.core.crypto import EncryptedTextField
from supporthub.core.models import TimestampedModel


class SignIn(models.Model):
    """One place where somebody is signed in: a browser's session, or a pair of API tokens.

    Stands beside Django's session (`session_key`); tokens name the row in their claim `sid`. Ended rows stay for a
    while, so that a person can see what was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_ins", verbose_name=_("user")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=SignInKind)
    way = models.CharField(_("how"), max_length=16, choices=SignInWay)
    session_key = models.CharField(max_length=40, blank=True, editable=False)
    device = models.CharField(_("device"), max_length=120, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"), auto_now_add=True)
    expires_at = models.DateTimeField(_("ends"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+",
        verbose_name=_("ended by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        ordering = ["-created_at"]
        indexes = [
            # a person's own list, and what a lead ends
            models.Index(fields=["user", "-created_at"], name="sign_in_by_user"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["session_key"], condition=~Q(session_key=""), name="sign_in_of_session")
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.device or self.get_kind_display()}"


class TotpDevice(TimestampedModel):
    """The secret that a person's authenticator app shares with the hub (RFC 6238); counts once it is confirmed.

    `last_step` is the time step of the last accepted code: none is accepted twice.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="totp")
    secret = EncryptedTextField()  # base32
    confirmed_at = models.DateTimeField(_("on since"), null=True, blank=True)
    last_step = models.BigIntegerField(default=-1)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("one-time codes")
        verbose_name_plural = _("one-time codes")

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """A code that opens the second step once, for a lost phone. Only its SHA-256 is kept."""

    device = models.ForeignKey(TotpDevice, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["device", "digest"], name="recovery_code_unique")]

    def __str__(self) -> str:
        return f"recovery code {self.pk}"


class SignInFlow(models.Model):
    """A sign-in with Microsoft under way: what was asked of Entra. Used once, by the browser that began it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    flow = EncryptedTextField()
    next = models.CharField(max_length=500, blank=True)
    # the clean-up reads by age
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return str(self.pk)


class EntraIdentity(TimestampedModel):
    """The Entra account that signs in as this user, by (`tenant_id`, `object_id`): addresses can change hands."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="entra_identity")
    tenant_id = models.UUIDField(_("tenant id"), help_text=_("The directory id shown by Entra."))
    object_id = models.UUIDField(_("object id"), help_text=_("The user's object id shown by Entra."))
    upn = models.CharField(_("sign-in name there"), max_length=254, blank=True, editable=False)

    class Meta:
        verbose_name = _("Microsoft account")
        verbose_name_plural = _("Microsoft accounts")
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "object_id"], name="entra_identity_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} / {self.object_id}"


class EntraRoleRule(TimestampedModel):
    """An app role or a group at Entra gives a role here; applied at each sign-in with Microsoft."""

    tenant = models.ForeignKey(
        TenantConnection, on_delete=models.CASCADE, related_name="role_rules", verbose_name=_("tenant"),
        help_text=_("Whose people this is for."),
    )  # fmt: skip
    kind = models.CharField(
        _("kind"), max_length=8, choices=EntraValue,
        help_text=_("App roles are better: people in very many groups arrive without their groups."),
    )  # fmt: skip
    value = models.CharField(_("value"), max_length=120, help_text=_("The app role's value, or the group's object id."))
    role = models.CharField(_("role"), max_length=16, choices=Role)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.CASCADE, null=True, blank=True, related_name="+",
        verbose_name=_("organisation"), help_text=_("Leave empty for all organisations."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("role by Microsoft")
        verbose_name_plural = _("roles by Microsoft")
        ordering = ["tenant_id", "kind", "value"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "kind", "value", "role", "organisation"], nulls_distinct=False,
                name="entra_role_rule_unique",
            )
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}: {self.get_role_display()}"
