"""The doctor's questions about signing in."""

from collections.abc import Iterable

from django.conf import settings

from accounts.models import EntraRoleRule, User
from supporthub.core.doctor import Finding, Verdict

NAME = "sign-in"


def sign_in_findings() -> Iterable[Finding]:
    """Whether people get in with Microsoft, and whether anybody does without it."""
    if not settings.ENTRA_SIGN_IN:
        return
    emergency = [user for user in User.objects.filter(break_glass=True, is_active=True) if user.has_usable_password()]
    if emergency:
        yield Finding(NAME, Verdict.GOOD, f"{len(emergency)} accounts for emergencies have a password")
    elif settings.PASSWORD_SIGN_IN == "auto":  # noqa: S105  (a word, no secret)
        yield Finding(
            NAME, Verdict.BAD, "nobody could sign in while Microsoft's sign-in is away",
            "Mark an admin's account as one for emergencies, with a long password kept in a safe.",
        )  # fmt: skip
    if not EntraRoleRule.objects.exists():
        yield Finding(
            NAME, Verdict.WARNING, "no app role or group gives a role: newcomers are refused",
            "Add rules in the admin under roles by Microsoft, or link accounts by object id.",
        )  # fmt: skip
