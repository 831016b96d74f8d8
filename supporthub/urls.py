"""Every address of the hub. Each app owns its own; this file says where they hang."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from supporthub.core import error_pages
from supporthub.core.api import problems
from supporthub.runtime import health

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("tickets.api.urls")),
    path("api/", include("tickets.api.tray.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("", include("accounts.web_urls")),
    path("", include("tickets.web_urls")),
]


handler400 = "supporthub.core.error_pages.bad_request"
handler403 = "supporthub.core.error_pages.permission_denied"


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A problem answer below /api/, a page elsewhere."""
    if request.path.startswith("/api/"):
        return problems.not_found(request)
    return error_pages.not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """A problem answer below /api/, a page elsewhere; neither shows a stack trace."""
    if request.path.startswith("/api/"):
        return problems.server_error(request)
    return error_pages.server_error(request)
