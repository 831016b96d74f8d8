from django.urls import path

from tickets.api.tray.views import CheckStatusView, SubmitView

# Exactly these: no slash at the end, and none is added.
urlpatterns = [
    path("tickets", SubmitView.as_view(), name="tray-submit"),
    path("checkstatus", CheckStatusView.as_view(), name="tray-status"),
]
