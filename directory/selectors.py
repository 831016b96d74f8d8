"""Reads of people."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from accounts.permissions import Scope
from directory.models import Person


def visible_people(scope: Scope) -> QuerySet[Person]:
    """People of the organisations in `scope`. Somebody who works a board serves everybody who may write to it."""
    people = Person.objects.select_related("organisation")
    if scope.everywhere or scope.boards:
        return people
    return people.filter(organisation__in=scope.organisations)


def find_people(scope: Scope, words: str, limit: int = 8) -> list[Person]:
    """Phone intake: people whose name (any word of it) or address starts with what was typed."""
    text = words.strip().lower()
    if not text:
        return []
    people = visible_people(scope).annotate(low_name=Lower("name"), low_email=Lower("email"))
    starts = Q(low_name__startswith=text) | Q(low_email__startswith=text) | Q(low_name__contains=f" {text}")
    return list(people.filter(starts).order_by("low_name", "low_email")[:limit])
