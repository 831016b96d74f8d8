"""Celery's way in: one call, safe to run twice."""

from celery import shared_task

from accounts.services.sealing import seal_all
from accounts.services.token_uses import forget_used_tokens


@shared_task(ignore_result=True)
def seal_audit_trail() -> None:
    """Give what was recorded meanwhile its place in the chain."""
    seal_all()


@shared_task(ignore_result=True)
def forget_tokens_used() -> None:
    forget_used_tokens()
