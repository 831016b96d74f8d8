"""Texts that come from outside, taken apart: API keys, one-time codes, names of browsers. Pure."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from typing import Final

KEY_MARK: Final = "shk_"
PREFIX_LENGTH: Final = 8
SECRET_LENGTH: Final = 43  # 256 bits in base 62
_CHECK_LENGTH: Final = 6  # 32 bits in base 62
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY = re.compile(
    rf"shk_([0-9A-Za-z]{{{PREFIX_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECK_LENGTH}}})"
)
CODE_DIGITS: Final = 6
RECOVERY_LENGTH: Final = 16  # 80 bits in base 32
_RECOVERY = re.compile(rf"[A-Z2-7]{{{RECOVERY_LENGTH}}}")
_NOT_IN_CODES = re.compile(r"[\s-]+")


class MalformedKey(ValueError):
    """This text was never a key of a hub: cut off, mistyped, or something else."""


@dataclass(frozen=True, slots=True)
class KeyText:
    """An API key in its parts. `prefix` finds the row and may be shown; `secret` proves that the caller has the key."""

    prefix: str
    secret: str

    def __str__(self) -> str:
        """The key as it is handed out: `shk_`, prefix, `_`, secret, and a checksum of all before it."""
        body = f"{KEY_MARK}{self.prefix}_{self.secret}"
        return body + base62(zlib.crc32(body.encode()), _CHECK_LENGTH)

    @property
    def digest(self) -> str:
        """SHA-256 in hexadecimal of the whole key; the secret has 256 random bits, so no slow hash is needed."""
        return hashlib.sha256(str(self).encode()).hexdigest()


def parse_key(raw: str) -> KeyText:
    """Take a key apart; MalformedKey when the form or the checksum is wrong, which tells a typo from a wrong key."""
    found = _KEY.fullmatch(raw)
    if found is None:
        raise MalformedKey("form")
    key = KeyText(found[1], found[2])
    if str(key) != raw:
        raise MalformedKey("checksum")
    return key


def base62(number: int, length: int) -> str:
    """Write `number` with exactly `length` digits of 0-9A-Za-z; higher digits are dropped."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def read_code(typed: str) -> str:
    """Return a one-time code or a recovery code as it is compared: no blanks or hyphens, upper case; else ''."""
    code = _NOT_IN_CODES.sub("", typed).upper()
    is_code = len(code) == CODE_DIGITS and code.isascii() and code.isdigit()
    return code if is_code or _RECOVERY.fullmatch(code) else ""


def recovery_digest(user_id: int, code: str) -> str:
    """SHA-256 of a recovery code of this person; 80 random bits need no slow hash."""
    return hashlib.sha256(f"{user_id}:{code}".encode()).hexdigest()


# In this order: Edge and Opera also say Chrome, Chrome also says Safari.
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"), ("Safari/", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_name(user_agent: str) -> str:
    """Name a device as people know it, such as `Firefox, Windows`; a program by its own first word; '' for nothing."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if sign in user_agent), "")
    if browser:
        return f"{browser}, {system}" if system else browser
    first = user_agent.split(" ", 1)[0].partition("/")[0]
    return "".join(letter for letter in first if letter.isprintable())[:40]
