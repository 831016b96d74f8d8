"""GET /api/v1/organisations/"""

from typing import ClassVar

from django.db.models import QuerySet
from rest_framework import generics, serializers

from accounts.api.access import ClientActions
from accounts.choices import Action
from accounts.models import Organisation
from accounts.permissions import principal_for


class OrganisationSerializer(serializers.ModelSerializer[Organisation]):
    class Meta:
        model = Organisation
        fields = ["slug", "name", "is_active"]


class OrganisationView(generics.ListAPIView[Organisation]):
    """Organisations for which the caller may open tickets, by name."""

    serializer_class = OrganisationSerializer
    ordering = ("name", "pk")
    client_actions: ClassVar[ClientActions] = {"GET": (Action.VIEW_TICKET, Action.OPEN_TICKET)}

    def get_queryset(self) -> QuerySet[Organisation]:
        scope = principal_for(self.request).scope(Action.OPEN_TICKET)
        if scope.everywhere or scope.boards:
            return Organisation.objects.order_by("name", "pk")
        return Organisation.objects.filter(pk__in=scope.organisations).order_by("name", "pk")
