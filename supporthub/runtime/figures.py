"""The figures of /metrics, read from the database when asked: the rows are the truth, whichever process counts."""

from collections.abc import Iterable

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from supporthub.core import hurry
from supporthub.core.deliveries import registry
from supporthub.core.deliveries.states import DUE_STATES, UNFINISHED_STATES, DeliveryState
from tickets.choices import OPEN_STATUSES
from tickets.models import Board, Ticket, Tracker


class HubFigures(Collector):
    """A Prometheus collector over the hub's tables; a handful of indexed queries a scrape."""

    def collect(self) -> Iterable[Metric]:
        yield from self._deliveries()
        yield from self._tickets()
        resting = GaugeMetricFamily(
            "hub_target_resting", "1 while an outside system rests or is paused", labels=["target"]
        )
        now = timezone.now()
        for tracker in Tracker.objects.all():
            rests = tracker.paused or (tracker.resting_until is not None and tracker.resting_until > now)
            resting.add_metric([tracker.slug], float(rests))
        yield resting
        dropped = GaugeMetricFamily("hub_hurry_dropped", "Best-effort calls this process dropped since its start")
        dropped.add_metric([], float(hurry.dropped()))
        yield dropped

    def _deliveries(self) -> Iterable[Metric]:
        states = GaugeMetricFamily("hub_deliveries", "Unfinished deliveries by state", labels=["kind", "state"])
        waiting = GaugeMetricFamily(
            "hub_delivery_oldest_due_seconds", "Age of the oldest due delivery", labels=["kind"]
        )
        for kind in registry.kinds():
            rows = kind.model._default_manager.filter(state__in=UNFINISHED_STATES)
            counts = dict(rows.order_by().values_list("state").annotate(Count("pk")))
            for state in UNFINISHED_STATES:
                states.add_metric([kind.name, state.value], float(counts.get(state.value, 0)))
            waiting.add_metric([kind.name], _oldest_due(kind))
        yield states
        yield waiting

    def _tickets(self) -> Iterable[Metric]:
        still_open = GaugeMetricFamily("hub_tickets_open", "Open tickets by board", labels=["board"])
        rows = Ticket.objects.filter(status__in=OPEN_STATUSES).order_by().values_list("board_id").annotate(Count("pk"))
        counts = dict(rows)
        for pk, slug in Board.objects.values_list("pk", "slug"):
            still_open.add_metric([slug], float(counts.get(pk, 0)))
        yield still_open


def _oldest_due(kind: registry.Kind) -> float:
    now = timezone.now()
    due = kind.model._default_manager.filter(state__in=DUE_STATES, not_before__lte=now)
    oldest = due.aggregate(oldest=Min("not_before"))["oldest"]
    return (now - oldest).total_seconds() if oldest else 0.0


def oldest_due_seconds() -> float:
    """How long the oldest due delivery of any kind has waited; 0 when none does."""
    return max((_oldest_due(kind) for kind in registry.kinds()), default=0.0)


def needing_a_person() -> int:
    """How many deliveries are parked, over all kinds."""
    return sum(kind.model._default_manager.filter(state=DeliveryState.PARKED).count() for kind in registry.kinds())


_registry = CollectorRegistry(auto_describe=False)
_registry.register(HubFigures())


def exposition() -> bytes:
    return generate_latest(_registry)
