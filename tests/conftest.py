"""What every test shares."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection
from pytest_django import DjangoDbBlocker

from supporthub.core import hurry


@pytest.fixture(autouse=True)
def _nothing_left_over(request: pytest.FixtureRequest) -> Iterator[None]:
    """Best-effort work of one test never reaches into the next; throttles and caches start empty."""
    yield
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        hurry.flush()
        cache.clear()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests that commit clear every table afterwards; the trigger that keeps the audit trail from that waits.

    The tests of the trigger switch it on for themselves.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in ("accounts_auditentry", "accounts_auditanchor", "accounts_audittext"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER audit_no_truncate")
