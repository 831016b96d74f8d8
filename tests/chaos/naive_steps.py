"""The steps that the naive worker passes: it has no leases to expire and never looks."""

from tests.chaos.orders import WEB_STEPS

STEPS = frozenset(
    (
        *WEB_STEPS, "claim.after_commit", "send.before", "send.under_way", "send.answered", "settle.before",
        "settle.row_written", "settle.before_commit", "settle.between_phases", "settle.after", "watcher.before",
        "watcher.after",
    )
)  # fmt: skip
