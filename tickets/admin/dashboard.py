"""The admin's first page: cards of what needs a person, each leading to its rows. A constant number of queries."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Min, Model
from django.db.models.functions import Now
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from accounts.admin.lockouts import current_lockouts
from accounts.models import Hold, User
from supporthub.core.admin import duration, moment
from supporthub.core.deliveries import registry
from supporthub.core.deliveries.registry import Kind
from supporthub.core.deliveries.states import DUE_STATES, DeliveryState
from tickets.admin.boards import rests
from tickets.choices import OPEN_STATUSES
from tickets.models import Ticket, Tracker
from tickets.reasons import why

COUNT_CAP = 999
LONG_WAIT = timedelta(minutes=5)
PASSING = {"rate_limited", "quota_used_up", "http_503"}  # why a tracker rests without anybody's help being needed
_MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a card: what, what about it, and where to look."""

    what: str
    about: Any = ""
    url: str = ""


@dataclass(slots=True)
class Card:
    """One question. `tone` as in chips; `figure` is what is read from afar."""

    title: str
    tone: str
    figure: str
    word: str
    calm: str
    url: str = ""
    link: str = ""
    lines: list[Line] = field(default_factory=list)

    @property
    def is_calm(self) -> bool:
        return self.tone in ("done", "off")

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody must act; what only waits passes by itself."""
        return not self.is_calm and self.tone != "waiting"


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the cards that this request's user may see. Called by the theme for the index page."""
    cards = [
        card for maker in (_parked, _oldest_due, _trackers, _holds, _unplaced, _locked_out) if (card := maker(request))
    ]
    context["cards"] = sorted(cards, key=lambda card: (card.is_calm, not card.needs_a_person))
    context["waiting"] = sum(card.needs_a_person for card in cards)
    return context


def _admin_of(model: type[Model]) -> Any:
    return admin.site._registry.get(model)  # noqa: SLF001  (Django's registry has no public reader)


def _rows(request: HttpRequest, model: type[Model]) -> Any:
    """The rows of this model that the user may see, or None."""
    model_admin = _admin_of(model)
    return model_admin.get_queryset(request) if model_admin and model_admin.has_view_permission(request) else None


def _list(model: type[Model], query: str = "") -> str:
    meta = model._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") + query


def _seen_kinds(request: HttpRequest) -> list[tuple[Kind, Any]]:
    found = [(kind, _rows(request, kind.model)) for kind in registry.kinds()]
    return [(kind, rows) for kind, rows in found if rows is not None]


def _capped(rows: Any) -> tuple[int, str]:
    number = rows.order_by().values("pk")[: COUNT_CAP + 1].count()
    return number, f"{COUNT_CAP}+" if number > COUNT_CAP else str(number)


def _parked(request: HttpRequest) -> Card | None:
    kinds = _seen_kinds(request)
    if not kinds:
        return None
    total, is_capped, lines = 0, False, []
    for kind, rows in kinds:
        number, words = _capped(rows.filter(state=DeliveryState.PARKED))
        total, is_capped = total + number, is_capped or number > COUNT_CAP
        if number:
            lines.append(Line(str(kind.label), words, _list(kind.model, "?state=parked")))
    return Card(
        title=gettext("Stopped deliveries"), tone="person" if total else "done",
        figure=f"{COUNT_CAP}+" if is_capped else str(total), word=gettext("need a person"),
        calm=gettext("Nothing has stopped."), lines=lines,
        url=lines[0].url if lines else _list(kinds[0][0].model), link=gettext("Look and decide"),
    )  # fmt: skip


