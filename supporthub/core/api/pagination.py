"""Lists answer `results, next, previous, count, count_is_capped`; pages by cursor, counts capped."""

from typing import Any

from django.db import DataError
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response

COUNT_CAP = 1000


def capped_count(queryset: QuerySet[Any], cap: int = COUNT_CAP) -> tuple[int, bool]:
    """Count at most `cap` rows: a badge never needs to read a million rows."""
    count = queryset.order_by().values("pk")[: cap + 1].count()
    return min(count, cap), count > cap


class HubCursorPagination(CursorPagination):
    """Keyset pages with `limit` (50, at most 200) and `cursor`; a view may have an `ordering`."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
    ordering: Any = "-pk"
    _counted: tuple[int, bool] = (0, False)

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any] | None:
        """Return the page; every list of the hub is a queryset, and its size is counted up to the cap.

        Raises ValidationError for a cursor that is none of this list.
        """
        self._counted = capped_count(queryset)
        try:
            return super().paginate_queryset(queryset, request, view)
        except (NotFound, ValueError, DataError) as error:
            # The library takes the place in a cursor as it is: `p=x` for a number is the database's error otherwise.
            if request.query_params.get(self.cursor_query_param) is None:
                raise
            raise ValidationError({self.cursor_query_param: ["This is no cursor of this list."]}) from error

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> Any:
        """The view's `ordering`, or newest first."""
        return getattr(view, "ordering", None) or super().get_ordering(request, queryset, view)

    def get_paginated_response(self, data: Any) -> Response:
        count, capped = self._counted
        return Response(
            {
                "results": data,
                "next": self.get_next_link(),
                "previous": self.get_previous_link(),
                "count": count,
                "count_is_capped": capped,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous", "count", "count_is_capped"],
            "properties": {
                "results": schema,
                "next": link,
                "previous": link,
                "count": {"type": "integer", "description": f"Exact up to {COUNT_CAP}."},
                "count_is_capped": {"type": "boolean"},
            },
        }
