"""Which row is whose: people are known by tenant and object id, and no address hands over what belonged to another."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import Organisation, TenantConnection, VerifiedDomain
from accounts.selectors import unknown_organisation
from directory.models import Person
from directory.services.identities import identify_person
from directory.services.people import ensure_person
from tests.factories.accounts import OrganisationFactory
from tests.factories.directory import PersonFactory

TENANT, OTHER_TENANT = str(uuid.uuid4()), str(uuid.uuid4())
ONE, TWO = str(uuid.uuid4()), str(uuid.uuid4())
ANN = "ann@contoso.example"

pytestmark = pytest.mark.django_db


@pytest.fixture
def home() -> Organisation:
    found: Organisation = OrganisationFactory.create(slug="contoso")
    TenantConnection.objects.create(organisation=found, tenant_id=TENANT)
    return found


def seen(home: Organisation, object_id: str | None = ONE, upn: str = ANN, tenant_id: str = TENANT) -> Person:
    person = identify_person(tenant_id=tenant_id, object_id=object_id, upn=upn, name="Ann", organisation=home)
    return Person.objects.get(pk=person.pk)


def test_first_sight_makes_a_person_with_address_and_name(home: Organisation) -> None:
    person = seen(home, upn="Ann@Contoso.example")
    assert (person.email, person.upn, person.name) == (ANN, ANN, "Ann")
    assert (str(person.tenant_id), str(person.object_id), person.organisation) == (TENANT, ONE, home)
    assert seen(home) == person


def test_known_person_costs_one_query(home: Organisation, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    seen(home)
    with django_assert_num_queries(1):
        identify_person(tenant_id=TENANT, object_id=ONE, upn=ANN, name="Ann", organisation=home)


def test_somebody_known_by_mail_only_becomes_the_person(home: Organisation) -> None:
    by_mail = PersonFactory.create(email=ANN, organisation=home)
    assert seen(home) == by_mail
    assert ensure_person(email=ANN) == by_mail


def test_somebody_who_could_not_be_placed_is_placed_by_the_token(home: Organisation) -> None:
    by_mail = ensure_person(email=ANN)
    assert by_mail.organisation == unknown_organisation()
    person = seen(home)
    assert (person, person.organisation) == (by_mail, home)


def test_unplaced_address_of_a_foreign_domain_is_not_believed(home: Organisation) -> None:
    VerifiedDomain.objects.create(tenant=TenantConnection.objects.get(), name="contoso.example")
    guest = ensure_person(email="eve@elsewhere.example")
    person = seen(home, upn="eve@elsewhere.example")
    assert person != guest
    assert not person.is_reachable


def test_renamed_person_stays_the_person_and_the_address_follows(home: Organisation) -> None:
    person = seen(home)
    again = seen(home, upn="ann.smith@contoso.example")
    assert (again, again.email, again.upn) == (person, "ann.smith@contoso.example", "ann.smith@contoso.example")


def test_address_that_a_lead_has_set_does_not_follow(home: Organisation) -> None:
    person = seen(home)
    Person.objects.filter(pk=person.pk).update(email="ann@personal.example")
    assert seen(home, upn="ann.smith@contoso.example").email == "ann@personal.example"


def test_reassigned_address_belongs_to_a_new_person_without_the_old_ones_past(home: Organisation) -> None:
    old = seen(home)
    new = seen(home, object_id=TWO)
    old.refresh_from_db()
    assert new != old
    assert (new.email, new.upn) == (ANN, ANN)
    assert (old.upn, old.is_reachable, str(old.object_id)) == ("", False, ONE)
    assert ensure_person(email=ANN) == new
    assert seen(home, object_id=ONE, upn="ann.old@contoso.example") == old


def test_old_person_who_comes_back_under_another_name_has_an_address_again(home: Organisation) -> None:
    old = seen(home)
    seen(home, object_id=TWO)
    assert seen(home, object_id=ONE, upn="ann.old@contoso.example").email == "ann.old@contoso.example"
    assert Person.objects.get(email="ann.old@contoso.example") == old


def test_two_people_may_exchange_their_names(home: Organisation) -> None:
    first, second = seen(home, ONE, "a@contoso.example"), seen(home, TWO, "b@contoso.example")
    assert seen(home, ONE, "b@contoso.example") == first
    assert seen(home, TWO, "a@contoso.example") == second
    first.refresh_from_db()
    assert (first.email, first.upn) == ("b@contoso.example", "b@contoso.example")


def test_gateways_person_is_known_by_name_until_a_token_brings_the_object_id(home: Organisation) -> None:
    by_name = seen(home, object_id=None)
    assert by_name.object_id is None
    assert seen(home, object_id=None, upn="ANN@contoso.example") == by_name
    resolved = seen(home, object_id=ONE)
    assert (resolved, str(resolved.object_id)) == (by_name, ONE)
    assert seen(home, object_id=None) == by_name


def test_resolved_name_is_not_resolved_again(home: Organisation) -> None:
    by_name = seen(home, object_id=None)
    seen(home, object_id=ONE)
    new = seen(home, object_id=TWO)
    assert new != by_name
    assert seen(home, object_id=None) == new


def test_person_with_an_object_id_takes_a_name_that_only_a_gateway_knew(home: Organisation) -> None:
    person, by_name = seen(home, ONE, "a@contoso.example"), seen(home, None, "b@contoso.example")
    assert seen(home, ONE, "b@contoso.example") == person
    by_name.refresh_from_db()
    assert (by_name.upn, by_name.is_reachable) == ("", False)


def test_other_tenant_neither_adopts_nor_takes_an_address(home: Organisation) -> None:
    person = seen(home)
    stranger = seen(OrganisationFactory.create(), tenant_id=OTHER_TENANT)
    person.refresh_from_db()
    assert stranger != person
    assert person.email == ANN
    assert not stranger.is_reachable


def test_mail_contact_of_another_organisation_is_not_adopted(home: Organisation) -> None:
    elsewhere = PersonFactory.create(email=ANN, organisation=OrganisationFactory.create())
    person = seen(home)
    elsewhere.refresh_from_db()
    assert person != elsewhere
    assert (elsewhere.email, elsewhere.tenant_id, person.is_reachable) == (ANN, None, False)


def test_token_of_a_tenant_without_a_row_adopts_nobody() -> None:
    by_mail = ensure_person(email=ANN)
    person = identify_person(tenant_id=TENANT, object_id=ONE, upn=ANN)
    assert person != by_mail


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known_by_mail", [False, True])
def test_first_sights_at_once_make_one_person(known_by_mail: bool) -> None:
    home = OrganisationFactory.create(slug="contoso")
    if known_by_mail:
        PersonFactory.create(email=ANN, organisation=home)
    barrier = Barrier(8)

    def look(number: int) -> int:
        try:
            barrier.wait(20)
            if number % 4 == 0:
                return ensure_person(email=ANN, organisation=home).pk
            return identify_person(tenant_id=TENANT, object_id=ONE, upn=ANN, organisation=home).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(look, range(8)))) == 1
    assert Person.objects.count() == 1
