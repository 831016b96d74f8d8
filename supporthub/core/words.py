"""Words that the frame's scripts show, in the person's language. `{n}`, `{who}` and the like are filled in there."""

from functools import cache

from django.utils.translation import get_language, gettext, pgettext


def frame_words() -> dict[str, str]:
    """Times, live state, keyboard: what every page needs. Do not change the answer: it is kept for the language."""
    return _words_in(get_language() or "")


@cache
def _words_in(_language: str) -> dict[str, str]:
    return {
        "now": pgettext("age", "now"),
        "minutes": pgettext("age", "{n}m"),
        "hours": pgettext("age", "{n}h"),
        "days": pgettext("age", "{n}d"),
        "justNow": pgettext("age", "just now"),
        "minutesAgo": pgettext("age", "{n} min ago"),
        "hoursAgo": pgettext("age", "{n} h ago"),
        "daysAgo": pgettext("age", "{n} d ago"),
        "inSeconds": pgettext("age", "in {n} s"),
        "inMinutes": pgettext("age", "in {n} min"),
        "inHours": pgettext("age", "in {n} h"),
        "anyMoment": pgettext("age", "any moment now"),
        "live": gettext("Live"),
        "connecting": gettext("Connecting"),
        "reconnecting": gettext("Reconnecting"),
        "offlineSince": gettext("Offline since {time}"),
        "degraded": gettext("Updates are slow"),
        "changedBy": gettext("{who} changed this"),
        "changed": gettext("changed"),
        "isHere": gettext("{who} is looking at this"),
        "areHere": gettext("{who} are looking at this"),
        "isTyping": gettext("{who} is typing …"),
        "and": gettext("and"),
        "noAnswer": gettext("The hub did not answer. Your text is kept; try again."),
        "notFound": gettext("Nothing found"),
        "copied": gettext("Copied"),
        "dismiss": gettext("Dismiss"),
        "actions": gettext("Actions"),
        "goTo": gettext("Go to"),
        "updated": gettext("{who} added something"),
        "someone": gettext("Somebody"),
        "everywhere": gettext("Everywhere"),
        "list": gettext("List"),
        "then": pgettext("keys", "then"),
        "toHelp": gettext("Show the keyboard shortcuts"),
        "toPalette": gettext("Open the command palette"),
        "toTheme": gettext("Switch between light and dark"),
        "toGo": gettext("Go to: {place}"),
    }
