"""Boards, categories and people that a client may name."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from rest_framework import generics, serializers

from accounts.api.access import ClientActions
from accounts.choices import Action
from accounts.permissions import Principal, principal_for
from directory.models import Person
from directory.selectors import visible_people
from tickets.api.serializers import BoardSerializer, CategorySerializer
from tickets.models import Board, Category
from tickets.selectors import visible_boards

NAMING: ClientActions = {"GET": (Action.VIEW_TICKET, Action.OPEN_TICKET)}


def nameable_boards(who: Principal) -> QuerySet[Board]:
    """Boards whose tickets the caller may see; for who may only open tickets, those on which that is allowed."""
    action = Action.VIEW_TICKET if who.may_anywhere(Action.VIEW_TICKET) else Action.OPEN_TICKET
    return visible_boards(who, action)


class BoardsView(generics.ListAPIView[Board]):
    """Boards whose tickets the caller may see."""

    serializer_class = BoardSerializer
    client_actions = NAMING

    def get_queryset(self) -> QuerySet[Board]:
        return nameable_boards(principal_for(self.request))


class CategoriesView(generics.ListAPIView[Category]):
    """Categories of the visible boards, and those of all boards."""

    serializer_class = CategorySerializer
    client_actions = NAMING

    def get_queryset(self) -> QuerySet[Category]:
        boards = nameable_boards(principal_for(self.request))
        return Category.objects.select_related("board").filter(Q(board__isnull=True) | Q(board__in=boards))


class PersonSerializer(serializers.ModelSerializer[Person]):
    organisation = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)

    class Meta:
        model = Person
        fields = ["email", "name", "phone", "organisation"]


class PeopleView(generics.ListAPIView[Person]):
    """People for whom the caller may open tickets."""

    serializer_class = PersonSerializer
    client_actions: ClassVar[ClientActions] = {"GET": (Action.WORK_TICKET,)}

    def get_queryset(self) -> QuerySet[Person]:
        return visible_people(principal_for(self.request).scope(Action.OPEN_TICKET))
