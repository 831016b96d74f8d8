"""The worker's application with the naive order of steps, and the same steps at which it can be told to die."""

import django

from supporthub.celery import app

django.setup()

from tests.chaos import boundaries, naive  # noqa: E402  (needs the applications)

orders = boundaries.orders_of_campaign()
boundaries.install_client(orders)
naive.install(orders)

__all__ = ["app"]
