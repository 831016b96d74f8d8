"""Why a delivery waits or has stopped, in the person's language.

A worker writes the reason down in English, with figures and names in it. Its stable code is what can be translated:
other languages get the code's sentence, and the text as it was written beside it.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.translation import get_language, gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

# Codes of supporthub.integrations, of the engine, and of the tracker's adapter. "held" and "observe" are missing on
# purpose: their reason is what a colleague wrote.
_SENTENCES: "dict[str, _StrPromise]" = {
    "no_answer": _("The tracker did not answer in time."),
    "unreachable": _("The tracker could not be reached."),
    "unreadable_answer": _("The tracker's answer could not be read."),
    "too_slow": _("The tracker answers too slowly."),
    "rate_limited": _("The tracker asked us to slow down."),
    "quota_used_up": _("The tracker takes no more requests for now."),
    "bad_address": _("The tracker's address cannot be used."),
    "credentials_refused": _("The tracker refused our credentials; the token may have expired."),
    "no_credentials": _("The hub has no complete credentials for the tracker."),
    "autherror": _("Our credentials cannot be used."),
    "locked_out": _("The tracker has locked our account until somebody signs in with it in a browser."),
    "forbidden": _("Our account lacks a permission in the tracker."),
    "not_found": _("The tracker does not know this, or hides it from our account."),
    "rejected": _("The tracker refused this."),
    "too_large": _("This is too large for the tracker."),
    "field_refused": _("The tracker refused a field, or asks for one that the hub does not fill."),
    "project_unknown": _("The tracker does not know the board's project, or hides it from our account."),
    "issue_type_unknown": _("The tracker's project does not take the board's issue type."),
    "no_tracker": _("This ticket's board has no tracker."),
    "unknown_kind": _("The hub does not know this kind of tracker."),
    "cannot_look": _("The tracker let us neither search nor read."),
    "not_found_yet": _("It is not in the tracker yet, as far as the hub can see."),
    "absent": _("It is not in the tracker: looked, and proven."),
    "duplicate_found": _("The ticket stands in the tracker more than once."),
    "cannot_tell": _("For a whole day nobody could tell whether the tracker has it."),
    "gave_up": _("It did not work for a whole day."),
    "asked_to_wait_too_long": _("The tracker asked for a longer pause than the hub waits by itself."),
    "lease_lost": _("The worker came too late to send this."),
    "worker_lost": _("The worker was lost; the hub checks what happened."),
    "restored": _("A backup was restored; the hub checks what happened."),
    "defect": _("The hub itself failed at this; the details are in its log."),
    "not_wanted": _("This is not wanted any more."),
    "unknown_there": _("The tracker knows nobody with this address."),
    "attachments_off": _("The tracker takes no files: its admin can switch that on."),
    "file_twice": _("The file stands on the issue more than once; delete all but one there."),
    "file_differs": _("The file stands on the issue with another size; look at it there."),
    "file_lost": _("The file is not in the hub's store any more; a backup may have it."),
    "file_damaged": _("The file in the hub's store is shorter than it was."),
    "store_down": _("The hub's store of files does not answer."),
    "no_issue": _("The ticket has no issue any more that could take the file."),
    "http_409": _("The tracker reported a conflicting change."),
}
_HTTP = "http_"

# Why a field was left out of an issue. The tracker's own words may follow after `: “`, a value after ` '`.
_ADJUSTMENTS = (
    gettext_noop("the project's create screen does not show this field to our account"),
    gettext_noop("the project has no priority that stands for"),
    gettext_noop("Jira refused it"),
    gettext_noop("sent as plain text; Jira refused it"),
)
_FIELDS: "dict[str, _StrPromise]" = {
    "priority": _("priority"),
    "labels": _("labels"),
    "reporter": _("reporter"),
    "description": _("description"),
}


@dataclass(frozen=True, slots=True)
class Why:
    """A reason for people. `detail` is the text as it was written down; empty when `words` are that already."""

    words: str
    detail: str = ""


def why(code: str, reason: str) -> Why:
    """Say a stored reason in the active language. Unknown codes, and English, get the stored text itself."""
    if not reason or (get_language() or "en").startswith(settings.LANGUAGE_CODE):
        return Why(reason)
    words = _of_status(code) if code.startswith(_HTTP) and code not in _SENTENCES else str(_SENTENCES.get(code, ""))
    return Why(words, reason) if words else Why(reason)


def adjustment_in_words(reason: str) -> str:
    """Say in the active language why a field was left out; what the tracker said itself stays as it is."""
    known = next((words for words in _ADJUSTMENTS if reason.startswith(words)), "")
    return gettext(known) + reason.removeprefix(known) if known else reason


def field_in_words(name: str) -> str:
    """Say which field of an issue is meant; names that only the tracker knows stay as they are."""
    return str(_FIELDS.get(name, name))


def _of_status(code: str) -> str:
    status = code.removeprefix(_HTTP)
    if not status.isdecimal():
        return ""
    if HTTPStatus.MULTIPLE_CHOICES <= int(status) < HTTPStatus.BAD_REQUEST:
        return gettext("The tracker sent us to another address (HTTP %(status)s); check its address.") % {
            "status": status
        }
    return gettext("The tracker had a fault of its own (HTTP %(status)s).") % {"status": status}
