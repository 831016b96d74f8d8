"""Every surface says with the same sentence that a system is only played."""

import pytest
from django.test import Client

from accounts.choices import Role
from accounts.models import User
from tests.factories.accounts import RoleGrantFactory

SENTENCE = "Played by this machine: Jira, Entra ID. Nothing reaches the real ones."


@pytest.mark.parametrize("path", ["/", "/admin/", "/sign-in/"])
def test_the_banner_names_what_is_played(browser: Client, tech: User, path: str, settings: object) -> None:
    settings.SANDBOX_ACTIVE = ("jira", "entra")  # type: ignore[attr-defined]
    RoleGrantFactory(user=tech, role=Role.ADMIN)
    client = Client() if path == "/sign-in/" else browser
    assert SENTENCE in " ".join(client.get(path).content.decode().split())
