"""Rows of the directory for tests."""

import factory
from factory.django import DjangoModelFactory

from directory.models import Person
from tests.factories.accounts import OrganisationFactory


class PersonFactory(DjangoModelFactory[Person]):
    class Meta:
        model = Person

    email = factory.Sequence(lambda n: f"person{n}@contoso.example")
    name = factory.Sequence(lambda n: f"Person {n}")
    organisation = factory.SubFactory(OrganisationFactory)
