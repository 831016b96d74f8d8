from django.urls import path

from accounts.api import schema  # noqa: F401  (registers how the description names credentials)
from accounts.api.audit import AuditView
from accounts.api.auth import LiveTicketView, MeView, RefreshView, TokenView
from accounts.api.clients import ApiClientsView, ApiClientView, ApiKeysView, ApiKeyView
from accounts.api.organisations import OrganisationView

urlpatterns = [
    path("audit/", AuditView.as_view(), name="audit"),
    path("api-clients/", ApiClientsView.as_view(), name="api-clients"),
    path("api-clients/<int:pk>/", ApiClientView.as_view(), name="api-client"),
    path("api-clients/<int:pk>/keys/", ApiKeysView.as_view(), name="api-client-keys"),
    path("api-clients/<int:pk>/keys/<int:key>/", ApiKeyView.as_view(), name="api-client-key"),
    path("auth/token/", TokenView.as_view(), name="token"),
    path("auth/token/refresh/", RefreshView.as_view(), name="token-refresh"),
    path("me/", MeView.as_view(), name="me"),
    path("live/ticket/", LiveTicketView.as_view(), name="live-ticket"),
    path("organisations/", OrganisationView.as_view(), name="organisations"),
]
