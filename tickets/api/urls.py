from django.urls import path

from tickets.api import attachments, lookups, parts, tickets

urlpatterns = [
    path("tickets/", tickets.TicketsView.as_view(), name="api-tickets"),
    path("tickets/<str:key>/", tickets.TicketView.as_view(), name="api-ticket"),
    path("tickets/<str:key>/messages/", parts.MessagesView.as_view(), name="api-messages"),
    path("tickets/<str:key>/attachments/", attachments.AttachmentsView.as_view(), name="api-attachments"),
    path(
        "tickets/<str:key>/attachments/<uuid:attachment>/content/",
        attachments.AttachmentContentView.as_view(),
        name="api-attachment-content",
    ),
    path("tickets/<str:key>/watchers/", parts.WatchersView.as_view(), name="api-watchers"),
    path("tickets/<str:key>/transitions/", parts.TransitionsView.as_view(), name="api-transitions"),
    path("tickets/<str:key>/timeline/", parts.TimelineView.as_view(), name="api-timeline"),
    path("tickets/<str:key>/submission/", parts.SubmissionView.as_view(), name="api-submission"),
    path("tickets/<str:key>/submission/retry/", parts.RetryView.as_view(), name="api-submission-retry"),
    path("boards/", lookups.BoardsView.as_view(), name="api-boards"),
    path("categories/", lookups.CategoriesView.as_view(), name="api-categories"),
    path("people/", lookups.PeopleView.as_view(), name="api-people"),
]
