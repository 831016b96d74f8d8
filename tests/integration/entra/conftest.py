"""The hub against the played Entra: one program for the folder, reset before every test, and a tenant of ours."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.core.cache import cache
from django.http import HttpRequest
from django.test import RequestFactory
from pytest_django import Settings

from accounts.models import Organisation, TenantConnection
from supporthub.integrations.entra.keys import shelf
from tests.factories.accounts import OrganisationFactory
from tests.sandbox.client import Control, SandboxProcess
from tests.sandbox.entra.client import EntraCalls
from tests.sandbox.entra.seeds import CONTOSO


@dataclass
class Entra:
    """The played Entra, and what the hub asked of it."""

    process: SandboxProcess
    control: Control
    organisation: Organisation

    @property
    def calls(self) -> EntraCalls:
        return self.control.entra

    def token(self, **asked: object) -> str:
        return self.calls.token(**asked)

    def fetches(self, path: str = "/discovery/") -> int:
        """How often the hub fetched keys (or another document)."""
        return len(self.control.journal(method="GET", path=path))


def call(token: str | None = None, **headers: str) -> HttpRequest:
    """A request as the tray calls get it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if token is not None:
        named["Authorization"] = f"Bearer {token}"
    return RequestFactory().post("/api/tickets", headers=named)


@pytest.fixture(scope="package")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture
def entra(process: SandboxProcess, settings: Settings, db: None) -> Iterator[Entra]:
    for name, value in process.entra_settings.items():
        setattr(settings, name, value)
    settings.ENTRA_CONFIGURED = True
    settings.ENTRA_CONNECT_TIMEOUT = settings.ENTRA_READ_TIMEOUT = 5.0
    process.control.reset()
    cache.clear()
    shelf.forget_own()
    organisation = OrganisationFactory.create(name="Contoso", slug="contoso")
    TenantConnection.objects.create(organisation=organisation, tenant_id=CONTOSO)
    yield Entra(process, process.control, organisation)
    shelf.forget_own()
