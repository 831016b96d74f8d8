"""What every test shares."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from supporthub.core import hurry


@pytest.fixture(autouse=True)
def _nothing_left_over(request: pytest.FixtureRequest) -> Iterator[None]:
    """Best-effort work of one test never reaches into the next; throttles and caches start empty."""
    yield
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        hurry.flush()
        cache.clear()
