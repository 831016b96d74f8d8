"""The theme of the Django admin (django-unfold), and the places of its side bar."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Support Hub",
    "SITE_HEADER": "Support Hub",
    "SITE_SUBHEADER": _("For helpdesk leads"),
    "SITE_SYMBOL": "hub",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("supporthub/img/mark.svg")},
    ],
    "STYLES": [lambda _request: static("supporthub/css/admin.css")],
    "DASHBOARD_CALLBACK": "tickets.admin.dashboard.dashboard",
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "supporthub.core.admin.navigation"},
    # (heading, ((icon, model), …)); supporthub.core.admin.navigation shows what a person may see of it
    "HUB_PLACES": [
        (_("Work"), (
            ("confirmation_number", "tickets.ticket"), ("outbox", "tickets.submission"),
            ("sync", "tickets.issuechange"), ("attach_file", "tickets.filedelivery"), ("pause_circle", "accounts.hold"),
        )),
        (_("Where work goes"), (
            ("view_kanban", "tickets.board"), ("category", "tickets.category"), ("cable", "tickets.tracker"),
        )),
        (_("Customers"), (
            ("apartment", "accounts.organisation"), ("cloud", "accounts.tenantconnection"),
            ("group", "directory.person"),
        )),
        (_("Who works here"), (
            ("badge", "accounts.user"), ("rule", "accounts.entrarolerule"), ("devices", "accounts.signin"),
            ("key", "accounts.apiclient"), ("lock", "axes.accessattempt"), ("history", "accounts.auditentry"),
        )),
        (_("In the background"), (
            ("schedule", "django_celery_beat.periodictask"), ("timer", "django_celery_beat.intervalschedule"),
            ("calendar_month", "django_celery_beat.crontabschedule"),
        )),
    ],
}  # fmt: skip
