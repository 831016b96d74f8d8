"""Refusals of services that the web UI shows in the person's language: named here so that they get translated."""

from django.utils.translation import gettext_noop

TRANSLATED = (
    gettext_noop("There is no such ticket."),
    gettext_noop("This ticket has no submission."),
    gettext_noop("Your roles do not allow this here. A lead can change that in the admin."),
    gettext_noop("Somebody changed this ticket meanwhile; look at it again and repeat your change."),
    gettext_noop("A request with this Idempotency-Key is still under way; ask again in a moment."),
    gettext_noop("This Idempotency-Key was used with another content."),
)
