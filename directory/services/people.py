"""Writes of people."""

from django.db.models import QuerySet

from accounts.models import Organisation
from accounts.selectors import organisation_of_address, unknown_organisation
from directory.models import Person
from supporthub.core.compiled import Select


@Select
def _person(email: str) -> QuerySet[Person]:
    return Person.objects.select_related("organisation").filter(email=email)


def ensure_person(*, email: str, name: str = "", organisation: Organisation | None = None) -> Person:
    """Return the person with this address, made on first sight. Safe to call at once from several transactions.

    The organisation of a new person is the one given, else the one whose domain the address has, else "unknown".
    A known person's name is filled in when it was empty; nothing else is changed.
    """
    address = email.strip().lower()
    found = _person.first(email=address)
    if found is None:
        home = organisation or organisation_of_address(address) or unknown_organisation()
        # A concurrent insert of the same address is waited for and then used, instead of failing this transaction.
        Person.objects.bulk_create([Person(email=address, name=name, organisation=home)], ignore_conflicts=True)
        found = Person.objects.select_related("organisation").get(email=address)
    if name and not found.name:
        Person.objects.filter(pk=found.pk, name="").update(name=name)
        found.name = name
    return found
