"""One careful hub for all that is not naive: first the campaign, then what lies beyond the window."""

from collections.abc import Iterator

import pytest

from tests.chaos.stack import Stack


@pytest.fixture(scope="package")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """The hub as the product is. Its folder is kept when a test has failed: it holds every log and both sides' data."""
    with Stack() as running:
        yield running
        running.keep = request.session.testsfailed > 0
