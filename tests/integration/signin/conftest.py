"""People with one-time codes, and browsers that sign in by the form."""

import base64
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.cache import cache
from django.test import Client
from django_otp.oath import TOTP  # type: ignore[import-untyped]
from pytest_django import Settings

from accounts.choices import EntraValue
from accounts.models import EntraRoleRule, TenantConnection, TotpDevice, User
from accounts.services.codes import begin_codes, confirm_codes
from supporthub.integrations.entra import sign_in as entra_sign_in
from supporthub.integrations.entra.keys import shelf
from tests.factories.accounts import PASSWORD, OrganisationFactory, technician
from tests.sandbox.client import Control, SandboxProcess
from tests.sandbox.entra.seeds import CONTOSO

Response = Any


def code_for(user: User, *, steps: int = 0) -> str:
    """What the person's app shows now, or `steps` half minutes from now."""
    device = TotpDevice.objects.get(user=user)
    totp = TOTP(base64.b32decode(device.secret))
    totp.time = time.time() + 30 * steps
    return f"{totp.token():06d}"


def forget_used_codes(user: User) -> None:
    """So that a test need not wait half a minute for the next code."""
    TotpDevice.objects.filter(user=user).update(last_step=-1)


def give_codes(user: User) -> list[str]:
    """Set codes up for this person; returns the recovery codes."""
    begin_codes(user=user)
    recovery = confirm_codes(user=user, typed=code_for(user))
    forget_used_codes(user)
    return recovery


def first_step(client: Client, user: User, *, password: str = PASSWORD, where: str = "/profile/") -> Response:
    return client.post("/sign-in/", {"username": user.email, "password": password, "next": where})


def is_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


@pytest.fixture
def ann(db: None) -> User:
    """A technician with one-time codes."""
    user = technician(email="ann@hub.example", name="Ann Lind")
    give_codes(user)
    return user


@pytest.fixture
def ben(db: None) -> User:
    """A technician with a password only."""
    return technician(email="ben@hub.example", name="Ben Carter")


SigningIn = Callable[..., Client]


@pytest.fixture
def signing_in() -> SigningIn:
    """Sign somebody in by the form, in a browser of its own."""

    def sign_in(user: User, **headers: str) -> Client:
        client = Client(headers=headers)
        answer = first_step(client, user)
        if answer["Location"] == "/sign-in/code/":
            forget_used_codes(user)
            answer = client.post("/sign-in/code/", {"code": code_for(user)})
        assert answer["Location"] == "/profile/", answer
        return client

    return sign_in


@dataclass
class Microsoft:
    """The played Entra, and a browser's way through its pages."""

    process: SandboxProcess
    tenant: TenantConnection

    @property
    def control(self) -> Control:
        return self.process.control

    def begin(self, client: Client, where: str = "/profile/") -> str:
        """Go to Microsoft's page; returns its address."""
        answer = client.get("/sign-in/microsoft/", {"next": where})
        assert answer.status_code == 302, answer.content
        return str(answer["Location"])

    def choose(self, address: str, person: str) -> str:
        """Choose somebody there; returns where the browser is sent back to, without the host."""
        answer = httpx.get(f"{address}&sandbox_person={person}", trust_env=False)
        back = urlsplit(answer.headers["location"])
        return f"{back.path}?{back.query}"

    def sign_in(self, client: Client, person: str, where: str = "/profile/") -> Response:
        return client.get(self.choose(self.begin(client, where), person))

    def rule(self, value: str, role: str, **more: Any) -> EntraRoleRule:
        facts = {"tenant": self.tenant, "kind": EntraValue.ROLE, **more}
        return EntraRoleRule.objects.create(value=value, role=role, **facts)


@pytest.fixture(scope="package")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def microsoft(process: SandboxProcess, settings: Settings, db: None) -> Iterator[Microsoft]:
    """Sign-in with Microsoft is on; the people of the sandbox's Contoso may come."""
    for name, value in process.entra_settings.items():
        setattr(settings, name, value)
    settings.ENTRA_CONFIGURED = settings.ENTRA_SIGN_IN = True
    settings.ENTRA_CONNECT_TIMEOUT = settings.ENTRA_READ_TIMEOUT = 5.0
    process.control.reset()
    forget()
    organisation = OrganisationFactory.create(name="Contoso", slug="contoso")
    yield Microsoft(process, TenantConnection.objects.create(organisation=organisation, tenant_id=CONTOSO))
    forget()


def forget() -> None:
    """What the process knows of Entra: its keys, and msal's own memory."""
    cache.clear()
    shelf.forget_own()
    entra_sign_in._application.cache_clear()
