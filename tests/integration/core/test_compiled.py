"""Prepared statements answer what the queryset that they are made of would."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet, Value
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.models import Organisation, TenantConnection
from directory.models import Person
from supporthub.core.compiled import Select, Update, insert, inserting, together, upserting
from tests.factories.accounts import OrganisationFactory
from tests.factories.directory import PersonFactory
from tests.factories.tickets import IssueLinkFactory, TicketFactory
from tickets.models import IssueLink, Ticket

pytestmark = pytest.mark.django_db


@Select
def people_called(name: str) -> QuerySet[Person]:
    """People of this name."""
    return Person.objects.select_related("organisation").filter(name=name).order_by("pk").annotate(seen=Value(7))


@Select
def numbers_above(number: int) -> QuerySet[Person, tuple[int, str]]:
    return Person.objects.filter(pk__gt=number).order_by("pk").values_list("pk", "email")


class PreparedQueryTests(TestCase):
    @given(st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=50))
    def test_any_text_is_a_value_and_nothing_else(self, name: str) -> None:
        PersonFactory.create(name="somebody else")
        person = PersonFactory.create(name=name)
        assert [found.pk for found in people_called(name=name)] == [person.pk]


def test_models_come_with_their_relations_annotations_and_without_more_queries() -> None:
    person = PersonFactory.create(name="Ann")
    people_called(name="nobody")  # composed
    with CaptureQueriesContext(connection) as seen:
        (found,) = people_called(name="Ann")
        assert (found, found.organisation, found.seen) == (person, person.organisation, 7)  # type: ignore[attr-defined]
    assert len(seen) == 1
    assert "tickets" not in seen[0]["sql"]


def test_values_come_as_tuples_and_the_first_or_none() -> None:
    person = PersonFactory.create()
    assert numbers_above.first(number=person.pk - 1) == (person.pk, person.email)
    assert numbers_above.first(number=person.pk) is None


def test_values_are_decrypted_as_the_orm_does() -> None:
    @Select
    def tenants(client: str) -> QuerySet[TenantConnection]:
        return TenantConnection.objects.filter(organisation__slug=client)

    organisation = OrganisationFactory.create(slug="contoso")
    tenant_id = "6f1d9c1e-56cc-4a5f-9d3d-0d1a2b3c4d5e"
    TenantConnection.objects.create(organisation=organisation, tenant_id=tenant_id, client_secret="a % secret")
    assert [found.client_secret for found in tenants(client="contoso")] == ["a % secret"]


def test_constants_with_percent_signs_stay_what_they_are() -> None:
    @Select
    def named(email: str) -> QuerySet[Person]:
        return Person.objects.filter(Q(name="100 %s sure") | Q(name__contains="50%"), email=email)

    person = PersonFactory.create(name="100 %s sure")
    assert named(email=person.email) == [person]


def test_query_that_does_not_use_a_parameter_is_a_mistake() -> None:
    @Select
    def careless(email: str, name: str) -> QuerySet[Person]:
        return Person.objects.filter(email=email)

    with pytest.raises(TypeError, match="name"):
        careless(email="a@b.example", name="Ann")


def test_parameter_of_another_type_is_a_mistake() -> None:
    @Select
    def odd(people: list[int]) -> QuerySet[Person]:
        return Person.objects.filter(pk__in=people)

    with pytest.raises(TypeError, match="people must be annotated"):
        odd(people=[1])


def test_update_says_how_many_rows_it_hit_and_takes_nothing_as_null() -> None:
    @Update
    def resolve(pk: int, at: datetime | None) -> tuple[QuerySet[Ticket], dict[str, Any]]:
        return Ticket.objects.filter(pk=pk), {"resolved_at": at}

    ticket = TicketFactory.create()
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert resolve(pk=ticket.pk, at=moment) == 1
    ticket.refresh_from_db()
    assert ticket.resolved_at == moment
    assert (resolve(pk=ticket.pk, at=None), resolve(pk=0, at=moment)) == (1, 0)
    ticket.refresh_from_db()
    assert ticket.resolved_at is None


def test_rows_of_several_tables_are_inserted_in_one_round_trip_and_know_their_numbers() -> None:
    organisation = OrganisationFactory.create()
    person = Person(email="ann@contoso.example", organisation=organisation)
    other = Organisation(name="Fabrikam", slug="fabrikam")
    with CaptureQueriesContext(connection) as seen:
        insert(person, other)
    assert len(seen) == 1
    assert Person.objects.get(pk=person.pk).created_at == person.created_at
    assert Organisation.objects.get(slug="fabrikam").pk == other.pk
    assert not person._state.adding


def test_what_the_database_makes_by_default_is_filled_in() -> None:
    like = TicketFactory.create()
    ticket = Ticket(organisation=like.organisation, board=like.board, title="Printer")
    insert(ticket)
    assert ticket.version > like.version


def test_second_row_with_the_same_key_is_an_integrity_error_that_ends_the_transaction() -> None:
    person = PersonFactory.create()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Person(email=person.email, organisation=person.organisation))
    assert Person.objects.filter(email=person.email).count() == 1


def test_one_failing_part_undoes_the_others() -> None:
    person = PersonFactory.create()
    good = Person(email="new@contoso.example", organisation=person.organisation)
    with pytest.raises(IntegrityError), transaction.atomic():
        together(inserting(good), inserting(Person(email=person.email, organisation=person.organisation)))
    assert not Person.objects.filter(email="new@contoso.example").exists()


def test_upsert_changes_only_the_named_fields_of_the_row_that_is_there() -> None:
    link = IssueLinkFactory.create(issue_id="1", url="http://127.0.0.1:1/old")
    row = IssueLink(ticket=link.ticket, tracker=link.tracker, issue_id="2", number=2, project_key="HELP", key="HELP-2")
    together(upserting(row, unique=("ticket",), update=("issue_id", "key", "number")))
    link.refresh_from_db()
    assert (link.issue_id, link.key, link.number, link.url) == ("2", "HELP-2", 2, "http://127.0.0.1:1/old")
