"""Pages of the technicians' web UI."""

from django.urls import path

from tickets.views import files, new_ticket, palette, places, queue, saved_views, ticket, ticket_changes

__all__ = ["places", "urlpatterns"]  # importing `places` puts the queue into the frame

urlpatterns = [
    path("", queue.queue, name="queue"),
    path("queue/rows/", queue.rows, name="queue-rows"),
    path("queue/bulk/", queue.bulk, name="queue-bulk"),
    path("queue/undo/", queue.undo, name="queue-undo"),
    path("queue/views/", saved_views.save, name="view-save"),
    path("queue/views/<int:view_id>/rename/", saved_views.rename, name="view-rename"),
    path("queue/views/<int:view_id>/delete/", saved_views.delete, name="view-delete"),
    path("queue/preview/<str:key>/", queue.preview, name="queue-preview"),
    path("palette/", palette.palette, name="palette"),
    path("tickets/new/", new_ticket.new_ticket, name="new-ticket"),
    path("tickets/new/people/", new_ticket.people, name="new-ticket-people"),
    path("uploads/", files.upload, name="upload"),
    path("uploads/<uuid:attachment>/", files.staged, name="staged"),
    path("uploads/<uuid:attachment>/thumbnail/", files.staged_thumbnail, name="staged-thumbnail"),
    path("tickets/<str:key>/files/<uuid:attachment>/", files.content, name="ticket-file"),
    path("tickets/<str:key>/files/<uuid:attachment>/thumbnail/", files.thumbnail, name="ticket-file-thumbnail"),
    path("tickets/<str:key>/files/<uuid:attachment>/retry/", files.retry, name="ticket-file-retry"),
    path("tickets/<str:key>/", ticket.ticket, name="ticket"),
    path("tickets/<str:key>/parts/", ticket.parts, name="ticket-parts"),
    path("tickets/<str:key>/messages/", ticket_changes.message, name="ticket-message"),
    path("tickets/<str:key>/transition/", ticket_changes.transition, name="ticket-transition"),
    path("tickets/<str:key>/assign/", ticket_changes.assign, name="ticket-assign"),
    path("tickets/<str:key>/edit/", ticket_changes.edit, name="ticket-edit"),
    path("tickets/<str:key>/watchers/", ticket_changes.watch, name="ticket-watch"),
    path("tickets/<str:key>/retry/", ticket_changes.retry, name="ticket-retry"),
]