def _oldest_due(request: HttpRequest) -> Card | None:
    kinds = _seen_kinds(request)
    if not kinds:
        return None
    now, lines, oldest = timezone.now(), [], timedelta()
    for kind, rows in kinds:
        due = rows.filter(state__in=DUE_STATES, not_before__lte=Now()).order_by()
        since = due.aggregate(since=Min("not_before"))["since"]
        if since:
            oldest = max(oldest, now - since)
            lines.append(Line(str(kind.label), duration(now - since), _list(kind.model, "?state=pending")))
    return Card(
        title=gettext("Longest wait"), tone="failed" if oldest > LONG_WAIT else "done",
        figure=duration(oldest) if lines else gettext("none"), word=gettext("the oldest due delivery"),
        calm=gettext("What is due is sent at once."), lines=lines if oldest > LONG_WAIT else [],
        url=_list(kinds[0][0].model, "?state=pending"), link=gettext("See what waits"),
    )  # fmt: skip


def _trackers(request: HttpRequest) -> Card | None:
    rows = _rows(request, Tracker)
    if rows is None:
        return None
    stopped = [tracker for tracker in rows if tracker.paused or rests(tracker)]
    lines = [
        Line(
            tracker.name,
            gettext("paused") if tracker.paused else _resting(tracker),
            reverse("admin:tickets_tracker_change", args=[tracker.pk]),
        )
        for tracker in stopped[:_MOST_LINES]
    ]
    needs_a_person = any(tracker.paused or tracker.resting_code not in PASSING for tracker in stopped)
    return Card(
        title=gettext("Trackers"), tone=("person" if needs_a_person else "waiting") if stopped else "done",
        figure=str(len(stopped)),
        word=gettext("paused or resting"), calm=gettext("Every tracker is in use."), lines=lines, url=_list(Tracker),
        link=gettext("All trackers"),
    )  # fmt: skip


def _resting(tracker: Tracker) -> SafeString:
    """Why the tracker rests, in the person's language, and until when."""
    because = why(tracker.resting_code, tracker.resting_reason).words or gettext("resting")
    return format_html("{} · {}", because.removesuffix("."), moment(tracker.resting_until))


def _holds(request: HttpRequest) -> Card | None:
    rows = _rows(request, Hold)
    if rows is None:
        return None
    holds = list(rows.order_by("-pk")[:COUNT_CAP])
    observing = any(hold.observe for hold in holds)
    lines = [Line(_admin_of(Hold).what(hold), hold.reason, reverse("admin:accounts_hold_change", args=[hold.pk]))
             for hold in holds[:_MOST_LINES]]  # fmt: skip
    return Card(
        title=gettext("Observe mode and holds") if observing else gettext("Holds"), tone="held" if holds else "done",
        figure=str(len(holds)), word=ngettext("hold is in force", "holds are in force", len(holds)),
        calm=gettext("Nothing is held on purpose."), lines=lines, url=_list(Hold), link=gettext("All holds"),
    )  # fmt: skip


def _unplaced(request: HttpRequest) -> Card | None:
    rows = _rows(request, Ticket)
    if rows is None:
        return None
    number, words = _capped(rows.filter(organisation__is_unknown=True, status__in=OPEN_STATUSES))
    return Card(
        title=gettext("Tickets of nobody"), tone="person" if number else "done", figure=words,
        word=gettext("open, organisation unknown"), calm=gettext("Every open ticket has its organisation."),
        url=_list(Ticket, "?placed=no"), link=gettext("Look at them"),
    )  # fmt: skip


def _locked_out(request: HttpRequest) -> Card | None:
    people = _admin_of(User)
    if not people.may(request, people.change_action):
        return None
    visible = {
        email.lower() for email in people.get_queryset(request).filter(is_locked=True).values_list("email", flat=True)
    }
    lockouts = [lockout for lockout in current_lockouts() if lockout.username.lower() in visible]
    lines = [
        Line(lockout.username, moment(lockout.until), _list(User, "?locked=yes")) for lockout in lockouts[:_MOST_LINES]
    ]
    return Card(
        title=gettext("Locked-out sign-ins"), tone="failed" if lockouts else "done", figure=str(len(lockouts)),
        word=gettext("after too many wrong passwords"), calm=gettext("Nobody is locked out."), lines=lines,
        url=_list(User, "?locked=yes"), link=gettext("Release them"),
    )  # fmt: skip
