"""ENTRA_TENANT_ID makes one organisation, once; the rows win ever after."""

import pytest
from pytest_django import Settings

from accounts.callers import Tenants
from accounts.models import Organisation, TenantConnection
from supporthub.runtime import sample
from supporthub.runtime.seeding import first_tenant
from tests.factories.accounts import OrganisationFactory
from tests.sandbox.entra.seeds import CONTOSO, HUB_APP, PEOPLE, TENANTS

pytestmark = pytest.mark.django_db
OTHER = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
def _entra(settings: Settings) -> None:
    settings.ENTRA_TENANT_ID, settings.ENTRA_CLIENT_ID = CONTOSO, HUB_APP


def test_tenant_is_seeded_once_and_a_leads_name_stays() -> None:
    assert CONTOSO in first_tenant()
    Organisation.objects.filter(tenants__tenant_id=CONTOSO).update(name="Contoso Ltd")
    assert first_tenant() == ""
    assert TenantConnection.objects.get().organisation.name == "Contoso Ltd"


def test_nothing_is_seeded_without_the_setting_or_beside_rows(settings: Settings) -> None:
    TenantConnection.objects.create(organisation=OrganisationFactory.create(), tenant_id=OTHER)
    assert first_tenant() == ""
    settings.ENTRA_TENANT_ID = ""
    TenantConnection.objects.all().delete()
    assert first_tenant() == ""


def test_setting_counts_before_there_is_a_row_and_not_beside_rows() -> None:
    assert Tenants().client_ids(CONTOSO) == {HUB_APP}
    assert Tenants().client_ids(OTHER) == frozenset()
    TenantConnection.objects.create(organisation=OrganisationFactory.create(), tenant_id=OTHER)
    assert Tenants().client_ids(CONTOSO) == frozenset()
    assert Tenants().client_ids(OTHER) == {HUB_APP}


def test_tenants_own_registration_counts_beside_ours() -> None:
    TenantConnection.objects.create(organisation=OrganisationFactory.create(), tenant_id=OTHER, client_id=CONTOSO)
    assert Tenants().client_ids(OTHER) == {HUB_APP, CONTOSO}


def test_sandbox_plays_the_samples_tenants_and_people() -> None:
    assert {(name, domain, tenant) for tenant, name, domain in TENANTS} == set(sample.TENANTS.values())
    known = {upn for _tenant, upn, *_rest in PEOPLE}
    assert {email for email, *_rest in (*sample.PEOPLE, *sample.TECHNICIANS)} <= known
