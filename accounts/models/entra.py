"""Which tokens were exchanged for what. A row is written in the transaction that accepts (or refuses) a submission."""

import uuid

from django.db import models

REFUSED = 0


class TokenUse(models.Model):
    """One content that was submitted with one token.

    `ordinal` counts what the token bought, from 1; 0 is a submission that came when nothing was left to buy.
    `scope_key` is the token's fingerprint, or in gateway mode a digest of who and when. Kept for a day after the
    token's end.
    """

    scope_key = models.CharField(max_length=64)
    ordinal = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    instance_id = models.UUIDField(default=uuid.uuid4, unique=True)
    tenant_id = models.UUIDField()
    object_id = models.UUIDField(null=True)
    upn = models.CharField(max_length=254)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)  # the hourly clean-up reads by it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope_key", "content_hash"], name="token_use_content_once"),
            models.UniqueConstraint(
                fields=["scope_key", "ordinal"], condition=~models.Q(ordinal=REFUSED), name="token_use_ordinal_once"
            ),
        ]
        indexes = [
            # how many submissions a person made within the hour
            models.Index(
                fields=["tenant_id", "object_id", "upn", "created_at"],
                condition=~models.Q(ordinal=REFUSED),
                name="token_use_of_person",
            ),
        ]

    def __str__(self) -> str:
        return str(self.instance_id)
