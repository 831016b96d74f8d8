from django.urls import path

from accounts.api.auth import LiveTicketView, MeView, RefreshView, TokenView
from accounts.api.organisations import OrganisationView

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="token"),
    path("auth/token/refresh/", RefreshView.as_view(), name="token-refresh"),
    path("me/", MeView.as_view(), name="me"),
    path("live/ticket/", LiveTicketView.as_view(), name="live-ticket"),
    path("organisations/", OrganisationView.as_view(), name="organisations"),
]
