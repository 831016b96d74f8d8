"""How long ago, in as few characters as a list or a sentence needs. js/times.js speaks the same words."""

from datetime import timedelta

from supporthub.core.words import frame_words

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_DATE_FROM = 7 * _DAY
_SOON = 90


def age_in_list(age: timedelta) -> str:
    """`8m`, `3h`, `2d`; "" from a week on, when a date says more."""
    return _spoken(age, "now", "minutes", "hours", "days")


def age_in_words(age: timedelta) -> str:
    """`8 min ago`; "" from a week on."""
    return _spoken(age, "justNow", "minutesAgo", "hoursAgo", "daysAgo")


def in_words(left: timedelta) -> str:
    """`in 40 s`, `in 5 min`, `in 3 h`; "any moment now" when it is due."""
    words, seconds = frame_words(), int(left.total_seconds())
    if seconds <= 0:
        return words["anyMoment"]
    if seconds < _SOON:
        return words["inSeconds"].replace("{n}", str(seconds))
    if seconds < _HOUR:
        return words["inMinutes"].replace("{n}", str(round(seconds / _MINUTE)))
    return words["inHours"].replace("{n}", str(round(seconds / _HOUR)))


def duration(length: timedelta) -> str:
    """`340 ms`, `12 s`, `4m 10s`, `1h 12m`."""
    seconds = length.total_seconds()
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)}m {int(seconds % _MINUTE)}s"
    return f"{int(seconds // _HOUR)}h {int(seconds % _HOUR // _MINUTE)}m"


def _spoken(age: timedelta, now: str, minutes: str, hours: str, days: str) -> str:
    words, seconds = frame_words(), int(age.total_seconds())
    if seconds < _MINUTE:
        return words[now]
    if seconds < _HOUR:
        return words[minutes].replace("{n}", str(seconds // _MINUTE))
    if seconds < _DAY:
        return words[hours].replace("{n}", str(seconds // _HOUR))
    if seconds < _DATE_FROM:
        return words[days].replace("{n}", str(seconds // _DAY))
    return ""
