"""Whether a file is taken: pure decisions with their words."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from tickets.parsing.kinds import NAMES, SAFE_PICTURES, Content, Kind, claimed_kind, fits_extension

MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class UploadRule:
    """What one door takes. `field` is the form field that a refusal names.

    `media_types` narrows the kinds down (empty: all of them). `spotless` wants pictures that decode within `max_pixels`
    and have nothing behind their end; without it such a picture is kept, but never shown inside a page.
    """

    field: str
    max_bytes: int
    kinds: frozenset[str]
    max_pixels: int
    media_types: frozenset[str] = frozenset()
    spotless: bool = False


class Refused(Exception):
    """The file is not taken; `words` say why, for the person who sent it."""

    def __init__(self, words: str, *, too_large: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.too_large = too_large


def check_size(rule: UploadRule, size: int) -> None:
    """Raise Refused for an empty file or one beyond the rule's size."""
    if size == 0:
        raise Refused(_("This file is empty."))
    if size > rule.max_bytes:
        raise Refused(_("This file is larger than %(mb)d MB.") % {"mb": rule.max_bytes // MB}, too_large=True)


def check_content(rule: UploadRule, content: Content, *, name: str, declared: str = "") -> None:
    """Raise Refused unless content, name and declared type agree and the rule takes this kind.

    `declared` is the media type that the client gave; only a picture's is held against the content, because clients
    make up all others from the name.
    """
    claimed = claimed_kind(name)
    if Kind.PROGRAM in (content.kind, claimed):
        raise Refused(_("Programs and scripts are not taken."))
    if rule.media_types and content.media_type not in rule.media_types:
        raise Refused(
            _("Only PNG, JPEG, GIF and WebP pictures are taken here; this is %(found)s.")
            % {"found": content.media_type if content.kind is Kind.PICTURE else NAMES[content.kind]}
        )
    if claimed is None and declared.lower().startswith("image/"):
        claimed = Kind.PICTURE
    if claimed is not None and claimed is not content.kind:
        raise Refused(
            _("The name says that this is %(claimed)s, but the content is %(found)s.")
            % {"claimed": NAMES[claimed], "found": NAMES[content.kind]}
        )
    if not fits_extension(name, content):
        raise Refused(_("The name says that this is another kind of document than its content is."))
    if content.kind not in rule.kinds:
        taken = ", ".join(str(NAMES[kind]) for kind in Kind if kind in rule.kinds)
        raise Refused(_("This is %(found)s. Taken are: %(taken)s.") % {"found": NAMES[content.kind], "taken": taken})


def tray_rule(*, max_bytes: int, max_pixels: int) -> UploadRule:
    """The one picture of a tray submission."""
    return UploadRule(
        "image", max_bytes, frozenset({Kind.PICTURE}), max_pixels, media_types=SAFE_PICTURES, spotless=True
    )
